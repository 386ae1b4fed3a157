"""Hundreds of malformed requests: none is a fault of ours, and a refused body is told where it is wrong (D14)."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnum.tests.api import MODEL, Client, a_bay, a_model, operations_of
from magnum.tests.malformed import (
    BAY,
    BAYMODEL,
    EXAMPLES,
    HISTORY,
    JSON,
    OPERATION,
    QUERY,
    check,
    patches,
    spoiled,
)


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


@EXAMPLES
@given(query=QUERY, collection=st.sampled_from(["bays", "baymodels", "bays/detail"]))
def test_any_query(demo: Client, query: str, collection: str) -> None:
    answer = demo("GET", f"/v1/{collection}?{query}")
    assert answer.status_int in (200, 400, 404), answer.text


@pytest.fixture
def bay(demo: Client) -> str:
    return a_bay(demo)


@EXAMPLES
@given(query=QUERY, path=st.sampled_from([*HISTORY, *OPERATION]))
def test_any_query_about_a_history(demo: Client, bay: str, query: str, path: str) -> None:
    ident = operations_of(bay)[0] if path in OPERATION else bay
    answer = demo("GET", f"/v1/{path.format(ident)}?{query}")
    assert answer.status_int in (200, 400, 404), answer.text
    check(answer)


@EXAMPLES
@given(
    query=QUERY,
    body=st.binary(max_size=50) | JSON,
    method=st.sampled_from(["POST", "PATCH", "DELETE", "PUT", "GET", "OPTIONS"]),
    path=st.sampled_from([*HISTORY, *OPERATION, "operations"]),
    segment=st.text(max_size=10),
)
def test_anything_about_a_history(
    demo: Client, query: str, body: Any, method: str, path: str, segment: str
) -> None:
    path = path.format(quote(segment, safe="", errors="ignore"))
    answer = demo(method, f"/v1/{path}?{query}", body)
    assert 400 <= answer.status_int < 500, answer.text


@EXAMPLES
@given(query=QUERY, body=st.binary(max_size=50) | JSON)
def test_deleting(demo: Client, bay: str, query: str, body: Any) -> None:
    for path in (f"bays/{bay}", f"operations/{operations_of(bay)[0]}"):
        check(demo("DELETE", f"/v1/{path}?{query}", body))


@EXAMPLES
@given(
    segments=st.lists(st.text(max_size=10), max_size=4),
    method=st.sampled_from(["GET", "DELETE", "PATCH", "POST"]),
)
def test_any_path(demo: Client, segments: list[str], method: str) -> None:
    path = "/".join(quote(segment, safe="", errors="ignore") for segment in segments)
    assert demo(method, f"/v1/bays/{path}").status_int < 500


HEADER = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=255), max_size=30)


@EXAMPLES
@given(version=HEADER, accept=HEADER, kind=HEADER)
def test_any_header(demo: Client, version: str, accept: str, kind: str) -> None:
    headers = {"Accept": accept, "Content-Type": kind}
    answer = demo("POST", "/v1/bays", "{}", version=version, headers=headers)
    assert answer.status_int in (400, 406, 415), answer.text
