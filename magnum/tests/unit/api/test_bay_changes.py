"""PATCH of a bay: what may change, when, and how it is answered (contract 2.2)."""

from typing import Any

import pytest

from magnum.tests.api import (
    BEFORE_OPERATIONS,
    LATEST,
    Client,
    a_bay,
    a_model,
    operations_of,
    replace,
    settle,
    shown,
)

FULL_ONLY = {"status_reason", "node_addresses", "created_at"}


@pytest.mark.parametrize("value", [3, "3", 3.0])
def test_a_patch_changes_the_number_of_nodes(demo: Client, value: Any) -> None:
    uuid = a_bay(demo)
    settle(uuid)
    answer = demo("PATCH", f"/v1/bays/{uuid}", replace("/node_count", value), status=202)
    assert answer.json == {"uuid": uuid, "operation": operations_of(uuid)[-1]}
    bay = shown(demo, uuid)
    assert bay["node_count"] == 3
    assert bay["status"] == "UPDATE_IN_PROGRESS"
    assert bay["updated_at"] is not None


def test_a_patch_was_synchronous_once(demo: Client) -> None:
    uuid = a_bay(demo)
    settle(uuid)
    path = f"/v1/bays/{uuid}"
    same = demo("PATCH", path, replace("/node_count", 1), version=None, status=200).json
    assert set(same) >= FULL_ONLY
    assert same["status"] == "CREATE_COMPLETE"
    changed = demo("PATCH", path, replace("/node_count", 2), version=None, status=200).json
    assert (changed["node_count"], changed["status"]) == (2, "UPDATE_IN_PROGRESS")


def test_removing_the_count_means_one(demo: Client) -> None:
    uuid = a_bay(demo, node_count=3)
    settle(uuid)
    demo("PATCH", f"/v1/bays/{uuid}", [{"op": "remove", "path": "/node_count"}], status=202)
    assert shown(demo, uuid)["node_count"] == 1


@pytest.mark.parametrize("body", ["", "[]", '[{"op":"replace","path":"/node_count","value":"1"}]'])
@pytest.mark.parametrize("kind", ["application/json", "application/octet-stream"])
def test_a_patch_of_nothing_does_nothing(demo: Client, body: str, kind: str) -> None:
    uuid = a_bay(demo)
    headers = {"Content-Type": kind if not body else "application/json"}
    answer = demo("PATCH", f"/v1/bays/{uuid}", body, headers=headers, status=202)
    assert answer.json == {"uuid": uuid, "operation": None}
    assert "Location" not in answer.headers
    assert shown(demo, uuid)["status"] == "CREATE_IN_PROGRESS"
    assert len(operations_of(uuid)) == 1


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/name", "new"),
        ("/baymodel_id", "x"),
        ("/master_count", 3),
        ("/bay_create_timeout", 5),
        ("/labels", {"a": "b"}),
        ("/labels/a", "b"),
        ("/flavor_id", "x"),
        ("/status", "CREATE_FAILED"),
        ("/status_reason", "x"),
        ("/driver", "x"),
        ("/discovery_url", "x"),
        ("/stack_id", "x"),
        ("/cluster_id", "x"),
        ("/api_address", "x"),
        ("/node_addresses", "x"),
        ("/master_addresses", "x"),
        ("/ca_cert_ref", "x"),
        ("/trust_id", "x"),
        ("/trustee_password", "x"),
        ("/uuid", "x"),
        ("/project_id", "x"),
        ("/nothing", "x"),
    ],
)
def test_nothing_else_can_be_patched(demo: Client, path: str, value: Any) -> None:
    uuid = a_bay(demo, labels={"a": "1"})
    settle(uuid)
    error = demo.error("PATCH", f"/v1/bays/{uuid}", replace(path, value), status=400)
    assert error["field"] in ("/0/path", "/0/value")
    assert shown(demo, uuid)["status"] == "CREATE_COMPLETE"


@pytest.mark.parametrize("value", [-1, "x", 1.5, True, "", 2**31])
def test_a_bad_count_is_pointed_at(demo: Client, value: Any) -> None:
    uuid = a_bay(demo)
    settle(uuid)
    error = demo.error("PATCH", f"/v1/bays/{uuid}", replace("/node_count", value), status=400)
    assert error["field"] == "/0/value"


def test_the_baymodel_cannot_be_removed(demo: Client) -> None:
    body = [{"op": "remove", "path": "/baymodel_id"}]
    demo("PATCH", f"/v1/bays/{a_bay(demo)}", body, status=400)


def test_the_patch_is_read_before_the_bay_is_looked_for(demo: Client) -> None:
    demo("PATCH", "/v1/bays/nothing", {}, status=400)
    demo("PATCH", "/v1/bays/nothing", [], status=404)


@pytest.mark.parametrize(
    ("status", "allowed"),
    [
        *((f"{verb}_COMPLETE", True) for verb in ("CREATE", "UPDATE", "RESUME", "RESTORE")),
        *((f"{verb}_COMPLETE", True) for verb in ("ROLLBACK", "SNAPSHOT", "CHECK", "ADOPT")),
        *((f"{verb}_IN_PROGRESS", False) for verb in ("CREATE", "UPDATE", "DELETE", "ROLLBACK")),
        *((f"{verb}_FAILED", False) for verb in ("CREATE", "UPDATE", "DELETE", "ROLLBACK")),
        ("DELETE_COMPLETE", False),
    ],
)
@pytest.mark.parametrize("version", ["container-infra 1.1", BEFORE_OPERATIONS, LATEST])
def test_only_a_settled_bay_can_be_changed_and_later_one_at_work(
    demo: Client, status: str, allowed: bool, version: str
) -> None:
    uuid = a_bay(demo)
    settle(uuid, status=status)
    answer = demo("PATCH", f"/v1/bays/{uuid}", replace("/node_count", 2), version=version)
    if version == LATEST and status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
        allowed = True
    if allowed:
        assert answer.status_int in (200, 202)
    else:
        assert answer.status_int == 400
        assert answer.json["errors"][0]["reason"] == "WRONG_STATUS"


def test_a_driver_that_cannot_is_a_clear_400(demo: Client) -> None:
    a_model(demo, name="fixed", driver="fixed_test_v1", coe="mesos", cluster_distro="flatcar")
    uuid = a_bay(demo, baymodel_id="fixed")
    settle(uuid)
    error = demo.error("PATCH", f"/v1/bays/{uuid}", replace("/node_count", 2), status=400)
    assert "fixed_test_v1" in error["detail"]
    assert shown(demo, uuid)["status"] == "CREATE_COMPLETE"


@pytest.mark.parametrize("value", ["True", "true", "1", "0", "no", "False"])
def test_rollback_may_be_asked_for(demo: Client, value: str) -> None:
    uuid = a_bay(demo)
    settle(uuid)
    path = f"/v1/bays/{uuid}/?rollback={value}"
    demo("PATCH", path, replace("/node_count", 2), version="container-infra 1.3", status=202)


def test_rollback_is_read_strictly_and_came_late(demo: Client) -> None:
    path = f"/v1/bays/{a_bay(demo)}?rollback="
    assert demo.error("PATCH", path + "perhaps", [], status=400)["field"] == "rollback"
    for version in (None, "container-infra 1.2"):
        error = demo.error("PATCH", path + "true", [], version=version, status=400)
        assert error["field"] == "rollback"
