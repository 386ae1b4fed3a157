"""Resizing and upgrading over the API (contract 2.4)."""

from typing import Any

import pytest

from magnum.drivers.contract import Driver
from magnum.tests.api import (
    LATEST,
    Client,
    SwarmDriver,
    a_bay,
    a_model,
    operations_of,
    settle,
    shown,
    stands,
)

V = "container-infra 1.{}"
OLDEST = V.format(7)


@pytest.fixture(autouse=True)
def able(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver of these bays can do all of it."""
    monkeypatch.setattr(SwarmDriver, "node_groups", True)
    monkeypatch.setattr(SwarmDriver, "bay_upgrade", SwarmDriver.bay_update)


def ready(client: Client, status: str = "CREATE_COMPLETE", **fields: Any) -> str:
    """A bay that is complete, or of another status."""
    bay = a_bay(client, **fields)
    settle(bay, api_address="tcp://192.0.2.1:2376", status=status)
    stands(operations_of(bay)[0], state="DONE", next_run_at=None)
    return bay


def act(
    client: Client, bay: str, name: str, body: Any, status: int = 202, version: str = OLDEST
) -> Any:
    return client(
        "POST", f"/v1/clusters/{bay}/actions/{name}", body, version=version, status=status
    )


def last(client: Client, bay: str) -> dict[str, Any]:
    ident = operations_of(bay)[-1]
    found: dict[str, Any] = client("GET", f"/v1/operations/{ident}", status=200).json
    return found


# --- resize ----------------------------------------------------------------------------------------------------------


def test_a_resize_means_the_default_workers(demo: Client) -> None:
    bay = ready(demo, node_count=5)
    body = {"node_count": "3", "nodes_to_remove": ["0", "a-server"], "nodegroup": None}
    answer = act(demo, bay, "resize", body)
    assert answer.json == {"uuid": bay}
    operation = last(demo, bay)
    assert operation["verb"] == "update"
    assert operation["parameters"] == {
        "node_count": 3,
        "nodes_to_remove": ["0", "a-server"],
        "nodegroup": "default-worker",
        "change": "update",
    }
    found = shown(demo, bay)
    assert (found["node_count"], found["status"]) == (3, "UPDATE_IN_PROGRESS")


def test_a_resize_of_a_group_is_told_with_the_group(demo: Client) -> None:
    bay = ready(demo)
    path = f"/v1/clusters/{bay}/nodegroups"
    group = demo("POST", path, {"name": "gpu", "max_node_count": 4}, status=202).json["uuid"]
    act(demo, bay, "resize", {"node_count": 4, "nodegroup": group})
    act(demo, bay, "resize", {"node_count": 5, "nodegroup": "gpu"}, status=400)
    counted = demo("GET", f"{path}/gpu", status=200).json
    assert (counted["node_count"], counted["status"]) == (4, "CREATE_IN_PROGRESS")
    assert shown(demo, bay)["node_count"] == 5


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "/node_count"),
        (None, ""),
        ({"node_count": None}, "/node_count"),
        ({"node_count": "many"}, "/node_count"),
        ({"node_count": 0}, "/node_count"),
        ({"node_count": 1, "nodes_to_remove": "a"}, "/nodes_to_remove"),
        ({"node_count": 1, "nodes_to_remove": [1]}, "/nodes_to_remove/0"),
        ({"node_count": 1, "nodegroup": "default-master"}, "/nodegroup"),
        ({"node_count": 1, "nonsense": 1}, "/nonsense"),
    ],
)
def test_a_bad_resize_points_at_the_field(demo: Client, body: Any, field: str) -> None:
    bay = ready(demo, node_count=2)
    error = act(demo, bay, "resize", body, status=400).json["errors"][0]
    assert error["field"] == field
    assert len(operations_of(bay)) == 1


def test_no_nodes_are_for_later_versions(demo: Client) -> None:
    bay = ready(demo)
    act(demo, bay, "resize", {"node_count": 0}, status=400, version=V.format(9))
    act(demo, bay, "resize", {"node_count": 0}, version=V.format(10))
    assert shown(demo, bay)["node_count"] == 0


def test_bounds_of_the_group_hold(demo: Client) -> None:
    bay = ready(demo, node_count=2, labels={"min_node_count": "2"})
    error = act(demo, bay, "resize", {"node_count": 1}, status=400).json["errors"][0]
    assert error["field"] == "/node_count" and "2 nodes at least" in error["detail"]


def test_an_unknown_group(demo: Client) -> None:
    bay = ready(demo)
    act(demo, bay, "resize", {"node_count": 1, "nodegroup": "gpu"}, status=404)


@pytest.mark.parametrize("version", [OLDEST, LATEST])
def test_what_is_wanted_already_is_no_work_unless_nodes_are_named(
    demo: Client, version: str
) -> None:
    bay = ready(demo)
    answer = act(demo, bay, "resize", {"node_count": 1, "nodes_to_remove": []}, version=version)
    assert answer.json == {"uuid": bay, **({"operation": None} if version == LATEST else {})}
    assert len(operations_of(bay)) == 1
    act(demo, bay, "resize", {"node_count": 1, "nodes_to_remove": ["broken"]}, version=version)
    assert last(demo, bay)["parameters"]["nodes_to_remove"] == ["broken"]


@pytest.mark.parametrize(
    ("status", "before", "since"),
    [
        ("CREATE_COMPLETE", 202, 202),
        ("UPDATE_COMPLETE", 202, 202),
        ("CHECK_COMPLETE", 202, 202),
        ("ROLLBACK_COMPLETE", 202, 202),
        ("UPDATE_IN_PROGRESS", 202, 202),
        ("UPDATE_FAILED", 202, 202),
        ("CREATE_IN_PROGRESS", 400, 202),
        ("CREATE_FAILED", 400, 400),
        ("DELETE_IN_PROGRESS", 400, 400),
        ("DELETE_FAILED", 400, 400),
    ],
)
def test_which_status_lets_a_cluster_be_resized(
    demo: Client, status: str, before: int, since: int
) -> None:
    bay = ready(demo, status=status)
    act(demo, bay, "resize", {"node_count": 2}, status=before)
    answer = act(demo, bay, "resize", {"node_count": 3}, status=since, version=LATEST)
    if since == 202:
        assert answer.json["operation"] == operations_of(bay)[-1]


def test_two_resizes_are_two_operations_and_the_last_word_counts(demo: Client) -> None:
    bay = ready(demo)
    first = act(demo, bay, "resize", {"node_count": 4}, version=LATEST).json["operation"]
    act(demo, bay, "resize", {"node_count": 2}, version=LATEST)
    assert shown(demo, bay)["node_count"] == 2
    # Taking the first one back changes nothing of what the second one wants.
    demo("DELETE", f"/v1/operations/{first}", status=204)
    assert shown(demo, bay)["node_count"] == 2
    demo("DELETE", f"/v1/operations/{operations_of(bay)[-1]}", status=204)
    assert shown(demo, bay)["node_count"] == 1
    assert shown(demo, bay)["status"] == "CREATE_COMPLETE"


def test_which_versions_have_it(demo: Client) -> None:
    bay = ready(demo)
    act(demo, bay, "resize", {"node_count": 2}, status=406, version=V.format(6))
    act(demo, bay, "upgrade", {}, status=406, version=V.format(6))
    act(demo, bay, "upgrade", {"cluster_template": "x"}, status=400)
    for name in ("resize", "upgrade"):
        path = f"/v1/bays/{bay}/actions/{name}"
        demo("POST", path, {"node_count": 2}, version=V.format(14), status=404)
        demo("GET", f"/v1/clusters/{bay}/actions/{name}", version=V.format(8), status=405)
    demo("POST", f"/v1/bays/{bay}/actions/resize", {"node_count": 2}, status=202)


# --- upgrade ---------------------------------------------------------------------------------------------------------

SINCE = V.format(8)


@pytest.mark.parametrize("version", [SINCE, LATEST])
def test_an_upgrade_takes_the_new_templates_image_and_labels(demo: Client, version: str) -> None:
    old = a_model(demo, labels={"tag": "1", "size": "s"})["uuid"]
    new = a_model(demo, name="new", image_id="fedora-2", labels={"tag": "2", "more": "x"})["uuid"]
    bay = ready(demo, baymodel_id=old, labels={"tag": "1", "size": "l", "own": "y"})
    body = {"cluster_template": "new", "max_batch_size": 2}
    answer = act(demo, bay, "upgrade", body, version=version)
    operation = last(demo, bay)
    assert operation["verb"] == "upgrade"
    assert operation["parameters"] == {"baymodel_id": new, "batch_size": 2}
    assert answer.json.get("operation") == (operation["uuid"] if version == LATEST else None)
    found = shown(demo, bay)
    assert (found["baymodel_id"], found["status"]) == (new, "UPDATE_IN_PROGRESS")
    assert found["labels"] == {"tag": "2", "more": "x", "size": "l", "own": "y"}
    groups = demo("GET", f"/v1/clusters/{bay}/nodegroups", status=200).json["nodegroups"]
    assert {one["image_id"] for one in groups} == {"fedora-2"}


def test_until_it_begins_the_old_template_is_kept_and_can_be_had_back(demo: Client) -> None:
    old, new = a_model(demo)["uuid"], a_model(demo, name="new", image_id="other")["uuid"]
    bay = ready(demo, baymodel_id=old)
    operation = act(demo, bay, "upgrade", {"cluster_template": new}, version=LATEST).json
    demo("DELETE", f"/v1/baymodels/{old}", status=400)
    demo("DELETE", f"/v1/baymodels/{new}", status=400)
    demo("DELETE", f"/v1/operations/{operation['operation']}", status=204)
    found = shown(demo, bay)
    assert (found["baymodel_id"], found["status"]) == (old, "CREATE_COMPLETE")
    demo("DELETE", f"/v1/baymodels/{new}", status=204)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"cluster_template": None}, 400),
        ({"cluster_template": "nowhere"}, 404),
        ({"cluster_template": "same", "max_batch_size": 0}, 400),
        ({"cluster_template": "same", "nodegroup": "gpu"}, 404),
        ({"cluster_template": "same", "nonsense": 1}, 400),
        ({"cluster_template": "mesos"}, 409),
        ({"cluster_template": "same", "nodegroup": "default-worker", "max_batch_size": None}, 202),
    ],
)
def test_what_an_upgrade_may_say(demo: Client, body: Any, status: int) -> None:
    a_model(demo, name="mesos", driver="fixed_test_v1", coe="mesos", cluster_distro="flatcar")
    model = a_model(demo, name="same")["uuid"]
    bay = ready(demo, baymodel_id=model)
    act(demo, bay, "upgrade", body, status=status, version=SINCE)
    if status != 202:
        assert shown(demo, bay)["status"] == "CREATE_COMPLETE"


def test_another_group_only_goes_where_the_cluster_is(demo: Client) -> None:
    bay = ready(demo)
    new = a_model(demo, name="new")["uuid"]
    demo("POST", f"/v1/clusters/{bay}/nodegroups", {"name": "gpu"}, status=202)
    body = {"cluster_template": new, "nodegroup": "gpu"}
    act(demo, bay, "upgrade", body, status=409, version=LATEST)
    body["cluster_template"] = shown(demo, bay)["baymodel_id"]
    act(demo, bay, "upgrade", body, version=LATEST)


def test_a_driver_without_upgrades_says_so(demo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SwarmDriver, "bay_upgrade", Driver.bay_upgrade)
    bay = ready(demo)
    body = {"cluster_template": shown(demo, bay)["baymodel_id"]}
    answer = act(demo, bay, "upgrade", body, status=400, version=SINCE)
    assert "swarm_test_v1 cannot upgrade" in answer.text
    assert shown(demo, bay)["status"] == "CREATE_COMPLETE"


@pytest.mark.parametrize("status", ["UPDATE_FAILED", "UPDATE_IN_PROGRESS", "CREATE_FAILED"])
def test_an_upgrade_needs_a_settled_cluster(demo: Client, status: str) -> None:
    bay = ready(demo, status=status)
    body = {"cluster_template": shown(demo, bay)["baymodel_id"]}
    act(demo, bay, "upgrade", body, status=400, version=SINCE)


# --- who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "body"), [("resize", {"node_count": 2}), ("upgrade", {"cluster_template": "model"})]
)
def test_who_may(
    demo: Client, reader: Client, other: Client, admin: Client, name: str, body: Any
) -> None:
    bay = ready(demo)
    act(reader, bay, name, body, status=403, version=SINCE)
    act(other, bay, name, body, status=404, version=SINCE)
    act(admin, bay, name, body, version=SINCE)
