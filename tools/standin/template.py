"""What the stand-in's Heat reads out of a template: parameters, and what the outputs of our drivers' templates say.

Nothing is resolved. An output's value follows from its name: ``api_address`` is an address, ``<group>_addresses`` and
``<group>_private_addresses`` are one for each node, ``<group>_refs_map`` is index to server id.
"""

import functools
import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from tools.standin.wire import Answer

MASTERS, NODES = "master", "node"
_COUNTS = {MASTERS: "master_count", NODES: "node_count"}
_REMOVED = "nodes_to_remove"


@functools.lru_cache(16)
def parsed(text: str) -> Mapping[str, Any]:
    """A template from its text. Raises ValueError where it is none."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"Error parsing template: {error}") from error
    if not isinstance(found, dict) or "heat_template_version" not in found:
        raise ValueError("Template format version not found.")
    return found


def objection(template: Mapping[str, Any], given: Mapping[str, Any]) -> Answer | None:
    """What Heat has against these parameters, as its answer."""
    known = template.get("parameters") or {}
    for name in given:
        if name not in known:
            text = f"The Parameter ({name}) was not defined in template."
            return error(400, "UnknownUserParameter", text)
    for name, schema in known.items():
        if name not in given and "default" not in schema:
            text = f"The Parameter ({name}) was not provided."
            return error(400, "UserParameterMissing", text)
    return None


def as_text(template: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, str]:
    """All parameters as Heat shows them: text, with defaults, hidden ones as stars."""
    shown = {}
    for name, schema in (template.get("parameters") or {}).items():
        value = given.get(name, schema.get("default"))
        shown[name] = "******" if schema.get("hidden") else _text(value, schema.get("type"))
    return shown


def _text(value: Any, kind: str | None) -> str:
    if kind == "boolean":
        return str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, list | dict):
        is_list = kind == "comma_delimited_list"
        return ",".join(map(str, value)) if is_list else json.dumps(value)
    return str(value)


class Nodes:
    """The indexes of the servers in each group, as a resource group of Heat keeps them when it grows and shrinks."""

    def __init__(self, stack_id: str) -> None:
        self._stack_id = stack_id
        self._indexes: dict[str, list[int]] = {MASTERS: [], NODES: []}
        self._removed: dict[str, set[int]] = {MASTERS: set(), NODES: set()}

    def resize(self, parameters: Mapping[str, str]) -> None:
        """Be as many as the parameters say; those that are to be removed never come back."""
        removed = json.loads(parameters.get(_REMOVED) or "[]")
        for group, name in _COUNTS.items():
            if group == NODES:
                self._removed[group] |= set(self._named(group, removed))
            count, index = int(parameters.get(name) or 0), 0
            chosen: list[int] = []
            while len(chosen) < count:
                if index not in self._removed[group]:
                    chosen.append(index)
                index += 1
            self._indexes[group] = chosen

    def _named(self, group: str, removed: Iterable[Any]) -> Iterable[int]:
        servers = {self.server(group, index): index for index in self._indexes[group]}
        for name in removed:
            if str(name) in servers:
                yield servers[str(name)]
            elif str(name).isdigit():
                yield int(name)

    def all(self) -> Iterator[tuple[str, int]]:
        """Every server's group and index."""
        return ((group, index) for group, indexes in self._indexes.items() for index in indexes)

    def server(self, group: str, index: int) -> str:
        """Id of a server."""
        return str(uuid.uuid5(uuid.UUID(self._stack_id), f"{group}/{index}"))

    def output(self, name: str) -> Any:
        """The value of an output of this name."""
        if name == "api_address":
            return self._address(MASTERS, 0, "172")
        group = MASTERS if name.startswith(MASTERS) else NODES
        indexes = self._indexes[group]
        if name.endswith("_refs_map"):
            return {str(index): self.server(group, index) for index in indexes}
        if name.endswith("addresses"):
            network = "10" if "private" in name else "172"
            return [self._address(group, index, network) for index in indexes]
        return f"the value of {name}"

    def _address(self, group: str, index: int, network: str) -> str:
        digest = hashlib.sha256(self.server(group, index).encode()).digest()
        middle = 16 + digest[0] % 16 if network == "172" else digest[0]
        return f"{network}.{middle}.{digest[1]}.{digest[2] % 254 + 1}"


def error(status: int, kind: str, text: str) -> Answer:
    """An error as Heat words it: ``kind`` is the name of its exception."""
    title, explanation = _TITLES.get(status, _TITLES[500])
    told = {"message": text, "traceback": None, "type": kind}
    body = {"code": status, "title": title, "explanation": explanation, "error": told}
    return Answer(status, body)


_TITLES = {
    400: (
        "Bad Request",
        "The server could not comply with the request since it is either malformed or otherwise incorrect.",
    ),
    401: (
        "Unauthorized",
        "This server could not verify that you are authorized to access the document you requested.",
    ),
    403: ("Forbidden", "Access was denied to this resource."),
    404: ("Not Found", "The resource could not be found."),
    409: ("Conflict", "There was a conflict when trying to complete your request."),
    429: ("Too Many Requests", "The client has sent too many requests in a given time."),
    500: ("Internal Server Error", "The server has either erred or is incapable of the request."),
    503: ("Service Unavailable", "The server is currently unavailable."),
}
