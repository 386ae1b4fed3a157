"""JSON patch, by itself (contract 1.9, D6, D7)."""

from typing import Any

import pytest

from magnum.api import json_patch
from magnum.api.json_patch import Rules
from magnum.api.schemas.base import LABELS, Schema, boolean, integer, text
from magnum.common import errors

RULES = Rules(
    schema=Schema(
        {
            "name": text(),
            "coe": text(),
            "size": integer(1, 10),
            "public": boolean(),
            "labels": LABELS,
        }
    ),
    internal=frozenset({"stack_id"}),
    mandatory=frozenset({"coe"}),
    defaults={"public": False, "labels": {}},
)
CURRENT = {
    "uuid": "u",
    "name": "n",
    "coe": "swarm",
    "size": None,
    "public": True,
    "labels": {"a": "1", "b": "2"},
    "stack_id": None,
}


def patched(*operations: dict[str, Any]) -> dict[str, Any]:
    """What changes, attribute to new value."""
    changes = json_patch.read(list(operations))
    return {name: value for name, (value, _) in json_patch.apply(changes, CURRENT, RULES).items()}


def refused(*operations: dict[str, Any]) -> str:
    """The field that the error names."""
    with pytest.raises(errors.InvalidField) as caught:
        patched(*operations)
    assert caught.value.field is not None
    return caught.value.field


def replace(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def test_nothing_changes_nothing() -> None:
    assert json_patch.read(None) == ()
    assert patched() == {}
    assert patched(replace("/name", "n"), replace("/labels", {"b": 2, "a": 1})) == {}


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, ""),
        ("text", ""),
        ([5], "/0"),
        ([{"op": "replace", "path": "/name", "value": "x"}, {"path": "/name"}], "/1/op"),
        ([{"op": "move", "from": "/name", "path": "/coe"}], "/0/op"),
        ([{"op": "test", "path": "/name", "value": "n"}], "/0/op"),
        ([{"op": "copy", "path": "/name"}], "/0/op"),
        ([{"op": "replace", "value": "x"}], "/0/path"),
        ([{"op": "replace", "path": "/name"}], "/0/value"),
        ([{"op": "add", "path": "/name", "value": None}], "/0/value"),
        ([{"op": "remove", "path": "/name", "why": 1}], "/0/why"),
        ([{"op": "remove", "path": "name"}], "/0/path"),
        ([{"op": "remove", "path": "/"}], "/0/path"),
        ([{"op": "remove", "path": "/na me"}], "/0/path"),
        ([{"op": "remove", "path": "/name\n"}], "/0/path"),
        ([{"op": "remove", "path": 5}], "/0/path"),
        ([{"op": "replace", "path": "/name", "value": "\x00"}], "/0/value"),
    ],
)
def test_what_is_no_patch_is_refused(document: Any, field: str) -> None:
    with pytest.raises(errors.InvalidField) as caught:
        json_patch.read(document)
    assert caught.value.field == field


def test_values_are_set_and_taken_away() -> None:
    assert patched(replace("/name", "x")) == {"name": "x"}
    assert patched({"op": "add", "path": "/size", "value": 3}) == {"size": 3}
    assert patched({"op": "remove", "path": "/name"}) == {"name": None}
    assert patched({"op": "remove", "path": "/public"}) == {"public": False}
    assert patched({"op": "remove", "path": "/labels"}) == {"labels": {}}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("/size", "7", 7),
        ("/size", " 7 ", 7),
        ("/size", 7.0, 7),
        ("/public", "False", False),
        ("/public", "off", False),
        ("/public", 0, False),
        ("/public", "n", False),
    ],
)
def test_values_may_be_text(path: str, value: Any, expected: Any) -> None:
    assert patched(replace(path, value)) == {path[1:]: expected}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/size", "seven"),
        ("/size", "0"),
        ("/size", 11),
        ("/size", 1.5),
        ("/size", True),
        ("/size", ""),
        ("/size", {"a": 1}),
        ("/public", "perhaps"),
        ("/public", 2),
        ("/name", ""),
        ("/name", 5),
        ("/name", "x" * 256),
        ("/labels", 5),
        ("/labels", {"a": None}),
        ("/labels", {"a": {"b": "c"}}),
        ("/labels", {"": "x"}),
    ],
)
def test_a_bad_value_is_pointed_at(path: str, value: Any) -> None:
    assert refused(replace(path, value)).startswith("/0/value")


def test_the_later_operation_is_pointed_at() -> None:
    assert refused(replace("/name", "x"), replace("/size", 99)) == "/1/value"


def test_add_is_for_what_has_no_value() -> None:
    assert refused({"op": "add", "path": "/name", "value": "x"}) == "/0/path"
    assert refused({"op": "add", "path": "/nothing", "value": "x"}) == "/0/path"
    removed = {"op": "remove", "path": "/labels"}
    added = {"op": "add", "path": "/labels", "value": {"c": 1}}
    assert patched(removed, added) == {"labels": {"c": "1"}}


@pytest.mark.parametrize("name", sorted(json_patch.FIXED | {"stack_id", "nothing"}))
@pytest.mark.parametrize("op", ["add", "replace", "remove"])
def test_what_nobody_may_touch(name: str, op: str) -> None:
    value = {} if op == "remove" else {"value": "x"}
    assert refused({"op": op, "path": f"/{name}", **value}) == "/0/path"


def test_mandatory_attributes_stay() -> None:
    assert refused({"op": "remove", "path": "/coe"}) == "/0/path"


def test_labels_one_by_one() -> None:
    assert patched({"op": "add", "path": "/labels/c", "value": 3}) == {
        "labels": {"a": "1", "b": "2", "c": "3"}
    }
    assert patched({"op": "add", "path": "/labels/a", "value": "x"}) == {
        "labels": {"a": "x", "b": "2"}
    }
    assert patched({"op": "remove", "path": "/labels/a"}) == {"labels": {"b": "2"}}
    assert patched({"op": "add", "path": "/labels/x.y", "value": True}) == {
        "labels": {"a": "1", "b": "2", "x.y": "True"}
    }
    assert refused({"op": "remove", "path": "/labels/c"}) == "/0/path"
    assert refused(replace("/labels/c", "x")) == "/0/path"
    assert refused(replace("/labels/a/b", "x")) == "/0/path"
    assert refused(replace("/name/a", "x")) == "/0/path"
    assert refused(replace("/labels/a", ["x"])).startswith("/0/value")


def test_a_label_may_be_added_where_there_are_none() -> None:
    changes = json_patch.read([{"op": "add", "path": "/labels/a", "value": "x"}])
    changed = json_patch.apply(changes, {**CURRENT, "labels": None}, RULES)
    assert changed["labels"][0] == {"a": "x"}


@pytest.mark.parametrize(
    "value",
    [
        {"a": "x", "c": "1"},
        {"a": "x", "c": 1},
        '{"a": "x", "c": 1}',
        "{'a': 'x', 'c': '1'}",
        "a=x,c=1",
        " a = x , c=1",
    ],
)
def test_labels_come_in_many_forms(value: Any) -> None:
    assert patched(replace("/labels", value)) == {"labels": {"a": "x", "c": "1"}}


def test_the_value_of_a_pair_may_have_an_equals_sign_or_be_empty() -> None:
    assert json_patch.labels_of("a=b=c,d=") == {"a": "b=c", "d": ""}


@pytest.mark.parametrize(
    "value",
    [
        "",
        "rubbish",
        "a",
        "=b",
        "{1: 2}",
        "[1]",
        "5",
        "None",
        "{'a'",
        "(" * 5000,
        '{"a": "\\u0000"}',
    ],
)
def test_labels_that_cannot_be_read(value: str) -> None:
    assert refused(replace("/labels", value)) == "/0/value"
