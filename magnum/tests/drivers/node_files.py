"""A node as its user data makes it: the parts, and every file with its content, of cloud-init and of Ignition alike."""

import base64
import email
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from magnum.tests.unit.drivers.hot import load

CLOUD_CONFIG, SHELL = "text/cloud-config", "text/x-shellscript"
IGNITION = "application/vnd.coreos.ignition+json"
UNITS = "/etc/systemd/system"


@dataclass(frozen=True)
class File:
    """One file. ``mode`` is octal, as text."""

    text: str
    mode: str


@dataclass(frozen=True)
class NodeFiles:
    """What a node is told. ``parts`` are type and text; ``configs`` are those that are data, as values."""

    parts: tuple[tuple[str, str], ...]
    configs: tuple[Mapping[str, Any], ...]
    files: Mapping[str, File] = field(default_factory=dict)

    @property
    def units(self) -> Mapping[str, str]:
        """Units and drop-ins of systemd, by their path."""
        return {path: f.text for path, f in self.files.items() if path.startswith(f"{UNITS}/")}


def read(user_data: str) -> NodeFiles:
    """User data, taken apart as a node does."""
    parts = _parts(user_data)
    kinds = [kind for kind, _ in parts]
    if kinds == [IGNITION]:
        config = json.loads(parts[0][1])
        return NodeFiles(parts, (config,), _of_ignition(config))
    assert kinds[0] == CLOUD_CONFIG and set(kinds) <= {CLOUD_CONFIG, SHELL}, kinds
    configs = tuple(load(text) for kind, text in parts if kind == CLOUD_CONFIG)
    found: dict[str, File] = {}
    for number, config in enumerate(configs):
        if number:  # cloud-init keeps the first of two equal keys unless it is told otherwise
            assert "list(append)" in config.get("merge_how", ""), config.keys()
        for item in config.get("write_files", []):
            assert item["path"] not in found, f"{item['path']} is written twice"
            found[item["path"]] = File(_decoded(item), item.get("permissions", "0644"))
    return NodeFiles(parts, configs, found)


def _parts(user_data: str) -> tuple[tuple[str, str], ...]:
    if user_data.lstrip().startswith("{"):
        return ((IGNITION, user_data),)
    if user_data.startswith("#cloud-config"):
        return ((CLOUD_CONFIG, user_data),)
    walked = email.message_from_string(user_data).walk()
    return tuple(
        (part.get_content_type(), _payload(part)) for part in walked if not part.is_multipart()
    )


def _payload(part: email.message.Message) -> str:
    decoded = part.get_payload(decode=True)
    assert isinstance(decoded, bytes)
    return decoded.decode(part.get_content_charset() or "utf-8")


def _decoded(item: Mapping[str, Any]) -> str:
    content = item["content"]
    match item.get("encoding", ""):
        case "":
            return str(content)
        case "b64" | "base64":
            return base64.b64decode(content).decode()
        case "gz+b64" | "gzip+base64" | "gz+base64" | "gzip+b64":
            return gzip.decompress(base64.b64decode(content)).decode()
        case other:
            raise AssertionError(f"encoding {other}")


def _of_ignition(config: Mapping[str, Any]) -> dict[str, File]:
    found: dict[str, File] = {}
    for item in config.get("storage", {}).get("files", []):
        assert item["path"] not in found, f"{item['path']} is written twice"
        found[item["path"]] = File(
            _fetched(item.get("contents", {})), f"{item.get('mode', 420):04o}"
        )
    for unit in config.get("systemd", {}).get("units", []):
        if unit.get("contents"):
            found[f"{UNITS}/{unit['name']}"] = File(unit["contents"], "0644")
        for part in unit.get("dropins", []):
            found[f"{UNITS}/{unit['name']}.d/{part['name']}"] = File(part["contents"], "0644")
    return found


def _fetched(contents: Mapping[str, Any]) -> str:
    """The content of a data URL."""
    head, _, body = contents.get("source", "data:,").partition(",")
    assert head.startswith("data:"), f"fetched from {head}"
    octets = base64.b64decode(body) if head.endswith(";base64") else unquote_to_bytes(body)
    if contents.get("compression") == "gzip":
        octets = gzip.decompress(octets)
    return octets.decode()
