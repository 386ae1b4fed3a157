"""JSON patch as these resources take it (contract 1.9): a few operations on one object's attributes, leniently read.

What clients send as a value is text more often than not: numbers, truth values, and labels as JSON, as a Python literal
or as ``k=v,k2=v2`` (D6, D7).
"""

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from jsonschema import Draft202012Validator

from magnum.api.schemas.base import END, LABELS, Schema, check_storable, coerced, refused
from magnum.common import errors

#: No resource lets these be changed.
FIXED: Final = frozenset(
    {"created_at", "updated_at", "id", "uuid", "links", "project_id", "user_id"}
)

#: The request: a list of operations. Dots in a path are more than the old service takes.
DOCUMENT: Final = {
    "type": "array",
    "maxItems": 1000,
    "items": {
        "type": "object",
        "properties": {
            "op": {"enum": ["add", "replace", "remove"]},
            "path": {"type": "string", "pattern": rf"^(/[\w.-]+)+{END}"},
            "value": {},
        },
        "required": ["op", "path"],
        "additionalProperties": False,
        "if": {"properties": {"op": {"enum": ["add", "replace"]}}},
        "then": {"required": ["value"], "properties": {"value": {"not": {"type": "null"}}}},
    },
}
_VALIDATOR = Draft202012Validator(DOCUMENT)

#: What openstacksdk begins with when it is told a bare id: it compares with an object that has no attributes, so that
#: what it adds replaces (contract 3.1).
_OF_A_BARE_ID: Final = {"op": "move", "from": "/uuid", "path": "/id"}

_PAIR = re.compile(r"\s*([^=,\s]+)\s*=\s*([^,]*)")


@dataclass(frozen=True, slots=True)
class Change:
    """One operation: ``path`` in pieces; ``index`` is its place in the request."""

    index: int
    op: str
    path: tuple[str, ...]
    value: Any

    def refuse(self, why: str, part: str = "path") -> errors.InvalidField:
        """An error that points at this operation."""
        path = "/".join(self.path)
        return errors.InvalidField(
            f"Cannot {self.op} '/{path}': {why}", field=f"/{self.index}/{part}"
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """What a resource lets be patched.

    ``schema`` checks the values that result. ``internal`` attributes may not be touched, ``mandatory`` ones not be
    removed. ``defaults`` is what a removed attribute has from then on, where that is not null.
    """

    schema: Schema
    internal: frozenset[str] = frozenset()
    mandatory: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)


def read(document: Any) -> tuple[Change, ...]:
    """The operations of a request. No body at all says that nothing shall change (D9). Raises InvalidField."""
    if document is None:
        return ()
    check_storable(document)
    of_a_bare_id = isinstance(document, list) and document[:1] == [_OF_A_BARE_ID]
    offset = 1 if of_a_bare_id else 0
    items = document[offset:] if of_a_bare_id else document
    for error in _VALIDATOR.iter_errors(items):
        raise refused(error)
    return tuple(
        Change(
            index,
            "replace" if of_a_bare_id and item["op"] == "add" else item["op"],
            tuple(item["path"].split("/")[1:]),
            item.get("value"),
        )
        for index, item in enumerate(items, offset)
    )


def apply(
    changes: Sequence[Change], current: Mapping[str, Any], rules: Rules
) -> dict[str, tuple[Any, Change]]:
    """What changes in truth: attribute to its new value and the last operation on it.

    :param current: every attribute of the resource that has a value or could have one.

    Raises InvalidField for an operation that is not possible, or whose result the schema refuses.
    """
    wanted = dict(current)
    last: dict[str, Change] = {}
    removed: set[str] = set()
    for change in changes:
        name = change.path[0]
        _check_touchable(change, current, rules)
        if len(change.path) == 1:
            wanted[name] = _whole(change, wanted[name], rules)
            (removed.add if change.op == "remove" else removed.discard)(name)
        else:
            wanted[name] = _member(change, wanted[name])
            removed.discard(name)
        last[name] = change
    for name, change in last.items():
        if name not in removed:
            _check_value(change, name, wanted[name], rules.schema)
    return {
        name: (wanted[name], change)
        for name, change in last.items()
        if wanted[name] != current[name]
    }


def _check_touchable(change: Change, current: Mapping[str, Any], rules: Rules) -> None:
    name = change.path[0]
    if name in FIXED or name in rules.internal:
        raise change.refuse("it cannot be changed.")
    if name not in current:
        raise change.refuse("there is no such attribute.")
    if len(change.path) > 2 or (len(change.path) == 2 and not _is_object(rules.schema, name)):
        raise change.refuse("there is nothing below it.")
    if change.op == "remove" and len(change.path) == 1 and name in rules.mandatory:
        raise change.refuse("it is mandatory.")


def _whole(change: Change, present: Any, rules: Rules) -> Any:
    name = change.path[0]
    if change.op == "remove":
        return rules.defaults.get(name)
    if change.op == "add" and present not in (None, {}, []):
        raise change.refuse("it has a value already; use replace.")
    schema = rules.schema.properties.get(name, {})
    value = change.value
    if isinstance(value, str) and _is_object(rules.schema, name):
        try:
            value = labels_of(value)
        except ValueError as error:
            raise change.refuse(str(error), "value") from error
    return coerced(value, schema)


def _member(change: Change, present: Any) -> dict[str, Any]:
    """The object after an operation on one of its members (RFC 6902)."""
    key = change.path[1]
    members = dict(present or {})
    if change.op != "add" and key not in members:
        raise change.refuse("there is no such member.")
    if change.op == "remove":
        del members[key]
    else:
        members.update(coerced({key: change.value}, LABELS))
    return members


def _check_value(change: Change, name: str, value: Any, schema: Schema) -> None:
    for error in schema.check(name, value):
        raise refused(error, at=(change.index, "value"))


def _is_object(schema: Schema, name: str) -> bool:
    kinds = schema.properties.get(name, {}).get("type", ())
    return "object" in ((kinds,) if isinstance(kinds, str) else kinds)


def labels_of(text: str) -> Any:
    """An object from its text: JSON, a Python literal, or pairs. Raises ValueError."""
    for parse in (json.loads, ast.literal_eval):
        try:
            value = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            raise ValueError("the value is not an object of texts.")
        try:
            check_storable(value)
        except errors.InvalidField as error:
            raise ValueError(error.text) from error
        return value
    pairs = {}
    for part in text.split(","):
        pair = _PAIR.fullmatch(part)
        if pair is None:
            raise ValueError("the value is neither JSON nor a list of key=value.")
        pairs[pair[1]] = pair[2].strip()
    return pairs
