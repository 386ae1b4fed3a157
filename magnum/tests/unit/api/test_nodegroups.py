"""Node groups over the API (contract 2.3): who may ask for what, and what it becomes in the bay's queue."""

from typing import Any

import pytest

from magnum.tests.api import (
    LATEST,
    Client,
    SwarmDriver,
    a_bay,
    a_model,
    operations_of,
    replace,
    settle,
    stands,
)

V = "container-infra 1.{}"
PLAIN = V.format(9)
DEFAULTS = ["default-master", "default-worker"]


@pytest.fixture(autouse=True)
def grouping(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver of these bays has node groups, and labels for their nodes."""
    monkeypatch.setattr(SwarmDriver, "node_groups", True)
    monkeypatch.setattr(SwarmDriver, "node_labels", True)


def ready(client: Client, **fields: Any) -> str:
    """A bay that is complete and has an API."""
    bay = a_bay(client, **fields)
    settle(bay, api_address="tcp://192.0.2.1:2376")
    stands(operations_of(bay)[0], state="DONE", next_run_at=None)
    return bay


def at(bay: str, group: str = "", collection: str = "clusters") -> str:
    return f"/v1/{collection}/{bay}/nodegroups" + (f"/{group}" if group else "")


def add(client: Client, bay: str, status: int = 202, version: str = PLAIN, **fields: Any) -> Any:
    """Ask for a group and return the answer's body."""
    return client("POST", at(bay), {"name": "gpu", **fields}, version=version, status=status).json


def group(client: Client, bay: str, name: str = "gpu", version: str = PLAIN) -> dict[str, Any]:
    found: dict[str, Any] = client("GET", at(bay, name), version=version, status=200).json
    return found


def last(client: Client, bay: str) -> dict[str, Any]:
    """The newest operation of a bay."""
    ident = operations_of(bay)[-1]
    found: dict[str, Any] = client("GET", f"/v1/operations/{ident}", status=200).json
    return found


# --- looking ---------------------------------------------------------------------------------------------------------


def test_a_new_bay_has_its_two_groups_at_once(demo: Client) -> None:
    bay = a_bay(demo, node_count=2)
    listed = demo("GET", at(bay), version=PLAIN, status=200).json["nodegroups"]
    assert [one["name"] for one in listed] == DEFAULTS
    assert [one["role"] for one in listed] == ["master", "worker"]
    assert [one["node_count"] for one in listed] == [1, 2]
    assert [one["is_default"] for one in listed] == [True, True]
    assert [one["status"] for one in listed] == ["CREATE_IN_PROGRESS"] * 2
    assert set(listed[0]) == {
        *("uuid", "name", "flavor_id", "image_id", "node_count", "role", "is_default"),
        *("stack_id", "status", "min_node_count", "max_node_count", "merge_labels"),
    }


def test_one_group_shows_all_of_it(demo: Client) -> None:
    bay = ready(demo)
    shown = group(demo, bay, "default-worker")
    assert set(shown) == {
        *("id", "uuid", "name", "cluster_id", "project_id", "docker_volume_size", "labels"),
        *("labels_added", "labels_overridden", "labels_skipped", "links", "flavor_id"),
        *("image_id", "node_addresses", "node_count", "role", "min_node_count"),
        *("max_node_count", "is_default", "stack_id", "status", "status_reason", "version"),
        *("merge_labels", "created_at", "updated_at"),
    }
    assert (shown["cluster_id"], shown["project_id"]) == (bay, "p1")
    assert shown["links"][0]["href"].endswith(f"/v1/clusters/{bay}/nodegroups/{shown['uuid']}")
    assert shown["status"] == "CREATE_COMPLETE" and isinstance(shown["id"], int)
    assert group(demo, bay, shown["uuid"]) == shown
    newer = group(demo, bay, "default-worker", V.format(14))
    assert set(newer) - set(shown) == {"node_labels", "node_taints"}


def test_the_words_of_bays_come_with_our_own_version(demo: Client) -> None:
    bay = ready(demo)
    demo("GET", at(bay, collection="bays"), version=V.format(14), status=404)
    path = at(bay, "default-worker", "bays")
    assert demo("GET", path, status=200).json["bay_id"] == bay


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_before_the_version_that_has_them_they_are_not_acceptable(
    demo: Client, method: str
) -> None:
    bay = ready(demo)
    error = demo.error(method, at(bay), {}, version=V.format(8), status=406)
    assert error["code"] == "" and "1.9" in error["title"] + error["detail"]


def test_a_page_and_the_next(demo: Client) -> None:
    bay = ready(demo)
    add(demo, bay)
    add(demo, bay, name="big", role="gpu")
    first = demo("GET", f"{at(bay)}?limit=2&sort_key=name", version=PLAIN, status=200).json
    assert [one["name"] for one in first["nodegroups"]] == ["big", "default-master"]
    path = first["next"].partition("localhost")[2].lstrip(":80")
    second = demo("GET", path, version=PLAIN, status=200).json
    assert [one["name"] for one in second["nodegroups"]] == ["default-worker", "gpu"]
    assert demo(
        "GET", second["next"].partition("localhost")[2].lstrip(":80"), version=PLAIN
    ).json == {"nodegroups": []}


def test_of_one_role_also_on_the_next_page(demo: Client) -> None:
    bay = ready(demo)
    for name in ("a", "b"):
        add(demo, bay, name=name, role="g p&u")
    first = demo("GET", f"{at(bay)}?limit=1&role=g%20p%26u", version=PLAIN, status=200).json
    assert [one["name"] for one in first["nodegroups"]] == ["a"]
    path = first["next"].partition("localhost")[2].lstrip(":80")
    assert [one["name"] for one in demo("GET", path, version=PLAIN).json["nodegroups"]] == ["b"]
    masters = demo("GET", f"{at(bay)}?role=master", version=PLAIN, status=200).json
    assert [one["name"] for one in masters["nodegroups"]] == DEFAULTS[:1]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 400),
        ("sort_key=labels", 400),
        ("marker=gpu", 400),
        ("marker=6f4c1a52-9d0e-4b57-8a3e-2c7d15e0b9f4", 404),
        ("nonsense=1", 400),
    ],
)
def test_a_list_refuses_what_it_cannot_read(demo: Client, query: str, status: int) -> None:
    demo("GET", f"{at(ready(demo))}?{query}", version=PLAIN, status=status)


def test_what_is_not_there(demo: Client) -> None:
    bay = ready(demo)
    assert demo.error("GET", at(bay, "gpu"), version=PLAIN, status=404)["code"] == "client"
    demo("GET", at("nowhere"), version=PLAIN, status=404)
    demo("GET", f"{at(bay)}/detail", version=PLAIN, status=404)
    demo("GET", "/v1/nodegroups", version=PLAIN, status=404)
    demo("PUT", at(bay), version=PLAIN, status=405)


# --- making one ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [PLAIN, LATEST])
def test_a_new_group_is_an_operation_of_the_bay(demo: Client, version: str) -> None:
    bay = ready(demo, labels={"a": "1"})
    answer = demo("POST", at(bay), {"name": "gpu"}, version=version, status=202)
    body = answer.json
    assert body["status"] == "CREATE_IN_PROGRESS" and body["node_count"] == 1
    assert (body["role"], body["is_default"], body["min_node_count"]) == ("worker", False, 0)
    assert body["max_node_count"] is None and body["labels"] == {"a": "1"}
    operation = last(demo, bay)
    assert operation["verb"] == "update"
    assert operation["parameters"] == {"nodegroup": "gpu", "change": "create"}
    if version == LATEST:
        assert body["operation"] == operation["uuid"]
        assert answer.headers["Location"].endswith(operation["uuid"])
    else:
        assert "operation" not in body and "Location" not in answer.headers
    shown = demo("GET", f"/v1/clusters/{bay}", version=PLAIN, status=200).json
    assert (shown["status"], shown["node_count"]) == ("UPDATE_IN_PROGRESS", 2)
    assert group(demo, bay)["uuid"] == body["uuid"]


def test_what_it_says_for_itself_and_what_it_takes_from_the_cluster(demo: Client) -> None:
    bay = ready(demo, flavor_id="m1", labels={"a": "1", "b": "2"})
    body = add(
        demo,
        bay,
        node_count="3",
        min_node_count=1,
        max_node_count=5,
        role="gpu",
        flavor_id="g1",
        image_id="cuda",
        docker_volume_size=10,
        labels={"b": "3", "c": 4},
        merge_labels=True,
    )
    assert (body["node_count"], body["min_node_count"], body["max_node_count"]) == (3, 1, 5)
    assert (body["flavor_id"], body["image_id"], body["docker_volume_size"]) == ("g1", "cuda", 10)
    assert body["labels"] == {"a": "1", "b": "3", "c": "4"} and body["merge_labels"] is False
    assert body["labels_added"] == {"c": "4"} and body["labels_overridden"] == {"b": "2"}
    plain = add(demo, bay, name="plain", labels={"x": "y"}, image_id="", flavor_id=None)
    assert (plain["flavor_id"], plain["image_id"]) == ("m1", "fedora")
    assert plain["labels_skipped"] == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "/name"),
        ({"name": None}, 400, "/name"),
        ({"name": ""}, 400, "/name"),
        ({"name": "x" * 256}, 400, "/name"),
        ({"name": "a", "role": "master"}, 400, "/role"),
        ({"name": "a", "node_count": -1}, 400, "/node_count"),
        ({"name": "a", "node_count": "many"}, 400, "/node_count"),
        ({"name": "a", "min_node_count": 2}, 409, "/min_node_count"),
        ({"name": "a", "node_count": 3, "max_node_count": 2}, 409, "/max_node_count"),
        ({"name": "a", "docker_volume_size": 0}, 400, "/docker_volume_size"),
        ({"name": "a", "is_default": True}, 400, "/is_default"),
        ({"name": "a", "project_id": "p1"}, 400, "/project_id"),
        ({"name": "a", "node_addresses": []}, 400, "/node_addresses"),
        ({"name": "a", "nonsense": 1}, 400, "/nonsense"),
        ({"name": "a", "node_labels": {"a": "b"}}, 400, "/node_labels"),
        ([], 400, ""),
    ],
)
def test_a_bad_body_points_at_the_field(demo: Client, body: Any, status: int, field: str) -> None:
    bay = ready(demo)
    error = demo.error("POST", at(bay), body, version=V.format(13), status=status)
    assert error.get("field", "") == field
    assert len(operations_of(bay)) == 1


def test_no_nodes_and_no_limit(demo: Client) -> None:
    body = add(demo, ready(demo), node_count=0, min_node_count=None, max_node_count=0)
    assert (body["node_count"], body["min_node_count"], body["max_node_count"]) == (0, 0, 0)


def test_a_name_is_there_once_in_a_cluster(demo: Client) -> None:
    bay, another = ready(demo), ready(demo, name="b2")
    add(demo, bay)
    assert "gpu" in add(demo, bay, status=409)["errors"][0]["detail"]
    add(demo, bay, status=409, name="default-worker")
    add(demo, another)


def test_a_cluster_without_an_api_has_to_wait(demo: Client) -> None:
    bay = a_bay(demo)
    add(demo, bay, status=409)
    add(demo, bay, version=LATEST)  # waits behind the creation
    settle(bay, api_address=None)
    add(demo, bay, name="late", status=409, version=LATEST)


def test_a_driver_without_groups_says_so(demo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SwarmDriver, "node_groups", False)
    bay = ready(demo)
    detail = add(demo, bay, status=400)["errors"][0]["detail"]
    assert "swarm_test_v1 has no node groups" in detail


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("UPDATE_FAILED", 202),
        ("UPDATE_IN_PROGRESS", 202),
        ("CHECK_COMPLETE", 202),
        ("DELETE_IN_PROGRESS", 400),
        ("CREATE_FAILED", 400),
        ("CREATE_IN_PROGRESS", 400),
    ],
)
def test_which_status_of_the_cluster_lets_groups_come(demo: Client, status: str, code: int) -> None:
    bay = ready(demo)
    settle(bay, status=status)
    add(demo, bay, status=code)


# --- labels and taints of nodes --------------------------------------------------------------------------------------

MARKS: dict[str, Any] = {
    "node_labels": {"example.com/gpu": "yes", "tier": "", "node.kubernetes.io/kind": "big"},
    "node_taints": [{"key": "gpu", "effect": "NoSchedule", "value": "yes"}],
}


def test_marks_of_nodes(demo: Client) -> None:
    bay = ready(demo)
    body = add(demo, bay, version=V.format(14), **MARKS)
    assert {name: body[name] for name in MARKS} == MARKS


@pytest.mark.parametrize(
    ("marks", "field"),
    [
        ({"node_labels": {"kubernetes.io/x": "1"}}, "/node_labels/kubernetes.io~1x"),
        ({"node_labels": {"a.k8s.io/x": "1"}}, "/node_labels/a.k8s.io~1x"),
        ({"node_labels": {"bad name": "1"}}, "/node_labels/bad name"),
        ({"node_labels": {"a": "b c"}}, "/node_labels/a"),
        ({"node_taints": [{"effect": "NoSchedule"}]}, "/node_taints/0/key"),
        ({"node_taints": [{"key": "a", "effect": "Never"}]}, "/node_taints/0/effect"),
        ({"node_taints": [{"key": "a"}]}, "/node_taints/0/effect"),
        (
            {"node_taints": [{"key": "a", "effect": "NoExecute", "x": "y"}]},
            "/node_taints/0/x",
        ),
        (
            {"node_taints": [{"key": "a", "effect": "NoExecute", "value": 7}]},
            "/node_taints/0/value",
        ),
    ],
)
def test_marks_that_no_node_can_have(demo: Client, marks: Any, field: str) -> None:
    body = {"name": "gpu", **marks}
    error = demo.error("POST", at(ready(demo)), body, version=V.format(14), status=409)
    assert error["field"] == field


def test_marks_need_a_driver_that_can(demo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SwarmDriver, "node_labels", False)
    add(demo, ready(demo), status=400, version=V.format(14), **MARKS)


@pytest.mark.parametrize(
    "text", ['[{"key": "a", "effect": "NoExecute"}]', "[{'key': 'a', 'effect': 'NoExecute'}]"]
)
def test_other_marks_are_work_for_the_driver(demo: Client, text: str) -> None:
    bay = ready(demo)
    add(demo, bay)
    patch = [*replace("/node_labels", "{'a': 'b'}"), *replace("/node_taints", text)]
    error = demo.error("PATCH", at(bay, "gpu"), patch, version=V.format(14), status=400)
    assert "CREATE_IN_PROGRESS" in error["detail"]
    settle_group(bay, "gpu")
    body = demo("PATCH", at(bay, "gpu"), patch, version=V.format(14), status=202).json
    assert body["node_labels"] == {"a": "b"}
    assert body["node_taints"] == [{"key": "a", "effect": "NoExecute"}]
    assert body["status"] == "UPDATE_IN_PROGRESS"
    assert last(demo, bay)["parameters"] == {"nodegroup": "gpu", "change": "update"}
    for bad in ("{}", "nonsense", '"x"', '["\\u0000"]'):
        demo("PATCH", at(bay, "gpu"), replace("/node_taints", bad), status=400)


# --- bounds ----------------------------------------------------------------------------------------------------------


def settle_group(bay: str, name: str, status: str = "CREATE_COMPLETE") -> None:
    """Write what a conductor would write in the end."""
    from sqlalchemy import update

    from magnum.db import session
    from magnum.db.models import NodeGroup

    with session.engine().begin() as connection:
        mine = update(NodeGroup).where(NodeGroup.bay_id == bay, NodeGroup.name == name)
        connection.execute(mine.values(status=status))


def test_bounds_change_at_once(demo: Client) -> None:
    bay = ready(demo, node_count=3)
    patch = [*replace("/min_node_count", "1"), *replace("/max_node_count", 4)]
    body = demo("PATCH", at(bay, "default-worker"), patch, version=PLAIN, status=202).json
    assert (body["min_node_count"], body["max_node_count"]) == (1, 4)
    assert body["status"] == "CREATE_COMPLETE" and body["updated_at"]
    assert len(operations_of(bay)) == 1
    patch = [
        {"op": "remove", "path": "/min_node_count"},
        {"op": "remove", "path": "/max_node_count"},
    ]
    body = demo("PATCH", at(bay, "default-worker"), patch, version=LATEST, status=202).json
    assert (body["min_node_count"], body["max_node_count"]) == (0, None)
    assert body["operation"] is None


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        (replace("/min_node_count", 2), 409),
        (replace("/max_node_count", 0), 202),
        ([*replace("/min_node_count", 1), *replace("/max_node_count", 1)], 202),
        (replace("/node_count", 2), 400),
        (replace("/name", "x"), 400),
        (replace("/role", "x"), 400),
        (replace("/flavor_id", "x"), 400),
        (replace("/labels", {"a": "b"}), 400),
        (replace("/node_labels", {"a": "b"}), 400),
        (replace("/status", "x"), 400),
        (replace("/stack_id", "x"), 400),
        (replace("/uuid", "x"), 400),
        (replace("/min_node_count", None), 400),
        (replace("/min_node_count", -1), 400),
        ([{"op": "add", "path": "/min_node_count", "value": 1}], 400),
        ([{"op": "add", "path": "/max_node_count", "value": 1}], 202),
        ([{"op": "remove", "path": "/name"}], 400),
        (replace("/name", "default-worker"), 202),
        ([], 202),
        ({}, 400),
    ],
)
def test_what_a_patch_may_say(demo: Client, patch: Any, status: int) -> None:
    bay = ready(demo)
    demo("PATCH", at(bay, "default-worker"), patch, version=V.format(13), status=status)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("CREATE_COMPLETE", 202),
        ("UPDATE_IN_PROGRESS", 202),
        ("UPDATE_FAILED", 202),
        ("CREATE_FAILED", 400),
        ("CREATE_IN_PROGRESS", 400),
        ("DELETE_FAILED", 400),
    ],
)
def test_which_status_of_the_group_lets_it_change(demo: Client, status: str, code: int) -> None:
    bay = ready(demo)
    add(demo, bay)
    settle_group(bay, "gpu", status)
    demo("PATCH", at(bay, "gpu"), replace("/max_node_count", 5), version=PLAIN, status=code)


def test_the_default_groups_minimum_is_a_label(demo: Client) -> None:
    bay = ready(demo, node_count=3, labels={"min_node_count": "2"})
    assert group(demo, bay, "default-worker")["min_node_count"] == 2
    demo("PATCH", f"/v1/clusters/{bay}", replace("/node_count", 1), version=PLAIN, status=400)
    demo("PATCH", f"/v1/clusters/{bay}", replace("/node_count", 2), version=PLAIN, status=202)
    model = a_model(demo)["uuid"]
    for labels, field in (
        ({"min_node_count": "x"}, "/labels/min_node_count"),
        ({"min_node_count": "2"}, "/node_count"),
    ):
        body = {"name": "c", "baymodel_id": model, "labels": labels}
        assert demo.error("POST", "/v1/bays", body, status=400)["field"] == field


# --- taking one away -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [PLAIN, LATEST])
def test_a_group_goes_with_an_operation(demo: Client, version: str) -> None:
    bay = ready(demo)
    add(demo, bay)
    settle_group(bay, "gpu")
    answer = demo("DELETE", at(bay, "gpu"), version=version, status=204)
    assert last(demo, bay)["parameters"] == {"nodegroup": "gpu", "change": "delete"}
    assert ("Location" in answer.headers) == (version == LATEST)
    assert group(demo, bay)["status"] == "DELETE_IN_PROGRESS"
    # Asked again, it is the same one; and nothing else is to be had of it.
    demo("DELETE", at(bay, "gpu"), version=version, status=204)
    assert len(operations_of(bay)) == 3
    add(demo, bay, status=409)
    demo("PATCH", at(bay, "gpu"), replace("/max_node_count", 5), version=PLAIN, status=400)
    resize = {"node_count": 2, "nodegroup": "gpu"}
    demo("POST", f"/v1/clusters/{bay}/actions/resize", resize, version=PLAIN, status=400)


def test_a_default_group_stays(demo: Client) -> None:
    bay = ready(demo)
    for name in DEFAULTS:
        demo("DELETE", at(bay, name), version=PLAIN, status=400)


def test_a_creation_that_is_taken_back_was_never_there(demo: Client) -> None:
    bay = ready(demo)
    operation = add(demo, bay, version=LATEST)["operation"]
    demo("DELETE", f"/v1/operations/{operation}", status=204)
    demo("GET", at(bay, "gpu"), version=PLAIN, status=404)
    add(demo, bay)


def test_a_deletion_that_is_taken_back_leaves_it_as_it_was(demo: Client) -> None:
    bay = ready(demo)
    first = add(demo, bay, version=LATEST)["operation"]
    stands(first, state="DONE", next_run_at=None)
    settle_group(bay, "gpu")
    demo("DELETE", at(bay, "gpu"), status=204)
    demo("DELETE", f"/v1/operations/{operations_of(bay)[-1]}", status=204)
    assert group(demo, bay)["status"] == "CREATE_COMPLETE"
    demo("PATCH", at(bay, "gpu"), replace("/max_node_count", 5), version=PLAIN, status=202)


def test_of_a_creation_and_what_waits_behind_it_nothing_stays(demo: Client) -> None:
    bay = ready(demo)
    first = add(demo, bay, version=LATEST)["operation"]
    body = {"node_count": 3, "nodegroup": "gpu"}
    answer = demo("POST", f"/v1/clusters/{bay}/actions/resize", body, status=202)
    demo("DELETE", f"/v1/operations/{first}", status=204)
    demo("DELETE", f"/v1/operations/{answer.json['operation']}", status=204)
    demo("GET", at(bay, "gpu"), version=PLAIN, status=404)


# --- who may ---------------------------------------------------------------------------------------------------------


def test_a_reader_looks_and_another_project_sees_nothing(
    demo: Client, reader: Client, other: Client
) -> None:
    bay = ready(demo)
    reader("GET", at(bay), version=PLAIN, status=200)
    reader("GET", at(bay, "default-worker"), version=PLAIN, status=200)
    patch = replace("/max_node_count", 5)
    reader("POST", at(bay), {"name": "gpu"}, version=PLAIN, status=403)
    reader("PATCH", at(bay, "default-worker"), patch, version=PLAIN, status=403)
    reader("DELETE", at(bay, "default-worker"), version=PLAIN, status=403)
    for method, path, body in (
        ("GET", at(bay), None),
        ("GET", at(bay, "default-worker"), None),
        ("POST", at(bay), {"name": "gpu"}),
        ("PATCH", at(bay, "default-worker"), patch),
        ("DELETE", at(bay, "default-worker"), None),
    ):
        other(method, path, body, version=PLAIN, status=404)


def test_the_administrator_may_in_every_project(demo: Client, admin: Client) -> None:
    bay = ready(demo)
    admin("GET", at(bay), version=PLAIN, status=200)
    body = add(admin, bay)
    assert body["project_id"] == "p1"
    settle_group(bay, "gpu")
    admin("PATCH", at(bay, "gpu"), replace("/max_node_count", 5), version=PLAIN, status=202)
    admin("DELETE", at(bay, "gpu"), version=PLAIN, status=204)
