"""What came with operations, in microversion 1.15, changes nothing for older ones (contract, D1)."""

import pytest

from magnum.tests.api import Client, a_bay, a_model, operations_of, replace, settle, shown
from magnum.tests.unit.api.test_bays import FULL, SHORT

OLDER = pytest.mark.parametrize("version", [f"container-infra 1.{minor}" for minor in range(1, 15)])
FROM_1_2 = pytest.mark.parametrize(
    "version", [f"container-infra 1.{minor}" for minor in range(2, 15)]
)
UUID = "11111111-2222-3333-4444-555555555555"


@OLDER
def test_bodies_have_the_keys_they_had(demo: Client, version: str) -> None:
    uuid = a_bay(demo)
    assert set(shown(demo, uuid, version)) == FULL
    (line,) = demo("GET", "/v1/bays", version=version, status=200).json["bays"]
    assert set(line) == SHORT
    (line,) = demo("GET", "/v1/bays/detail", version=version, status=200).json["bays"]
    assert set(line) == FULL
    settle(uuid, status="CREATE_FAILED")
    assert set(shown(demo, uuid, version)) == FULL | {"bay_faults"}


@FROM_1_2
def test_answers_to_requests_are_as_they_were(demo: Client, version: str) -> None:
    body = {"baymodel_id": a_model(demo)["uuid"]}
    made = demo("POST", "/v1/bays", body, version=version, status=202)
    assert set(made.json) == {"uuid"}
    uuid = made.json["uuid"]
    settle(uuid)
    path = f"/v1/bays/{uuid}"
    changed = demo("PATCH", path, replace("/node_count", 2), version=version, status=202)
    assert changed.json == {"uuid": uuid}
    removed = demo("DELETE", path, version=version, status=204)
    for answer in (made, changed, removed):
        assert "Location" not in answer.headers


def test_the_synchronous_answers_are_too(demo: Client) -> None:
    body = {"baymodel_id": a_model(demo)["uuid"]}
    made = demo("POST", "/v1/bays", body, version=None, status=201)
    assert set(made.json) == FULL
    path = f"/v1/bays/{made.json['uuid']}"
    assert made.headers["Location"] == f"http://localhost{path}"
    settle(made.json["uuid"])
    changed = demo("PATCH", path, replace("/node_count", 2), version=None, status=200)
    assert set(changed.json) == FULL
    assert "Location" not in demo("DELETE", path, version=None, status=204).headers


@OLDER
def test_a_bay_at_work_is_not_changed(demo: Client, version: str) -> None:
    uuid = a_bay(demo)
    error = demo.error(
        "PATCH", f"/v1/bays/{uuid}", replace("/node_count", 2), version=version, status=400
    )
    assert error["reason"] == "WRONG_STATUS"
    assert len(operations_of(uuid)) == 1


@OLDER
def test_what_is_wanted_already_mends_nothing(demo: Client, version: str) -> None:
    uuid = a_bay(demo)
    settle(uuid, status_reason="STACK_CHANGED: Somebody has changed it.")
    answer = demo("PATCH", f"/v1/bays/{uuid}", replace("/node_count", 1), version=version)
    assert answer.status_int in (200, 202)
    assert shown(demo, uuid)["status"] == "CREATE_COMPLETE"
    assert len(operations_of(uuid)) == 1


@OLDER
def test_force_is_an_unknown_argument(demo: Client, version: str) -> None:
    uuid = a_bay(demo)
    error = demo.error("DELETE", f"/v1/bays/{uuid}?force=true", version=version, status=400)
    assert error["field"] == "force"
    assert len(operations_of(uuid)) == 1


@OLDER
@pytest.mark.parametrize("method", ["GET", "DELETE", "POST", "PUT"])
def test_the_new_paths_are_unknown(demo: Client, version: str, method: str) -> None:
    uuid = a_bay(demo)
    (operation,) = operations_of(uuid)
    unknown = demo.error(method, "/v1/nothing/x/y", version=version, status=404)
    for path in (
        *(f"bays/{uuid}/operations", f"bays/{uuid}/events"),
        *(f"clusters/{uuid}/operations", f"clusters/{uuid}/events"),
        *(f"operations/{operation}", f"operations/{operation}/events"),
    ):
        error = demo.error(method, f"/v1/{path}", version=version, status=404)
        assert {**error, "request_id": ""} == {**unknown, "request_id": ""}
