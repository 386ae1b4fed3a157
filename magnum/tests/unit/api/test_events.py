"""Events: the timeline of a bay, paged by their numbers."""

from typing import Any
from uuid import uuid4

import pytest
from oslo_utils import timeutils
from sqlalchemy import delete, insert

from magnum.db import session
from magnum.db.models import Event
from magnum.tests.api import Client, a_bay, operations_of
from magnum.tests.unit.api.test_lists import statements
from magnum.tests.unit.api.test_operations import vanish


def happen(bay: str, *codes: str, operation: str | None = None, project: str = "p1") -> None:
    """Write events, as passes do."""
    same = {"bay_uuid": bay, "operation_uuid": operation, "project_id": project}
    rows = [{**same, "code": code, "created_at": timeutils.utcnow()} for code in codes]
    with session.engine().begin() as connection:
        connection.execute(insert(Event), rows)


def listed(client: Client, path: str) -> list[dict[str, Any]]:
    """What a list shows."""
    items: list[dict[str, Any]] = client("GET", path, status=200).json["events"]
    return items


def codes(client: Client, path: str) -> list[str]:
    return [event["code"] for event in listed(client, path)]


def test_one_line(demo: Client) -> None:
    bay = a_bay(demo)
    (event,) = listed(demo, f"/v1/bays/{bay}/events")
    (operation,) = operations_of(bay)
    assert event == {
        "id": event["id"],
        "bay_id": bay,
        "operation_id": operation,
        "code": "ACCEPTED",
        "text": "The request to create the bay was accepted.",
        "created_at": event["created_at"],
    }
    assert isinstance(event["id"], str)
    assert event["created_at"].endswith("+00:00")


def test_in_the_words_of_clusters(demo: Client) -> None:
    bay = a_bay(demo)
    body = demo("GET", f"/v1/clusters/{bay}/events?limit=1", status=200).json
    (event,) = body["events"]
    assert event["cluster_id"] == bay
    assert "bay_id" not in event
    assert body["next"].startswith(f"http://localhost/v1/clusters/{bay}/events?")


def test_the_oldest_stands_first(demo: Client) -> None:
    bay = a_bay(demo)
    happen(bay, "RETRYING", "RESUMED", "DONE")
    expected = ["ACCEPTED", "RETRYING", "RESUMED", "DONE"]
    for name in (bay, "bay"):
        assert codes(demo, f"/v1/bays/{name}/events") == expected
        assert codes(demo, f"/v1/bays/{name}/events?sort_dir=desc") == expected[::-1]


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_pages(demo: Client, direction: str) -> None:
    bay = a_bay(demo)
    happen(bay, "B", "C", "D")
    happen(a_bay(demo, name="another"), "X")
    happen(bay, "E", "F")
    seen: list[str] = []
    where = f"/v1/bays/{bay}/events?limit=2&sort_dir={direction}"
    pages = 0
    while where:
        body = demo("GET", where, status=200).json
        seen += [event["code"] for event in body["events"]]
        where = body.get("next", "").removeprefix("http://localhost")
        pages += 1
    expected = ["ACCEPTED", "B", "C", "D", "E", "F"]
    assert seen == (expected if direction == "asc" else expected[::-1])
    assert pages == 4


def test_who_follows_a_bay_asks_for_what_came_later(demo: Client) -> None:
    bay = a_bay(demo)
    (last,) = listed(demo, f"/v1/bays/{bay}/events")
    later = f"/v1/bays/{bay}/events?marker={last['id']}"
    assert codes(demo, later) == []
    happen(bay, "DONE")
    with session.engine().begin() as connection:
        connection.execute(delete(Event).where(Event.id == int(last["id"])))
    assert codes(demo, later) == ["DONE"]


def test_a_part_of_it_is_about_one_operation(demo: Client, other: Client) -> None:
    bay = a_bay(demo)
    (operation,) = operations_of(bay)
    happen(bay, "OF_ANOTHER", operation=str(uuid4()))
    happen(bay, "DONE", operation=operation)
    path = f"/v1/operations/{operation}/events"
    assert codes(demo, path) == ["ACCEPTED", "DONE"]
    body = demo("GET", f"{path}?limit=1", status=200).json
    assert [event["code"] for event in body["events"]] == ["ACCEPTED"]
    assert codes(demo, body["next"].removeprefix("http://localhost")) == ["DONE"]
    other("GET", path, status=404)


def test_it_outlives_the_bay(demo: Client, other: Client, admin: Client) -> None:
    bay = a_bay(demo)
    happen(bay, "DONE")
    vanish(bay)
    path = f"/v1/bays/{bay}/events"
    for client in (demo, admin):
        assert codes(client, path) == ["ACCEPTED", "DONE"]
    other("GET", path, status=404)
    demo("GET", "/v1/bays/bay/events", status=404)
    demo("GET", f"/v1/bays/{uuid4()}/events", status=404)


def test_a_list_costs_two_statements_whatever_its_length(demo: Client) -> None:
    bay = a_bay(demo)
    happen(bay, *(f"E{number}" for number in range(200)))
    (first, *_) = listed(demo, f"/v1/bays/{bay}/events?limit=1")
    for query in ("?limit=1", "", f"?marker={first['id']}"):
        with statements() as sent:
            listed(demo, f"/v1/bays/{bay}/events{query}")
        assert len(sent) == 2


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=x", "limit"),
        ("marker=x", "marker"),
        ("marker=", "marker"),
        ("marker=-1", "marker"),
        ("marker=\u0661", "marker"),
        ("marker=f0f0f0f0-0000-4000-8000-000000000000", "marker"),
        ("marker=" + "9" * 19, "marker"),
        ("sort_key=code", "sort_key"),
        ("sort_dir=up", "sort_dir"),
        ("code=DONE", "code"),
    ],
)
def test_a_bad_argument_is_named(demo: Client, query: str, field: str) -> None:
    bay = a_bay(demo)
    for path in (f"bays/{bay}/events", f"operations/{operations_of(bay)[0]}/events"):
        assert demo.error("GET", f"/v1/{path}?{query}", status=400)["field"] == field


def test_any_number_is_a_place(demo: Client) -> None:
    bay = a_bay(demo)
    assert codes(demo, f"/v1/bays/{bay}/events?marker=0") == ["ACCEPTED"]
    assert codes(demo, f"/v1/bays/{bay}/events?marker={'9' * 18}") == []
