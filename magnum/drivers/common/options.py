"""A driver's own options: labels read as what ``schema.json`` in the driver's directory declares.

``schema.json`` is a JSON Schema of one flat object. Each property says in ``x-change`` what
changing it does to a cluster: ``mutable``, ``replaces-nodes`` or ``fixed``. Labels are text on the
wire, so a value is first turned into the type that is declared and then checked. Labels that no
driver declares are left alone here.
"""

import json
import math
from collections.abc import Mapping
from functools import cached_property
from importlib import resources
from typing import Any

import jsonschema

from magnum.drivers.contract import InvalidOption

_TRUE = frozenset({"1", "t", "true", "y", "yes", "on"})
_FALSE = frozenset({"0", "f", "false", "n", "no", "off"})


class Options:
    """The options that one driver declares. Made once per driver; the file is read when needed."""

    def __init__(self, package: str) -> None:
        """``package`` is the driver's, for example ``magnum.drivers.noop_v1``."""
        self._package = package

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The schema as it stands in the file."""
        text = resources.files(self._package).joinpath("schema.json").read_text(encoding="utf-8")
        return dict(json.loads(text))

    @cached_property
    def _checkers(self) -> dict[str, jsonschema.Draft202012Validator]:
        return {
            name: jsonschema.Draft202012Validator(declared)
            for name, declared in self.schema["properties"].items()
        }

    def read(self, labels: Mapping[str, str], *, strict: bool = True) -> dict[str, Any]:
        """Every declared option with its value: the label's, or else the default, or else None.

        A value that the schema does not allow raises InvalidOption, naming the option; with
        ``strict`` false it counts as not given, so that such a bay can still be deleted.
        """
        return {
            name: self._value(name, declared, labels, strict)
            for name, declared in self.schema["properties"].items()
        }

    def _value(
        self, name: str, declared: Mapping[str, Any], labels: Mapping[str, str], strict: bool
    ) -> Any:
        default = declared.get("default")
        if name not in labels:
            return default
        value = _typed(labels[name], declared.get("type", "string"))
        error = next(self._checkers[name].iter_errors(value), None)
        if error is None:
            return value
        if strict:
            raise InvalidOption(f"The option '{name}' cannot be used: {error.message}.")
        return default


def _typed(text: str, wanted: str) -> Any:
    """The text as the wanted JSON type; what cannot be turned stays text and fails the check."""
    word = text.strip().lower()
    if wanted == "boolean" and word in _TRUE | _FALSE:
        return word in _TRUE
    try:
        if wanted == "integer":
            return int(word)
        if wanted == "number":
            number = float(word)
            return number if math.isfinite(number) else text  # JSON knows no other numbers
    except ValueError:
        return text
    if wanted == "array":
        return [part.strip() for part in text.split(",") if part.strip()]
    return text
