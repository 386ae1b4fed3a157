"""Labels read as the types that a driver's schema declares."""

from typing import Any

import pytest

from magnum.drivers.contract import InvalidOption
from magnum.drivers.options import Options

SCHEMA: dict[str, Any] = {
    "properties": {
        "count": {"type": "integer", "minimum": 1, "maximum": 9, "default": 2},
        "ratio": {"type": "number", "minimum": 0},
        "flag": {"type": "boolean", "default": False},
        "colour": {"type": "string", "enum": ["red", "blue"]},
        "words": {"type": "array", "items": {"enum": ["a", "b"]}, "default": []},
    }
}


@pytest.fixture
def options() -> Options:
    return Options(SCHEMA)


def test_defaults(options: Options) -> None:
    assert options.read({"unknown": "label"}) == {
        "count": 2,
        "ratio": None,
        "flag": False,
        "colour": None,
        "words": [],
    }


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("count", " 7 ", 7),
        ("ratio", "0.5", 0.5),
        ("ratio", "3", 3.0),
        ("flag", "True", True),
        ("flag", "off", False),
        ("colour", "red", "red"),
        ("words", "a, b,", ["a", "b"]),
        ("words", "", []),
    ],
)
def test_values(options: Options, name: str, text: str, value: object) -> None:
    found = options.read({name: text})[name]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("count", "0"),
        ("count", "10"),
        ("count", "1.5"),
        ("count", "many"),
        ("ratio", "nan"),
        ("ratio", "inf"),
        ("ratio", "-1"),
        ("flag", "maybe"),
        ("colour", "green"),
        ("words", "a,c"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(
    options: Options, name: str, text: str
) -> None:
    with pytest.raises(InvalidOption, match=name):
        options.read({name: text})
    default = SCHEMA["properties"][name].get("default")
    assert options.read({name: text}, strict=False)[name] == default
