"""What a bay tells from microversion 1.15 on: which operation was made, what is being done, whether that is stale."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from magnum.db import session
from magnum.db.models import Operation
from magnum.tests.api import (
    BEFORE_OPERATIONS,
    LATEST,
    Client,
    a_bay,
    a_model,
    operations_of,
    replace,
    set_rule,
    settle,
    shown,
    stands,
)
from magnum.tests.unit.api.test_lists import statements
from magnum.tests.unit.api.test_operations import LEFTOVER, blocked, changed, of

SHORT = {"uuid", "verb", "state", "stage", "done", "total", "deadline", "error", "links"}


def where(operation: str) -> str:
    return f"http://localhost/v1/operations/{operation}"


def finished(operation: str, state: str = "DONE") -> None:
    stands(
        operation, state=state, next_run_at=None, finished_at=datetime.fromisoformat("2026-01-01")
    )


def parameters_of(operation: str) -> dict[str, Any]:
    with session.engine().begin() as connection:
        found = select(Operation.parameters).where(Operation.uuid == operation)
        return dict(connection.execute(found).scalar_one())


# --- answers ---------------------------------------------------------------------------------------------------------


def test_every_answer_names_the_operation(demo: Client) -> None:
    made = demo("POST", "/v1/bays", {"baymodel_id": a_model(demo)["uuid"]}, status=202)
    bay = made.json["uuid"]
    (creation,) = operations_of(bay)
    assert made.json == {"uuid": bay, "operation": creation}
    assert made.headers["Location"] == where(creation)

    settle(bay)
    path = f"/v1/bays/{bay}"
    change = demo("PATCH", path, replace("/node_count", 2), status=202)
    assert change.json == {"uuid": bay, "operation": operations_of(bay)[-1]}
    assert change.headers["Location"] == where(change.json["operation"])

    removed = demo("DELETE", path, status=204)
    assert removed.headers["Location"] == where(operations_of(bay)[-1])
    assert removed.body == b""
    assert of(demo, operations_of(bay)[-1])["verb"] == "delete"


def test_deleting_twice_is_one_deletion(demo: Client) -> None:
    bay = a_bay(demo)
    places = [demo("DELETE", f"/v1/bays/{bay}", status=204).headers["Location"] for _ in range(2)]
    assert places[0] == places[1]
    assert len(operations_of(bay)) == 2


# --- changes wait their turn -----------------------------------------------------------------------------------------


def test_changes_wait_behind_the_creation(demo: Client) -> None:
    bay = a_bay(demo)
    made = [changed(demo, bay, count) for count in (2, 3, 4)]
    assert operations_of(bay)[1:] == made
    assert [of(demo, operation)["generation"] for operation in made] == [2, 3, 4]
    assert {of(demo, operation)["next_look_at"] for operation in made} == {None}
    found = shown(demo, bay)
    assert (found["node_count"], found["status"]) == (4, "CREATE_IN_PROGRESS")


def test_what_is_wanted_already_makes_no_operation(demo: Client) -> None:
    bay = a_bay(demo)
    changed(demo, bay, 3)
    again = demo("PATCH", f"/v1/bays/{bay}", replace("/node_count", 3), status=202)
    assert again.json == {"uuid": bay, "operation": None}
    assert "Location" not in again.headers
    assert len(operations_of(bay)) == 2
    assert shown(demo, bay)["generation"] == 2


def test_nothing_waits_behind_a_deletion(demo: Client) -> None:
    bay = a_bay(demo)
    demo("DELETE", f"/v1/bays/{bay}", status=204)
    error = demo.error("PATCH", f"/v1/bays/{bay}", replace("/node_count", 2), status=400)
    assert error["reason"] == "WRONG_STATUS"


def test_what_is_wanted_already_mends_a_cluster_that_somebody_has_changed(demo: Client) -> None:
    bay = a_bay(demo)
    finished(operations_of(bay)[0])
    settle(bay, status_reason="STACK_CHANGED: Somebody has changed the cluster.")
    assert changed(demo, bay, 1) == operations_of(bay)[-1]
    settle(bay, status_reason="STACK_CHANGED: Somebody has changed the cluster.")
    untouched = demo("PATCH", f"/v1/bays/{bay}", [], status=202)
    assert untouched.json["operation"] is None


def test_a_driver_that_cannot_change_is_not_asked_to_do_nothing(demo: Client) -> None:
    a_model(demo, name="fixed", driver="fixed_test_v1", coe="mesos", cluster_distro="flatcar")
    bay = a_bay(demo, baymodel_id="fixed")
    demo("PATCH", f"/v1/bays/{bay}", replace("/node_count", 1), status=202)
    demo("PATCH", f"/v1/bays/{bay}", replace("/node_count", 2), status=400)


# --- force -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("query", "forced"), [("?force=true", True), ("/?force=0", False)])
def test_a_deletion_may_be_forced(demo: Client, query: str, forced: bool) -> None:
    bay = a_bay(demo)
    demo("DELETE", f"/v1/bays/{bay}{query}", status=204)
    deletion = operations_of(bay)[-1]
    assert parameters_of(deletion) == ({"force": True} if forced else {})
    assert of(demo, deletion)["parameters"] == parameters_of(deletion)


def test_a_deletion_under_way_may_be_forced_later(demo: Client) -> None:
    bay = a_bay(demo)
    demo("DELETE", f"/v1/bays/{bay}", status=204)
    demo("DELETE", f"/v1/bays/{bay}?force=true", status=204)
    deletion = operations_of(bay)[-1]
    assert of(demo, deletion)["parameters"] == {"force": True}
    stands(deletion, state="DONE", leftovers=[LEFTOVER])
    assert of(demo, deletion)["leftovers"] == [LEFTOVER]


@pytest.mark.parametrize("value", ["perhaps", "", "2"])
def test_force_is_read_strictly(demo: Client, value: str) -> None:
    bay = a_bay(demo)
    path = f"/v1/bays/{bay}?force={value}"
    assert demo.error("DELETE", path, status=400)["field"] == "force"
    assert len(operations_of(bay)) == 1


def test_force_has_a_rule_of_its_own(demo: Client) -> None:
    bay = a_bay(demo)
    set_rule("bay:force_delete", "!")
    demo("DELETE", f"/v1/bays/{bay}?force=true", status=403)
    assert len(operations_of(bay)) == 1
    demo("DELETE", f"/v1/bays/{bay}", status=204)


def test_the_administrator_forces_what_is_another_projects(demo: Client, admin: Client) -> None:
    admin("DELETE", f"/v1/bays/{a_bay(demo)}?force=true", status=204)


# --- what a bay shows ------------------------------------------------------------------------------------------------


def test_the_present_operation(demo: Client) -> None:
    bay = a_bay(demo)
    (operation,) = operations_of(bay)
    stands(operation, state="RUNNING", stage="nodes", done=1, total=3)
    changed(demo, bay, 2)
    present = shown(demo, bay)["operation"]
    assert set(present) == SHORT
    assert present == {name: value for name, value in of(demo, operation).items() if name in SHORT}
    finished(operation)
    assert shown(demo, bay)["operation"]["uuid"] == operations_of(bay)[1]
    finished(operations_of(bay)[1])
    assert shown(demo, bay)["operation"] is None


def test_what_is_worked_at_is_present_before_the_deletion_that_waits_for_it(demo: Client) -> None:
    bay = a_bay(demo)
    settle(bay)
    finished(operations_of(bay)[0])
    change = changed(demo, bay, 2)
    stands(change, state="RUNNING", owner="c", lease_until=datetime.fromisoformat("2999-01-01"))
    demo("DELETE", f"/v1/bays/{bay}", status=204)
    assert shown(demo, bay)["operation"]["uuid"] == change
    finished(change, "CANCELLED")
    assert shown(demo, bay)["operation"]["verb"] == "delete"


def test_which_generation_was_observed_and_when(demo: Client) -> None:
    bay = a_bay(demo)
    changed(demo, bay, 2)
    found = shown(demo, bay)
    assert (found["generation"], found["observed_generation"], found["observed_at"]) == (
        2,
        None,
        None,
    )
    settle(bay, observed_generation=1, observed_at=datetime.fromisoformat("2026-01-02T03:04:05"))
    (listed,) = demo("GET", "/v1/bays/detail").json["bays"]
    for body in (shown(demo, bay), listed):
        assert (body["generation"], body["observed_generation"]) == (2, 1)
        assert body["observed_at"] == "2026-01-02T03:04:05+00:00"


def test_stale(demo: Client) -> None:
    bay = a_bay(demo)
    (operation,) = operations_of(bay)

    def stale() -> bool:
        found: bool = shown(demo, bay)["stale"]
        return found

    # Under way, and the last look went well.
    assert stale() is False
    # Under way, and the last look did not.
    blocked(operation, state="RUNNING", attempts=1)
    assert stale() is True
    stands(operation, attempts=0, error_code=None)
    assert stale() is False
    # Nothing under way, and nothing was ever seen; then something; then it was changed.
    finished(operation, "FAILED")
    assert stale() is True
    settle(bay, observed_generation=1)
    assert stale() is False
    change = changed(demo, bay, 2)
    finished(change, "FAILED")
    assert stale() is True
    settle(bay, observed_generation=2)
    assert stale() is False


def test_one_bay_costs_one_statement_with_its_operation_and_without(demo: Client) -> None:
    bay = a_bay(demo)
    for version in (LATEST, BEFORE_OPERATIONS):
        with statements() as sent:
            demo("GET", f"/v1/bays/{bay}", version=version, status=200)
        assert len(sent) == 1
    for path in ("bays", "bays/detail"):
        counts = []
        for version in (LATEST, BEFORE_OPERATIONS):
            with statements() as sent:
                demo("GET", f"/v1/{path}", version=version, status=200)
            counts.append(len(sent))
        assert counts[0] == counts[1]
