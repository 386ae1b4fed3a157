"""JSON schemas of drivers as arguments of a command line: what may be said, and of which type it is. Pure."""

import argparse
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from magnum.osc.texts import one_line

_TRUE: Final = frozenset({"1", "t", "true", "y", "yes", "on"})
_FALSE: Final = frozenset({"0", "f", "false", "n", "no", "off"})

_Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its flag, the property that it gives, and what else argparse wants to know."""

    flag: str
    name: str
    details: dict[str, Any]


def kind(declared: _Schema) -> str:
    """The type of a property, in one word; ``any`` where the schema says none."""
    kinds = declared.get("type")
    if isinstance(kinds, str):
        return kinds
    if isinstance(kinds, list):
        return next((one for one in kinds if one != "null"), "null")
    if "enum" in declared and all(isinstance(one, str) for one in declared["enum"]):
        return "string"
    return "any"


def typed(text: str, declared: _Schema) -> Any:
    """A text as the type that is declared. Raises ValueError that says what is wanted."""
    what = kind(declared)
    word = text.strip()
    if what == "boolean":
        if word.lower() not in _TRUE | _FALSE:
            raise ValueError("true or false is wanted")
        return word.lower() in _TRUE
    if what == "integer":
        return _number(word, int, "a whole number is wanted")
    if what == "number":
        return _number(word, float, "a number is wanted")
    if what == "array":
        return _array(word, declared)
    if what == "object":
        return _object(word)
    if what == "any":
        return _whatever(text)
    return text


def argument(name: str, declared: _Schema, *, required: bool, prefix: str = "") -> Argument:
    """The argument for a property of a request.

    :param prefix: what stands before its name, where that is an option already.
    """
    flag = f"--{prefix}{name.replace('_', '-')}"
    details: dict[str, Any] = {"help": _help(declared), "required": required, "default": None}
    if kind(declared) == "boolean":
        details["action"] = argparse.BooleanOptionalAction
    elif kind(declared) == "array":
        details |= {"action": "append", **_value(declared.get("items", {}))}
    else:
        details |= _value(declared)
    return Argument(flag, name, details)


def constraints(declared: _Schema) -> str:
    """What the schema says of a value beside its type, in a few words."""
    said = []
    if "enum" in declared:
        said.append("one of " + ", ".join(_word(one) for one in declared["enum"]))
    for rule, words in (("minimum", "at least"), ("maximum", "at most")):
        if rule in declared:
            said.append(f"{words} {declared[rule]}")
    if "default" in declared:
        said.append(f"default {_word(declared['default'])}")
    return ", ".join(said)


def _number(word: str, read: Callable[[str], float], wanted: str) -> float:
    try:
        number = read(word)
    except ValueError:
        raise ValueError(wanted) from None
    if not math.isfinite(number):  # JSON knows no other numbers
        raise ValueError(wanted)
    return number


def _array(word: str, declared: _Schema) -> list[Any]:
    """A list in JSON, or with commas between its members."""
    if word.startswith("["):
        try:
            found = json.loads(word)
        except ValueError as error:
            raise ValueError(f"a list in JSON is wanted: {error}") from None
        if isinstance(found, list):
            return found
    items = declared.get("items", {})
    return [typed(part.strip(), items) for part in word.split(",") if part.strip()]


def _object(word: str) -> dict[str, Any]:
    try:
        found = json.loads(word)
    except ValueError as error:
        raise ValueError(f"an object in JSON is wanted: {error}") from None
    if not isinstance(found, dict):
        raise ValueError("an object in JSON is wanted")
    return found


def _whatever(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _reader(declared: _Schema) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return typed(text, declared)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def _value(declared: _Schema) -> dict[str, Any]:
    """What argparse needs to know of one value."""
    details: dict[str, Any] = {"type": _reader(declared)}
    if "enum" in declared:
        return details | {"choices": [one for one in declared["enum"] if one is not None]}
    return details | {"metavar": f"<{kind(declared)}>"}


def _help(declared: _Schema) -> str:
    words = one_line(str(declared.get("description", "")))
    limits = constraints({key: declared[key] for key in declared if key != "enum"})
    told = f"{words} ({limits})" if words and limits else words or limits
    if kind(declared) == "array":
        told = f"{told} Can be repeated.".strip()
    return told.replace("%", "%%")  # argparse would format it


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
