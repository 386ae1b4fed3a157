"""Operations and events on every database, with a conductor that is stepped by hand."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnum.db import history
from magnum.tests import engine
from magnum.tests.api import Client, SwarmDriver, a_bay, a_model, operations_of, replace, shown
from magnum.tests.malformed import EXAMPLES, HISTORY, OPERATION, QUERY, check


def work() -> None:
    """Have everything done that is asked for."""
    engine.run_all(engine.a_worker(SwarmDriver()))


def resize(client: Client, bay: str, count: int) -> str | None:
    answer = client("PATCH", f"/v1/bays/{bay}", replace("/node_count", count), status=202)
    operation: str | None = answer.json["operation"]
    return operation


def listed(client: Client, path: str) -> list[dict[str, Any]]:
    (items,) = [
        value for key, value in client("GET", path, status=200).json.items() if key != "next"
    ]
    return list(items)


def test_a_life_as_its_owner_follows_it(demo: Client, member_of: Callable[[str], Client]) -> None:
    other = member_of("p2")
    bay = a_bay(demo)
    assert shown(demo, bay)["operation"]["state"] == "PENDING"
    first, second = resize(demo, bay, 2), resize(demo, bay, 3)
    assert second is not None
    assert resize(demo, bay, 3) is None
    demo("DELETE", f"/v1/operations/{second}", status=204)
    demo("DELETE", f"/v1/operations/{second}", status=409)
    assert shown(demo, bay)["node_count"] == 2
    work()
    found = shown(demo, bay)
    assert (found["status"], found["operation"], found["stale"]) == ("UPDATE_COMPLETE", None, False)
    assert (found["generation"], found["observed_generation"]) == (2, 2)

    demo("DELETE", f"/v1/bays/{bay}?force=true", status=204)
    work()
    demo("GET", f"/v1/bays/{bay}", status=404)
    for collection, key in (("bays", "bay_id"), ("clusters", "cluster_id")):
        operations = listed(demo, f"/v1/{collection}/{bay}/operations")
        assert [(one["verb"], one["state"]) for one in operations] == [
            ("create", "DONE"),
            ("update", "DONE"),
            ("update", "CANCELLED"),
            ("delete", "DONE"),
        ]
        assert {one[key] for one in operations} == {bay}
        assert all(one["finished_at"].endswith("+00:00") for one in operations)
        events = listed(demo, f"/v1/{collection}/{bay}/events")
        codes = [event["code"] for event in events]
        assert codes == [*["ACCEPTED"] * 3, "CANCELLED", "DONE", "DONE", "ACCEPTED", "DONE"]
        for noun in ("operations", "events"):
            other("GET", f"/v1/{collection}/{bay}/{noun}", status=404)
    codes = [event["code"] for event in listed(demo, f"/v1/operations/{first}/events")]
    assert codes == ["ACCEPTED", "DONE"]
    for method in ("GET", "DELETE"):
        other(method, f"/v1/operations/{first}", status=404)


def paged(client: Client, path: str, key: str) -> list[str]:
    """A list by pages of two."""
    found: list[str] = []
    while page := listed(client, f"{path}&limit=2" + (f"&marker={found[-1]}" if found else "")):
        found += [item[key] for item in page]
    return found


def test_pages_by_every_key(demo: Client) -> None:
    bay = a_bay(demo)
    work()
    for count in (2, 3, 4, 5):
        resize(demo, bay, count)
    for key in sorted(history.OPERATION_SORT_KEYS):
        path = f"/v1/bays/{bay}/operations?sort_key={key}"
        whole = [item["uuid"] for item in listed(demo, path)]
        assert len(whole) == 5
        assert paged(demo, path, "uuid") == whole
        assert paged(demo, f"{path}&sort_dir=desc", "uuid") == whole[::-1]
    path = f"/v1/bays/{bay}/events?sort_dir="
    whole = [item["id"] for item in listed(demo, path + "asc")]
    assert len(whole) == 6
    assert paged(demo, path + "asc", "id") == whole
    assert paged(demo, path + "desc", "id") == whole[::-1]


@pytest.fixture
def bay(demo: Client) -> str:
    """The uuid of a bay whose creation and change have not begun."""
    uuid = a_bay(demo, baymodel_id=a_model(demo)["uuid"])
    resize(demo, uuid, 2)
    return uuid


def test_few_statements(demo: Client, bay: str) -> None:
    for path, most in (
        (f"bays/{bay}", 2),
        ("bays/bay", 2),
        (f"bays/{bay}/operations", 2),
        (f"bays/{bay}/operations?marker={operations_of(bay)[0]}", 3),
        (f"bays/{bay}/events?marker=1", 2),
        (f"operations/{operations_of(bay)[0]}", 1),
        (f"operations/{operations_of(bay)[0]}/events", 2),
    ):
        with engine.statements() as sent:
            demo("GET", f"/v1/{path}", status=200)
        assert len(sent) <= most, path


@EXAMPLES
@given(query=QUERY, path=st.sampled_from([*HISTORY, *OPERATION]))
def test_any_query(demo: Client, bay: str, query: str, path: str) -> None:
    ident = operations_of(bay)[0] if path in OPERATION else bay
    check(demo("GET", f"/v1/{path.format(ident)}?{query}"))


@EXAMPLES
@given(
    ident=st.text(max_size=40).filter(lambda text: "/" not in text),
    path=st.sampled_from([*HISTORY, *OPERATION]),
)
def test_any_name(demo: Client, bay: str, ident: str, path: str) -> None:
    where = path.format(quote(ident, safe="", errors="ignore"))
    answer = demo("GET", f"/v1/{where}")
    assert answer.status_int in (200, 404), answer.text


def test_what_is_not_there(demo: Client, bay: str) -> None:
    for ident in (str(uuid4()), "nothing", "x" * 300, quote("模型")):
        for path in (*HISTORY, *OPERATION):
            demo("GET", f"/v1/{path.format(ident)}", status=404)
