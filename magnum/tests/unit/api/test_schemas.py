"""Reading documents: the lenient part, the strict part, and the pointer (contract 1.8, D6, D8)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from magnum.api import json_patch
from magnum.api.microversions import MAXIMUM
from magnum.api.schemas import baymodels, bays
from magnum.api.schemas.base import (
    LABELS,
    LARGEST,
    Schema,
    boolean,
    integer,
    mandatory,
    pointer,
    text,
)
from magnum.api.spelling import BAYS, CLUSTERS
from magnum.common import errors

SCHEMA = Schema(
    {
        "id": mandatory(text()),
        "key": text(),
        "size": integer(1),
        "flag": boolean(),
        "labels": LABELS,
        "tags": text(shortest=0),
    },
    required=("id", "key"),
    read_only=("links",),
)
LEAST: dict[str, Any] = {"id": "x", "key": None}


def read(**fields: Any) -> dict[str, Any]:
    """What comes of these fields beside the mandatory ones."""
    found = SCHEMA.read({**LEAST, **fields})
    return {name: value for name, value in found.items() if name in fields}


def refused(document: Any) -> str:
    """The field that the error names."""
    with pytest.raises(errors.InvalidField) as caught:
        SCHEMA.read(document)
    assert caught.value.field is not None
    return caught.value.field


@pytest.mark.parametrize(
    "document",
    [
        json_patch.DOCUMENT,
        *(baymodels.create(words, MAXIMUM).document for words in (BAYS, CLUSTERS)),
        *(bays.create(words, MAXIMUM).document for words in (BAYS, CLUSTERS)),
    ],
)
def test_our_schemas_are_schemas(document: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(document)


@pytest.mark.parametrize("value", ["5", " 5", "+5", 5.0, 5])
def test_integers_may_be_text(value: Any) -> None:
    assert read(size=value) == {"size": 5}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["1", "t", "true", "y", "yes", "on", "True", "TRUE", "Yes", " on ", 1, True], True),
        (["0", "f", "false", "n", "no", "off", "False", "OFF", 0, False], False),
    ],
)
def test_truth_may_be_text(words: list[Any], expected: bool) -> None:
    for word in words:
        assert read(flag=word)["flag"] is expected


def test_labels_become_text() -> None:
    labels = {"i": 1, "f": 1.5, "t": True, "s": "x"}
    assert read(labels=labels) == {"labels": {"i": "1", "f": "1.5", "t": "True", "s": "x"}}


def test_the_empty_text_is_not_given() -> None:
    assert read(size="", flag="", labels="") == {}
    assert read(key="") == {"key": None}
    assert read(tags="") == {"tags": ""}
    assert refused({"id": "", "key": None}) == "/id"


@pytest.mark.parametrize("name", ["key", "size", "flag", "tags"])
def test_null_is_accepted_where_there_is_a_default(name: str) -> None:
    assert read(**{name: None}) == {name: None}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"id": None}, "/id"),
        ({"id": 5}, "/id"),
        ({"id": ["x"]}, "/id"),
        ({"id": "x" * 256}, "/id"),
        ({"size": 0}, "/size"),
        ({"size": "x"}, "/size"),
        ({"size": 1.5}, "/size"),
        ({"size": True}, "/size"),
        ({"size": LARGEST + 1}, "/size"),
        ({"size": "1" * 5000}, "/size"),
        ({"size": "\u0665"}, "/size"),
        ({"flag": "perhaps"}, "/flag"),
        ({"flag": 2}, "/flag"),
        ({"labels": None}, "/labels"),
        ({"labels": {"k": None}}, "/labels/k"),
        ({"labels": {"k/~": {}}}, "/labels/k~1~0"),
        ({"labels": []}, "/labels"),
        ({"nothing": 1}, "/nothing"),
        ({"links": []}, "/links"),
        ({"id": "a\x00"}, "/id"),
        ({"id": "\ud800"}, "/id"),
        ({"labels": {"\x00": "x"}}, "/labels"),
        ({"labels": [[[[[[[[[[[[1]]]]]]]]]]]]}, "/labels/0/0/0/0/0/0/0/0/0/0"),
    ],
)
def test_what_is_refused_is_named(fields: dict[str, Any], field: str) -> None:
    assert refused({**LEAST, **fields}) == field


def test_what_is_missing_is_named() -> None:
    assert refused({"id": "x"}) == "/key"
    assert refused({}) == "/id"


@pytest.mark.parametrize("document", [None, [], "x", 5, True])
def test_a_document_is_an_object(document: Any) -> None:
    assert refused(document) == ""


def test_a_pointer_is_escaped() -> None:
    assert pointer(["a/b", 0, "~"]) == "/a~1b/0/~0"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_no_document_does_worse_than_be_refused(document: Any) -> None:
    try:
        read = SCHEMA.read(document)
    except errors.InvalidField as error:
        assert error.field is not None
    else:
        assert SCHEMA.read(read) == read
