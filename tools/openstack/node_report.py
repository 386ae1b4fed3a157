"""What a booted node does for its stack: find the signal URL in its user data, and report there.

Stands in for the node wherever no machine really boots: inside the embedded Heat (``standins.py``) and
beside the fake driver of Nova. The convention is that of our drivers' node scripts: the user data, which is
cloud-init's or an Ignition configuration, writes ``/etc/sysconfig/heat-params`` with a line
``WAIT_SIGNAL_URL="..."``, and the node reports with a PUT to that URL, which is the reference of an
``AWS::CloudFormation::WaitConditionHandle``.
Needs PyYAML, which every environment with OpenStack in it has; imports nothing of ours.
"""

import base64
import email
import gzip
import http.client
import json
import shlex
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

PARAMS_FILE = "/etc/sysconfig/heat-params"
URL_NAME = "WAIT_SIGNAL_URL"


class ReportError(Exception):
    """The report did not arrive, or Heat refused it."""


@dataclass(frozen=True)
class Report:
    """What a node tells its wait condition.

    :param unique_id: tells one report from another; the same id twice counts once.
    :param status: ``SUCCESS`` or ``FAILURE``.
    :param reason: shown in the stack's status when the node failed.
    :param data: what the wait condition hands on in its attribute ``data``.
    """

    unique_id: str
    status: str = "SUCCESS"
    reason: str = ""
    data: str = ""


def parameters(user_data: str | bytes) -> dict[str, str]:
    """The values that the node would find in its ``heat-params`` file; empty without such a file.

    :raises ValueError: when the user data begins as an Ignition configuration does and is none.
    """
    raw = user_data.encode() if isinstance(user_data, str) else user_data
    if raw.lstrip().startswith(b"{"):
        return _ignition_parameters(json.loads(raw))
    found: dict[str, str] = {}
    for text in _cloud_configs(raw):
        config = yaml.safe_load(text)
        for item in config.get("write_files") or [] if isinstance(config, dict) else []:
            if item.get("path") == PARAMS_FILE:
                found.update(_assignments(_content(item)))
    return found


def signal_url(user_data: str | bytes) -> str | None:
    """Where this node reports, or None when nobody waits for it."""
    return parameters(user_data).get(URL_NAME) or None


def send(url: str, report: Report, timeout: float = 30.0) -> None:
    """PUT the report to a signed URL.

    The body has the four keys of a CloudFormation handle, all of them (Heat's own handle type wants others:
    ``id``, ``status``, ``reason``, ``data``). There must be no Content-Type: heat-api-cfn takes it for a
    part of what was signed and answers 403, which rules urllib out (it always adds one).

    :raises ReportError: when Heat cannot be reached or does not accept the report.
    """
    body = {
        "Status": report.status,
        "Reason": report.reason,
        "UniqueId": report.unique_id,
        "Data": report.data,
    }
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=timeout)
    try:
        connection.request("PUT", f"{parts.path}?{parts.query}", body=json.dumps(body))
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise ReportError(f"{parts.netloc}: {error}") from error
    finally:
        connection.close()
    if answer.status >= 300:
        raise ReportError(f"{parts.netloc} answered {answer.status}: {text[:500]}")


def _ignition_parameters(config: dict[str, Any]) -> dict[str, str]:
    """The same of an Ignition configuration, whose files are ``data:`` URLs."""
    found: dict[str, str] = {}
    try:
        for item in config.get("storage", {}).get("files", []):
            if item["path"] == PARAMS_FILE:
                _, _, text = item["contents"]["source"].partition("data:,")
                found.update(_assignments(unquote(text)))
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"no Ignition configuration: {error!r}") from error
    return found


def _cloud_configs(raw: bytes) -> list[str]:
    """The cloud-config documents in user data that is one document or a MIME message of several."""
    if raw.lstrip().startswith(b"#cloud-config"):
        return [raw.decode()]
    found = []
    for part in email.message_from_bytes(raw).walk():
        text = "" if part.is_multipart() else _payload(part)
        # cloud-init goes by the first line where the type says nothing.
        if part.get_content_type() == "text/cloud-config" or text.startswith("#cloud-config"):
            found.append(text)
    return found


def _payload(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return payload.decode() if isinstance(payload, bytes) else ""


def _content(item: dict[str, Any]) -> str:
    """The text of one entry of ``write_files``, in any of cloud-init's encodings."""
    raw = item.get("content") or ""
    data: bytes = raw if isinstance(raw, bytes) else str(raw).encode()
    encoding = str(item.get("encoding") or "")
    if "b64" in encoding or "base64" in encoding:
        data = base64.b64decode(data)
    if encoding.startswith("gz"):
        data = gzip.decompress(data)
    return data.decode()


def _assignments(text: str) -> dict[str, str]:
    """``NAME="value"`` lines, as a shell would read them."""
    values = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and name.isidentifier():
            try:
                values[name] = "".join(shlex.split(value))
            except ValueError:  # a quote that is never closed
                values[name] = value
    return values
