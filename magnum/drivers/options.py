"""A driver's options: what its ``schema.json`` declares, read from texts, checked, and written as texts again. Pure.

The file is a JSON Schema of one flat object. Each property says in ``x-change`` what changing it does to a cluster:
``mutable``, ``replaces-nodes`` or ``fixed``. Options travel as labels, which are texts on the wire and in the database,
so a value is first turned into the type that is declared and then checked. Labels that no driver declares are left
alone here. The API and the drivers (through :mod:`magnum.drivers.common.options`) both read them with this module.
"""

import json
import math
import sys
import weakref
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from magnum.drivers.contract import Driver, InvalidOption

MUTABLE: Final = "mutable"
#: What is declared where nothing is.
NONE: Final[Mapping[str, Any]] = {"type": "object", "properties": {}, "additionalProperties": False}

_FILE = "schema.json"
_TRUE = frozenset({"1", "t", "true", "y", "yes", "on"})
_FALSE = frozenset({"0", "f", "false", "n", "no", "off"})


class Options:
    """The options of one schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema
        self.declared: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
        self._checkers = {
            name: Draft202012Validator(declared, format_checker=Draft202012Validator.FORMAT_CHECKER)
            for name, declared in self.declared.items()
        }

    def read(self, labels: Mapping[str, str], *, strict: bool = True) -> dict[str, Any]:
        """Every declared option with its value: the label's, or else the default, or else None.

        A value that the schema does not allow raises InvalidOption, naming the option; with ``strict`` false it counts
        as not given, so that such a bay can still be deleted.
        """
        given = self.given(labels, strict=strict)
        return {
            name: given.get(name, declared.get("default"))
            for name, declared in self.declared.items()
        }

    def given(self, labels: Mapping[str, str], *, strict: bool = True) -> dict[str, Any]:
        """The declared options among the labels, each with its value. Arguments and errors as for :meth:`read`."""
        found = {}
        for name in self.declared.keys() & labels.keys():
            value = typed(labels[name], self.declared[name])
            message = self.fault(name, value)
            if message is None:
                found[name] = value
            elif strict:
                raise InvalidOption(f"The option '{name}' cannot be used: {message}.", option=name)
        return found

    def fault(self, name: str, value: Any) -> str | None:
        """Why an option may not have a value, None where it may."""
        error = next(iter(self._checkers[name].iter_errors(value)), None)
        return None if error is None else error.message

    def text(self, value: Any) -> str:
        """A value as the text of a label, from which :meth:`read` makes the same value again."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, list):
            return ",".join(self.text(part) for part in value)
        return value if isinstance(value, str) else json.dumps(value)

    def is_mutable(self, name: str) -> bool:
        """Whether an option may change while the cluster is there."""
        return self.declared[name].get("x-change") == MUTABLE


def typed(text: str, declared: Mapping[str, Any]) -> Any:
    """A text as a value of the type that is declared, or of the first of several that it can be.

    What cannot be turned stays text, and fails the check of the schema.
    """
    kinds = declared.get("type", "string")
    for kind in (kinds,) if isinstance(kinds, str) else kinds:
        value = _as(text, kind, declared)
        if value is not text or kind == "string":
            return value
    return text


def _as(text: str, kind: str, declared: Mapping[str, Any]) -> Any:
    word = text.strip().lower()
    if kind == "boolean" and word in _TRUE | _FALSE:
        return word in _TRUE
    try:
        if kind == "integer":
            return int(word)
        if kind == "number":
            number = float(word)
            return number if math.isfinite(number) else text  # JSON knows no other numbers
    except ValueError:
        return text
    if kind == "array":
        items = declared.get("items", {})
        return [typed(part.strip(), items) for part in text.split(",") if part.strip()]
    return text


def load(package: str) -> Options:
    """The options that the directory of a package declares; none where it has no such file.

    Raises ValueError for a file that is no schema.
    """
    try:
        text = resources.files(package).joinpath(_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return Options(NONE)
    try:
        schema = json.loads(text)
        if not isinstance(schema, dict):
            raise ValueError("it is no object")
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ValueError(error.message) from error
    return Options(schema)


_known: "weakref.WeakKeyDictionary[type[Driver], Options]" = weakref.WeakKeyDictionary()


def of(driver: Driver) -> Options:
    """The options of a driver, read once. Raises ValueError for a file that is no schema."""
    kind = type(driver)
    found = _known.get(kind)
    if found is None:
        module = sys.modules.get(kind.__module__)
        package = getattr(module, "__package__", None)
        found = _known[kind] = load(package) if package else Options(NONE)
    return found
