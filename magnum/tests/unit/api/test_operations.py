"""Operations: lists of a bay's, one of them, and taking one back."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete

from magnum.db import session
from magnum.db.models import Bay, NodeGroup
from magnum.lifecycle.failures import advice
from magnum.tests.api import Client, a_bay, a_model, operations_of, replace, settle, shown, stands
from magnum.tests.unit.api.test_lists import statements

FIELDS = {
    *("uuid", "bay_id", "project_id", "user_id", "request_id", "verb", "parameters"),
    *("state", "stage", "done", "total", "attempts", "generation", "error", "faults"),
    *("leftovers", "created_at", "started_at", "finished_at", "deadline", "next_look_at"),
    "links",
}
FAULT = {"resource": "w / 1", "type": "OS::Nova::Server", "text": "no host", "request_id": "r-9"}
LEFTOVER = {"service": "compute", "kind": "server", "ident": "i", "name": "node"}


def vanish(bay: str) -> None:
    """Take a bay away, as the end of its deletion does."""
    with session.engine().begin() as connection:
        connection.execute(delete(NodeGroup).where(NodeGroup.bay_id == bay))
        connection.execute(delete(Bay).where(Bay.uuid == bay))


def changed(client: Client, bay: str, count: int) -> str:
    """Ask for a number of nodes. Returns the operation."""
    answer = client("PATCH", f"/v1/bays/{bay}", replace("/node_count", count), status=202)
    made: str = answer.json["operation"]
    return made


def of(client: Client, operation: str) -> dict[str, Any]:
    """The operation as a caller sees it."""
    found: dict[str, Any] = client("GET", f"/v1/operations/{operation}", status=200).json
    return found


def listed(client: Client, path: str) -> list[str]:
    """Uuids that a list shows."""
    return [item["uuid"] for item in client("GET", path, status=200).json["operations"]]


def test_one_that_nobody_has_begun(demo: Client) -> None:
    answer = demo("POST", "/v1/bays", {"baymodel_id": a_model(demo)["uuid"]}, status=202)
    bay = answer.json["uuid"]
    operation = of(demo, answer.json["operation"])
    assert set(operation) == FIELDS
    expected = {
        "uuid": answer.json["operation"],
        "bay_id": bay,
        "project_id": "p1",
        "user_id": "u1",
        "request_id": answer.headers["X-Openstack-Request-Id"],
        "verb": "create",
        "parameters": {},
        "state": "PENDING",
        "stage": None,
        "done": None,
        "total": None,
        "attempts": 0,
        "generation": 1,
        "error": None,
        "faults": [],
        "leftovers": [],
        "started_at": None,
        "finished_at": None,
        "links": [
            {"href": f"http://localhost/v1/operations/{operation['uuid']}", "rel": "self"},
            {"href": f"http://localhost/operations/{operation['uuid']}", "rel": "bookmark"},
        ],
    }
    assert {name: operation[name] for name in expected} == expected
    made = datetime.fromisoformat(operation["created_at"])
    assert datetime.fromisoformat(operation["deadline"]) - made == timedelta(minutes=60)
    assert operation["next_look_at"] is not None


def test_one_that_is_under_way(demo: Client) -> None:
    (operation,) = operations_of(a_bay(demo))
    moment = datetime.fromisoformat("2026-01-02T03:04:05")
    stands(operation, state="RUNNING", stage="nodes", done=2, total=5, started_at=moment)
    found = of(demo, operation)
    assert (found["state"], found["stage"]) == ("RUNNING", "nodes")
    assert (found["done"], found["total"]) == (2, 5)
    assert found["started_at"] == "2026-01-02T03:04:05+00:00"


def blocked(operation: str, **values: Any) -> None:
    stands(
        operation,
        **{
            "state": "BLOCKED",
            "attempts": 3,
            "error_code": "QUOTA_EXCEEDED",
            "error_actor": "user",
            "error_text": "No room for 5 instances.",
            "error_operator_text": "Nova said 403 at host nova-7.",
            **values,
        },
    )


def test_an_error_says_whose_move_it_is_and_what_to_do(demo: Client, admin: Client) -> None:
    (operation,) = operations_of(a_bay(demo))
    blocked(operation)
    found = of(demo, operation)
    assert found["state"] == "BLOCKED"
    assert found["attempts"] == 3
    error = {
        "code": "QUOTA_EXCEEDED",
        "text": "No room for 5 instances.",
        "actor": "user",
        "request_id": found["request_id"],
        "help": advice("QUOTA_EXCEEDED"),
    }
    assert error["help"]
    assert found["error"] == error
    operators = {**error, "operator_text": "Nova said 403 at host nova-7."}
    assert of(admin, operation)["error"] == operators


def test_an_unknown_code_has_no_help(demo: Client) -> None:
    (operation,) = operations_of(a_bay(demo))
    blocked(operation, error_code="OF_SOMEBODYS_OWN_DRIVER")
    assert of(demo, operation)["error"]["help"] is None


def test_faults_and_leftovers_are_listed(demo: Client) -> None:
    (operation,) = operations_of(a_bay(demo))
    blocked(operation, faults=[FAULT], leftovers=[LEFTOVER])
    found = of(demo, operation)
    assert found["faults"] == [FAULT]
    assert found["leftovers"] == [LEFTOVER]
    # The cloud's own request is the one to look for.
    assert found["error"]["request_id"] == "r-9"


def test_the_operators_text_is_the_operators_wherever_it_could_be(
    demo: Client, reader: Client, admin: Client
) -> None:
    bay = a_bay(demo)
    (operation,) = operations_of(bay)
    blocked(operation)
    for path in (f"operations/{operation}", f"bays/{bay}/operations", f"bays/{bay}"):
        for client in (demo, reader):
            assert "nova-7" not in client("GET", f"/v1/{path}", status=200).text
        assert "nova-7" in admin("GET", f"/v1/{path}", status=200).text


def test_nothing_of_the_inner_works_is_shown(demo: Client, admin: Client) -> None:
    bay = a_bay(demo)
    settle(bay)
    operation = changed(demo, bay, 2)
    hidden = {"parameters": {"hidden": "one"}, "cursor": {"hidden": "two"}, "owner": "hidden three"}
    stands(operation, **hidden)
    for path in (f"operations/{operation}", f"bays/{bay}/operations", f"bays/{bay}"):
        assert "hidden" not in admin("GET", f"/v1/{path}", status=200).text


def test_what_a_person_asked_for_is_shown(demo: Client) -> None:
    bay = a_bay(demo)
    settle(bay)
    path = f"/v1/bays/{bay}?rollback=true"
    answer = demo("PATCH", path, replace("/node_count", 2), status=202)
    assert of(demo, answer.json["operation"])["parameters"]["rollback"] is True


def test_a_check_is_nobodys(demo: Client) -> None:
    (operation,) = operations_of(a_bay(demo))
    stands(operation, user_id="")
    assert of(demo, operation)["user_id"] is None


def test_the_oldest_stands_first(demo: Client) -> None:
    bay = a_bay(demo)
    settle(bay)
    made = [*operations_of(bay), *(changed(demo, bay, count) for count in (2, 3))]
    for name in (bay, "bay"):
        assert listed(demo, f"/v1/bays/{name}/operations") == made
        assert listed(demo, f"/v1/bays/{name}/operations?sort_dir=desc") == made[::-1]
    (item, *_) = demo("GET", f"/v1/bays/{bay}/operations").json["operations"]
    assert set(item) == FIELDS
    assert item == of(demo, made[0])


def test_in_the_words_of_clusters(demo: Client) -> None:
    bay = a_bay(demo)
    body = demo("GET", f"/v1/clusters/{bay}/operations?limit=1", status=200).json
    (item,) = body["operations"]
    assert set(item) == FIELDS - {"bay_id"} | {"cluster_id"}
    assert item["cluster_id"] == bay
    assert body["next"].startswith(f"http://localhost/v1/clusters/{bay}/operations?")


@pytest.mark.parametrize("path", ["clusters/x/operations/y", "operations", "bays/x/operations/y"])
def test_nothing_else_of_it_is_there(demo: Client, path: str) -> None:
    assert demo.error("GET", f"/v1/{path}", status=404)["reason"] == "ROUTE_NOT_FOUND"


def test_pages(demo: Client) -> None:
    bay = a_bay(demo)
    settle(bay)
    made = [*operations_of(bay), *(changed(demo, bay, count) for count in (2, 3, 4))]
    seen: list[str] = []
    where = "/v1/bays/bay/operations?limit=2&sort_key=state"
    while where:
        body = demo("GET", where, status=200).json
        seen += [item["uuid"] for item in body["operations"]]
        where = body.get("next", "").removeprefix("http://localhost")
    assert seen == made


@pytest.mark.parametrize(
    ("query", "field", "status"),
    [
        ("limit=0", "limit", 400),
        ("marker=name", "marker", 400),
        ("marker=f0f0f0f0-0000-4000-8000-000000000000", "marker", 404),
        ("sort_key=cursor", "sort_key", 400),
        ("sort_key=error_operator_text", "sort_key", 400),
        ("sort_dir=up", "sort_dir", 400),
        ("state=DONE", "state", 400),
    ],
)
def test_a_bad_argument_is_named(demo: Client, query: str, field: str, status: int) -> None:
    path = f"/v1/bays/{a_bay(demo)}/operations?{query}"
    assert demo.error("GET", path, status=status)["field"] == field


def test_a_marker_is_an_operation_of_this_bay(demo: Client) -> None:
    model = a_model(demo)["uuid"]
    bay, another = (a_bay(demo, baymodel_id=model, name=name) for name in ("a", "b"))
    (marker,) = operations_of(another)
    path = f"/v1/bays/{bay}/operations?marker={marker}"
    assert demo.error("GET", path, status=404)["field"] == "marker"


def test_they_outlive_the_bay_and_go_by_its_uuid(
    demo: Client, other: Client, admin: Client
) -> None:
    bay = a_bay(demo)
    (operation,) = operations_of(bay)
    vanish(bay)
    for collection in ("bays", "clusters"):
        path = f"/v1/{collection}/{bay}/operations"
        for client in (demo, admin):
            assert listed(client, path) == [operation]
        assert other.error("GET", path, status=404)["reason"] == "BAY_NOT_FOUND"
        demo("GET", f"/v1/{collection}/bay/operations", status=404)
        demo("GET", f"/v1/{collection}/{uuid4()}/operations", status=404)
    assert of(demo, operation)["bay_id"] == bay
    other("GET", f"/v1/operations/{operation}", status=404)


def test_a_bay_whose_operations_are_all_forgotten_has_none(demo: Client) -> None:
    bay = a_bay(demo)
    (operation,) = operations_of(bay)
    stands(operation, bay_uuid=str(uuid4()))
    assert listed(demo, f"/v1/bays/{bay}/operations") == []


def test_a_name_of_several_bays_is_409(demo: Client) -> None:
    model = a_model(demo)["uuid"]
    for _ in range(2):
        a_bay(demo, baymodel_id=model)
    demo("GET", "/v1/bays/bay/operations", status=409)


@pytest.mark.parametrize("ident", ["x", "f0f0f0f0-0000-4000-8000-000000000000", "1", "create"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_one_is_404(demo: Client, ident: str, method: str) -> None:
    assert (
        demo.error(method, f"/v1/operations/{ident}", status=404)["reason"] == "OPERATION_NOT_FOUND"
    )


def test_a_list_costs_few_statements_whatever_its_length(demo: Client) -> None:
    bay = a_bay(demo)
    settle(bay)
    with statements() as for_one:
        listed(demo, f"/v1/bays/{bay}/operations")
    made = [changed(demo, bay, count) for count in range(2, 12)]
    with statements() as for_all:
        assert len(listed(demo, f"/v1/bays/{bay}/operations")) == 11
    assert len(for_all) == len(for_one) == 2
    vanish(bay)
    with statements() as with_marker:
        assert len(listed(demo, f"/v1/bays/{bay}/operations?marker={made[0]}")) == 9
    assert len(with_marker) == 4
    with statements() as for_one:
        of(demo, made[0])
    assert len(for_one) == 1


def test_a_change_that_waits_is_taken_back(demo: Client) -> None:
    bay = a_bay(demo)
    operation = changed(demo, bay, 7)
    assert shown(demo, bay)["node_count"] == 7
    answer = demo("DELETE", f"/v1/operations/{operation}", status=204)
    assert answer.body == b""
    assert of(demo, operation)["state"] == "CANCELLED"
    assert of(demo, operation)["finished_at"] is not None
    bay_now = shown(demo, bay)
    assert (bay_now["node_count"], bay_now["generation"]) == (1, 1)
    error = demo.error("DELETE", f"/v1/operations/{operation}", status=409)
    assert error["reason"] == "NOT_CANCELLABLE"


def test_what_has_begun_is_not_taken_back(demo: Client) -> None:
    bay = a_bay(demo)
    settle(bay)
    operation = changed(demo, bay, 2)
    stands(operation, state="RUNNING")
    error = demo.error("DELETE", f"/v1/operations/{operation}", status=409)
    assert error["reason"] == "NOT_CANCELLABLE"
    assert "begun" in error["detail"]
    assert of(demo, operation)["state"] == "RUNNING"


def test_neither_creation_nor_deletion_is_taken_back(demo: Client) -> None:
    bay = a_bay(demo)
    demo("DELETE", f"/v1/bays/{bay}", status=204)
    creation, deletion = operations_of(bay)
    for operation, word in ((creation, "creation"), (deletion, "deletion")):
        error = demo.error("DELETE", f"/v1/operations/{operation}", status=409)
        assert error["reason"] == "NOT_CANCELLABLE"
        assert word in error["detail"]


def test_the_administrator_takes_back_what_others_asked_for(demo: Client, admin: Client) -> None:
    operation = changed(demo, a_bay(demo), 2)
    admin("DELETE", f"/v1/operations/{operation}", status=204)
