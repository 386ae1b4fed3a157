"""Hundreds of malformed requests: none is a fault of ours, and a refused body is told where it is wrong (D14)."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from webtest import TestResponse

from magnum.api.schemas import baymodels, bays
from magnum.api.spelling import BAYS
from magnum.tests.api import MODEL, Client, a_bay, a_model

EXAMPLES = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

TEXT = st.text(max_size=20) | st.sampled_from(
    [
        *("", " ", "0", "-1", "1e9", "true", "None", "null", "{}", "[]", "\x00", "\ud800", "a\n"),
        *("../..", "%s", "{0}", "'; DROP TABLE bay; --", "x" * 300, "\u0661", "{'a': '1'}", "a=b"),
    ]
)
NUMBERS = (
    st.integers() | st.floats(allow_nan=False) | st.sampled_from([0, -1, 2**31, 2**63, 10**400])
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)

BAYMODEL = list(baymodels.CREATE.properties)
BAY = list(bays.of(BAYS).create.properties)


def spoiled(names: list[str], good: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A good body with some fields made something else, some unknown ones, some gone."""
    changes = st.dictionaries(st.sampled_from(names) | TEXT, JSON, min_size=1, max_size=4)
    gone = st.sets(st.sampled_from(sorted(good)), max_size=1)
    return st.builds(
        lambda change, absent: {k: v for k, v in {**good, **change}.items() if k not in absent},
        changes,
        gone,
    )


def patches(names: list[str]) -> st.SearchStrategy[Any]:
    """Something like a JSON patch."""
    paths = (
        st.sampled_from([f"/{name}" for name in [*names, "labels/a", "uuid", "stack_id"]]) | TEXT
    )
    operation = st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "replace", "remove", "move", "test"]), "path": paths},
        optional={"value": JSON, "from": paths},
    )
    return st.lists(operation | JSON, max_size=4) | JSON


def check(answer: TestResponse) -> None:
    """No fault; and what is wrong with a body is pointed at."""
    assert answer.status_int < 500, answer.text
    assert answer.headers["X-Openstack-Request-Id"].startswith("req-")
    if answer.status_int < 400:
        return
    (error,) = answer.json["errors"]
    assert error["status"] == answer.status_int
    assert error["title"]
    if answer.status_int == 400 and error["reason"] != "IN_USE":
        assert isinstance(error["field"], str), error


@EXAMPLES
@given(body=spoiled(BAYMODEL, MODEL))
def test_creating_baymodels(demo: Client, body: dict[str, Any]) -> None:
    check(demo("POST", "/v1/baymodels", body))


@pytest.fixture
def model(demo: Client) -> str:
    uuid: str = a_model(demo, labels={"a": "1"})["uuid"]
    return uuid


@EXAMPLES
@given(body=spoiled(BAY, {"name": "bay", "baymodel_id": "model"}))
def test_creating_bays(demo: Client, model: str, body: dict[str, Any]) -> None:
    check(demo("POST", "/v1/bays", body))


@EXAMPLES
@given(body=patches(BAYMODEL))
def test_changing_baymodels(demo: Client, model: str, body: Any) -> None:
    check(demo("PATCH", f"/v1/baymodels/{model}", body))


@EXAMPLES
@given(body=patches(BAY))
def test_changing_bays(demo: Client, body: Any) -> None:
    found = demo("GET", "/v1/bays").json["bays"]
    uuid = found[0]["uuid"] if found else a_bay(demo)
    check(demo("PATCH", f"/v1/bays/{uuid}", body))


@EXAMPLES
@given(
    body=st.binary(max_size=50) | JSON,
    method=st.sampled_from(["POST", "PATCH", "DELETE", "PUT", "GET", "OPTIONS"]),
    path=st.sampled_from(["", "/", "/detail", "/x", "/x/y"]),
    collection=st.sampled_from(["bays", "baymodels"]),
)
def test_any_body_on_any_route(
    demo: Client, body: Any, method: str, path: str, collection: str
) -> None:
    answer = demo(method, f"/v1/{collection}{path}", body)
    assert answer.status_int < 500, answer.text


QUERY = st.text(
    alphabet=st.sampled_from("limitmarkersort_keydir=&%0123456789-+;abc\u00ff"), max_size=30
) | st.builds(
    lambda key, value: f"{key}={value}",
    st.sampled_from(["limit", "marker", "sort_key", "sort_dir", "rollback"]),
    st.sampled_from(["", "0", "1", "id", "name", "status", "desc", "asc", "-1", "%ff", "%00"]),
)


@EXAMPLES
@given(query=QUERY, collection=st.sampled_from(["bays", "baymodels", "bays/detail"]))
def test_any_query(demo: Client, query: str, collection: str) -> None:
    answer = demo("GET", f"/v1/{collection}?{query}")
    assert answer.status_int in (200, 400, 404), answer.text


@EXAMPLES
@given(
    segments=st.lists(st.text(max_size=10), max_size=4),
    method=st.sampled_from(["GET", "DELETE", "PATCH", "POST"]),
)
def test_any_path(demo: Client, segments: list[str], method: str) -> None:
    from urllib.parse import quote

    path = "/".join(quote(segment, safe="", errors="ignore") for segment in segments)
    assert demo(method, f"/v1/bays/{path}").status_int < 500


HEADER = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=255), max_size=30)


@EXAMPLES
@given(version=HEADER, accept=HEADER, kind=HEADER)
def test_any_header(demo: Client, version: str, accept: str, kind: str) -> None:
    headers = {"Accept": accept, "Content-Type": kind}
    answer = demo("POST", "/v1/bays", "{}", version=version, headers=headers)
    assert answer.status_int in (400, 406, 415), answer.text
