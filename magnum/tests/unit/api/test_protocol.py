"""Types of bodies and answers, request ids, the shape of errors (contract 1.3 to 1.5)."""

import re
from collections.abc import Iterable
from typing import Any

import pytest
from oslo_db import exception as db_exception

from magnum.api.middleware.faults import Faults
from magnum.api.middleware.request_id import RequestId
from magnum.common import errors
from magnum.tests.api import Client, Settings, a_bay

REQUEST_ID = "X-Openstack-Request-Id"


@pytest.mark.parametrize(
    "accept",
    [None, "", "*/*", "application/json", "application/*", "text/html, */*;q=0.1", "rubbish;;"],
)
def test_json_is_answered(demo: Client, accept: str | None) -> None:
    headers = {} if accept is None else {"Accept": accept}
    answer = demo("GET", "/v1/bays", headers=headers, status=200)
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml", "text/html,text/plain", "application/json;q=0"]
)
@pytest.mark.parametrize("path", ["/", "/v1/bays"])
def test_other_answers_there_are_none(demo: Client, accept: str, path: str) -> None:
    error = demo.error("GET", path, headers={"Accept": accept}, status=406)
    assert error["code"] == ""


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/octet-stream", "application/x-www-form-urlencoded"]
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_body_of_another_type_is_415(demo: Client, method: str, kind: str) -> None:
    path = "/v1/bays" if method == "POST" else f"/v1/bays/{a_bay(demo)}"
    error = demo.error(method, path, "a=b", headers={"Content-Type": kind}, status=415)
    assert error["code"] == ""


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "application/json-patch+json", "APPLICATION/JSON"]
)
def test_other_names_of_json_are_read(demo: Client, kind: str) -> None:
    demo("PATCH", f"/v1/bays/{a_bay(demo)}", "[]", headers={"Content-Type": kind}, status=202)


@pytest.mark.parametrize("kind", ["application/octet-stream", "application/json", "text/plain"])
def test_without_a_body_its_type_says_nothing(demo: Client, kind: str) -> None:
    demo("DELETE", f"/v1/bays/{a_bay(demo)}", headers={"Content-Type": kind}, status=204)


@pytest.mark.parametrize(
    "body",
    ["{", "nonsense", '{"name": NaN}', '{"name": Infinity}', b"\xff\xfe{", "[" * 100_000, b"\x00"],
)
def test_what_is_not_json_is_400(demo: Client, body: str | bytes) -> None:
    error = demo.error("POST", "/v1/bays", body, status=400)
    assert error["code"] == "client"
    assert error["reason"] == "MALFORMED_BODY"


def test_no_body_where_one_is_needed_is_400(demo: Client) -> None:
    assert demo.error("POST", "/v1/bays", status=400)["field"] == ""


@pytest.mark.parametrize("body", ["[]", '"text"', "5", "null", "true"])
def test_json_that_is_no_object_is_400(demo: Client, body: str) -> None:
    assert demo.error("POST", "/v1/bays", body, status=400)["field"] == ""


def test_a_body_that_is_too_long_is_refused(demo: Client, config: Settings) -> None:
    config("api", max_request_body_size=2000)
    demo("POST", "/v1/baymodels", '{"name": "' + "x" * 2000 + '"}', status=413)


def test_every_answer_has_an_id_of_its_own(demo: Client) -> None:
    ids = [demo("GET", path).headers[REQUEST_ID] for path in ("/", "/v1/bays", "/v1/bays/x")]
    assert all(re.fullmatch(r"req-[0-9a-f-]{36}", found) for found in ids)
    assert len(set(ids)) == 3


def test_the_error_names_the_request(demo: Client) -> None:
    answer = demo("GET", "/v1/bays/x", status=404)
    assert answer.json["errors"][0]["request_id"] == answer.headers[REQUEST_ID]


def test_the_id_of_the_service_before_us_is_kept() -> None:
    seen: dict[str, Any] = {}

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        seen.update(environ)
        return []

    theirs = "req-0f0f0f0f-1111-2222-3333-444444444444"
    RequestId(app)({"HTTP_X_OPENSTACK_REQUEST_ID": theirs}, lambda *_: lambda _: None)
    assert seen["openstack.global_request_id"] == theirs
    assert seen["openstack.request_id"] != theirs

    seen.clear()
    RequestId(app)({"HTTP_X_OPENSTACK_REQUEST_ID": "req-x\n evil"}, lambda *_: lambda _: None)
    assert "openstack.global_request_id" not in seen


def test_the_shape_of_an_error(demo: Client) -> None:
    error = demo.error("GET", "/v1/bays/no-such.bay", status=404)
    assert error == {
        "request_id": error["request_id"],
        "code": "client",
        "status": 404,
        "title": "Bay no-such",
        "detail": "Bay no-such.bay could not be found.",
        "links": [],
        "reason": "BAY_NOT_FOUND",
    }


def _failing(error: Exception) -> dict[str, Any]:
    """What the fault wrapper answers when this is raised."""
    from webtest import TestApp

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        raise error

    answer = TestApp(Faults(app)).get("/", expect_errors=True)
    found: dict[str, Any] = answer.json["errors"][0]
    return found


def test_a_fault_of_ours_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    error = _failing(RuntimeError("the secret is 42"))
    assert error["status"] == 500
    assert error["code"] == "server"
    assert "secret" not in str(error)
    assert "the secret is 42" in caplog.text


def test_a_database_that_does_not_answer_is_503() -> None:
    assert _failing(db_exception.DBConnectionError())["status"] == 503


def test_the_operators_text_stays_with_the_operator(caplog: pytest.LogCaptureFixture) -> None:
    error = _failing(errors.Unavailable("Try again later.", "glance at 10.0.0.1 is down"))
    assert error["status"] == 503
    assert "10.0.0.1" not in str(error)
    assert "10.0.0.1" in caplog.text


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("nothing=1", "nothing"),
        ("limit=1&limit=2", "limit"),
        ("limit=%ff", ""),
        ("marker=a%00", "marker"),
        ("%00=1", "\\x00"),
        ("&".join(f"a{i}=1" for i in range(50)), ""),
    ],
)
def test_arguments_are_known_and_given_once(demo: Client, query: str, field: str) -> None:
    assert demo.error("GET", f"/v1/bays?{query}", status=400)["field"] == field


@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH"])
@pytest.mark.parametrize("collection", ["bays", "baymodels"])
def test_one_thing_takes_no_arguments(demo: Client, method: str, collection: str) -> None:
    error = demo.error(method, f"/v1/{collection}/x?purge=true", status=400)
    assert error["field"] == "purge"
