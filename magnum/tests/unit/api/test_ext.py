"""Endpoints of drivers over the API: what is shown of them, what goes in, what comes out, and who may call them."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from magnum.common.context import service_context
from magnum.db import calls as store
from magnum.db import session
from magnum.db.models import Call
from magnum.drivers import catalogue
from magnum.drivers.contract import Endpoint
from magnum.drivers.noop_v1.driver import Driver as NoopDriver
from magnum.tests.api import (
    BEFORE_OPERATIONS,
    Client,
    Settings,
    a_bay,
    a_model,
    set_rule,
)
from magnum.tests.calls import SECRET, AskedDriver, answering, key_ring


@pytest.fixture(autouse=True)
def asked(
    database: None, config: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A driver with endpoints, the tutorial's, and a conductor that answers."""
    config("certificates", key_ring=str(key_ring(tmp_path / "keys")))
    drivers = (AskedDriver(), NoopDriver())
    known = catalogue.Catalogue(drivers)
    monkeypatch.setattr(catalogue, "catalogue", lambda: known)
    with answering(*drivers):
        yield


@pytest.fixture
def drivers() -> None:
    """Not those of the other tests."""


def at(bay: str, name: str = "", driver: str = "swarm_test_v1") -> str:
    return f"/v1/bays/{bay}/ext/{driver}/{name}"


def rows() -> int:
    with session.reader(service_context()) as db:
        return db.scalar(select(func.count()).select_from(Call)) or 0


def test_what_a_driver_offers_is_described(demo: Client, reader: Client) -> None:
    bay = a_bay(demo)
    for collection in ("bays", "clusters"):
        listed = reader("GET", f"/v1/{collection}/bay/ext", status=200).json["endpoints"]
        info = listed[0]
        assert info["path"] == f"/{collection}/{bay}/ext/swarm_test_v1/info"
        assert info["links"][0]["href"].endswith("/v1" + info["path"])
        assert (info["method"], info["who"], info["secret"]) == ("GET", "reader", False)
        assert info["help"] == "See what came in."
        assert info["request"]["properties"]["count"]["minimum"] == 1
        assert info["response"] == {"type": "object"}
        assert len(listed) == len(AskedDriver.endpoints)


def test_before_the_version_that_has_it_there_is_nothing(demo: Client) -> None:
    bay = a_bay(demo)
    for path in (f"/v1/bays/{bay}/ext", at(bay, "info")):
        assert demo.error("GET", path, version=BEFORE_OPERATIONS, status=404)


def test_a_query_is_read_by_the_types_of_the_schema(demo: Client) -> None:
    bay = a_bay(demo)
    query = "count=3&ratio=0.5&flag=yes&words=a,b&name=7"
    answer = demo("GET", f"{at(bay, 'info')}?{query}", status=200)
    assert answer.json == {
        "bay": bay,
        "request": {"count": 3, "ratio": 0.5, "flag": True, "words": ["a", "b"], "name": "7"},
    }
    assert "Cache-Control" not in answer.headers
    assert rows() == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("count=0", "count"),
        ("count=x", "count"),
        ("flag=maybe", "flag"),
        ("words=a,bcdefg", "words/1"),
        ("other=1", "other"),
        ("count=1&count=2", "count"),
    ],
)
def test_a_query_that_does_not_fit_is_refused_by_name(demo: Client, query: str, field: str) -> None:
    error = demo.error("GET", f"{at(a_bay(demo), 'info')}?{query}", status=400)
    assert error["field"] == field


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"count": 0}, "/count"),
        ({"count": "3"}, "/count"),
        ({"words": ["a", 1]}, "/words/1"),
        ({"other": 1}, "/other"),
        ([], ""),
        ({"name": "\x00"}, "/name"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_by_name(demo: Client, body: Any, field: str) -> None:
    error = demo.error("POST", at(a_bay(demo), "echo"), body, status=400)
    assert error["field"] == field


def test_a_body_goes_through_as_it_is_and_may_be_missing(demo: Client) -> None:
    bay = a_bay(demo)
    body = {"words": ["a"], "name": None, "ratio": 1}
    assert demo("POST", at(bay, "echo"), body, status=200).json["request"] == body
    assert demo("POST", at(bay, "echo"), status=200).json["request"] == {}


def test_another_drivers_or_no_endpoint_is_not_there(demo: Client) -> None:
    bay = a_bay(demo)
    for path in (at(bay, "info", "noop_v1"), at(bay, "none"), at(bay, "info", "none")):
        assert demo.error("GET", path, status=404)["reason"] == "ENDPOINT_NOT_FOUND"
    assert demo.error("POST", at(bay, "info"), status=405)
    assert demo("POST", at(bay, "info")).headers["Allow"] == "GET"


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("refuses", 400, "INVALID_OPTION"),
        ("away", 503, "CLOUD_UNAVAILABLE"),
        ("gone", 409, "STACK_GONE"),
        ("breaks", 502, "DRIVER_ERROR"),
        ("misfit", 502, "DRIVER_ERROR"),
        ("not-json", 502, "DRIVER_ERROR"),
        ("nothing", 502, "DRIVER_ERROR"),
    ],
)
def test_a_drivers_errors_have_a_code_and_no_traceback(
    demo: Client, caplog: pytest.LogCaptureFixture, name: str, status: int, code: str
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = demo("GET", at(a_bay(demo), name), status=status)
    assert answer.json["errors"][0]["reason"] == code
    assert SECRET not in answer.text + caplog.text
    assert "Traceback" not in answer.text
    assert rows() == 0
    if status == 502:
        assert any(record.levelname == "ERROR" for record in caplog.records)


def test_no_secret_is_logged_or_kept_in_clear(
    demo: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bay = a_bay(demo)
    answer = demo("POST", at(bay, "token"), status=200)
    assert answer.json == {"text": SECRET}
    assert answer.headers["Cache-Control"] == "no-store"
    error = demo.error("POST", at(bay, "token"), {"password": SECRET}, status=400)
    assert error["field"] == "/password"
    assert SECRET not in caplog.text


def test_what_lies_in_the_database_is_sealed(demo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[str] = []
    store_answer = store.store_answer

    def noted(context: Any, call_id: int, text: str) -> bool:
        with session.reader(context) as db:
            kept.append(db.scalar(select(Call.request).where(Call.id == call_id)) or "")
        kept.append(text)
        return store_answer(context, call_id, text)

    monkeypatch.setattr(store, "store_answer", noted)
    demo("POST", at(a_bay(demo), "echo"), {"words": ["plain"]}, status=200)
    assert len(kept) == 2
    assert not any("plain" in text or "words" in text for text in kept)


# --- who may ---------------------------------------------------------------------------------------------------------


def test_each_endpoint_has_a_rule_of_its_own(demo: Client, reader: Client, admin: Client) -> None:
    bay = a_bay(demo)
    reader("GET", at(bay, "info"), status=200)
    assert "ext:swarm_test_v1:echo" in reader.error("POST", at(bay, "echo"), status=403)["detail"]
    demo("POST", at(bay, "echo"), status=200)
    demo("POST", at(bay, "both"), status=403)
    reader("GET", at(bay, "both"), status=403)  # the stricter of its two
    admin("POST", at(bay, "both"), status=200)
    admin("GET", at(bay, "both"), status=200)


def test_the_operator_may_change_an_endpoints_rule(demo: Client, reader: Client) -> None:
    bay = a_bay(demo)
    set_rule("ext:swarm_test_v1:echo", "role:reader")
    set_rule("ext:swarm_test_v1:info", "role:admin")
    reader("POST", at(bay, "echo"), status=200)
    demo("GET", at(bay, "info"), status=403)


def test_a_new_version_of_a_driver_may_have_another_default(
    demo: Client, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    bay = a_bay(demo)
    reader("GET", at(bay, "info"), status=200)
    stricter = Endpoint("info", "Now for members.", AskedDriver.endpoints[0].handler)
    monkeypatch.setattr(AskedDriver, "endpoints", (stricter,))
    reader("GET", at(bay, "info"), status=403)
    demo("GET", at(bay, "info"), status=200)


# --- nobody there ----------------------------------------------------------------------------------------------------


def test_a_bay_without_its_driver_says_so(demo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    bay = a_bay(demo)
    nothing = catalogue.Catalogue()
    monkeypatch.setattr(catalogue, "catalogue", lambda: nothing)
    for path in (f"/v1/bays/{bay}/ext", at(bay, "info")):
        assert demo.error("GET", path, status=503)["reason"] == "DRIVER_MISSING"


def test_without_keys_nothing_is_asked(demo: Client, config: Settings, tmp_path: Path) -> None:
    bay = a_bay(demo)
    config("certificates", key_ring=str(tmp_path / "no-keys"))
    assert demo.error("GET", at(bay, "info"), status=503)["reason"] == "KEYS_NOT_SET_UP"
    assert rows() == 0


def test_the_tutorial_driver_answers(demo: Client) -> None:
    model = a_model(demo, coe="noop", cluster_distro=None)
    bay = a_bay(demo, baymodel_id=model["uuid"], node_count=2)
    info = demo("GET", at(bay, "info", "noop_v1"), status=200).json
    assert info == {"name": "bay", "nodes": 3, "driver_version": NoopDriver.version}
    body = {"text": "hello", "times": 2, "loud": True}
    assert demo("POST", at(bay, "echo", "noop_v1"), body, status=200).json == {
        "text": "HELLO HELLO"
    }
