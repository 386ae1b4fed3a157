"""JSON schemas as arguments: every type, and what argparse makes of it."""

import argparse
from typing import Any

import pytest

from magnum.osc import schema


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        ({"type": "integer"}, " -3 ", -3),
        ({"type": "number"}, "0.5", 0.5),
        ({"type": "boolean"}, "Yes", True),
        ({"type": "boolean"}, "off", False),
        ({"type": "string"}, "12", "12"),
        ({"type": ["null", "string"]}, "12", "12"),
        ({"enum": ["1", "2"]}, "1", "1"),
        ({"type": "array", "items": {"type": "integer"}}, "1, 2,", [1, 2]),
        ({"type": "array"}, '["a,b"]', ["a,b"]),
        ({"type": "array", "items": {"type": "string"}}, "1,2", ["1", "2"]),
        ({"type": "object"}, '{"a": 1}', {"a": 1}),
        ({}, "7", 7),
        ({}, "seven", "seven"),
    ],
)
def test_a_text_becomes_what_is_declared(declared: dict[str, Any], text: str, value: Any) -> None:
    read = schema.typed(text, declared)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ({"type": "integer"}, "1.5"),
        ({"type": "number"}, "nan"),
        ({"type": "number"}, "1e999"),
        ({"type": "boolean"}, "perhaps"),
        ({"type": "array"}, "[1"),
        ({"type": "array", "items": {"type": "integer"}}, "1,x"),
        ({"type": "object"}, "[]"),
        ({"type": "object"}, "{"),
    ],
)
def test_what_is_no_such_thing_is_refused(declared: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=r"wanted|JSON"):
        schema.typed(text, declared)


def parse(declared: dict[str, Any], *words: str, required: bool = False) -> Any:
    parser = argparse.ArgumentParser(exit_on_error=False)
    argument = schema.argument("some_name", declared, required=required)
    parser.add_argument(argument.flag, dest="value", **argument.details)
    parser.format_help()  # a per cent sign in a help would break it
    return parser.parse_args(words).value


@pytest.mark.parametrize(
    ("declared", "words", "value"),
    [
        ({"type": "integer", "description": "50% of it"}, ("--some-name", "3"), 3),
        ({"type": "boolean"}, ("--some-name",), True),
        ({"type": "boolean"}, ("--no-some-name",), False),
        ({"type": "boolean"}, (), None),
        ({"type": "array", "items": {"type": "integer"}}, ("--some-name", "1"), [1]),
        ({"type": "array"}, (), None),
        ({"enum": ["a", "b", None]}, ("--some-name", "b"), "b"),
    ],
)
def test_arguments_give_typed_values(
    declared: dict[str, Any], words: tuple[str, ...], value: Any
) -> None:
    assert parse(declared, *words) == value


def test_a_value_that_is_not_listed_is_refused() -> None:
    with pytest.raises(argparse.ArgumentError):
        parse({"enum": ["a"]}, "--some-name", "b")


def test_constraints_are_told_in_words() -> None:
    declared = {"enum": ["a", 1], "minimum": 1, "maximum": 9, "default": False}
    assert schema.constraints(declared) == "one of a, 1, at least 1, at most 9, default false"
