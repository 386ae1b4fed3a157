"""Actions on a bay: accepted into its queue once each, refused with what is in the way."""

from typing import Any

import pytest

from magnum.tests.api import Client, a_bay, a_model, operations_of, settle, shown, stands

VERBS = ("rebuild", "soft_reboot", "hard_reboot")


def act(
    client: Client, bay: str, verb: str, body: Any = None, status: int = 202, **more: Any
) -> Any:
    """Ask for an action and return the answer."""
    return client("POST", f"/v1/bays/{bay}/actions/{verb}", body, status=status, **more)


def verbs(client: Client, bay: str) -> list[str]:
    """What is asked of a bay, in order."""
    listed = client("GET", f"/v1/bays/{bay}/operations", status=200).json["operations"]
    return [one["verb"] for one in listed]


@pytest.mark.parametrize("collection", ["bays", "clusters"])
@pytest.mark.parametrize("verb", VERBS)
def test_an_action_is_an_operation_with_its_parameters(
    demo: Client, verb: str, collection: str
) -> None:
    bay = a_bay(demo)
    settle(bay)
    body = {"nodes": ["node-1"], "batch_size": "2"}
    answer = demo("POST", f"/v1/{collection}/{bay}/actions/{verb}", body, status=202)
    assert answer.json["uuid"] == bay
    operation = demo("GET", f"/v1/operations/{answer.json['operation']}", status=200).json
    assert operation["verb"] == verb
    assert operation["parameters"] == {"nodes": ["node-1"], "batch_size": 2}
    assert answer.headers["Location"].endswith(f"/v1/operations/{operation['uuid']}")
    assert shown(demo, bay)["status"] == "UPDATE_IN_PROGRESS"


@pytest.mark.parametrize("body", [None, {}, {"nodes": None, "batch_size": None}])
def test_no_body_means_all_nodes(demo: Client, body: Any) -> None:
    bay = a_bay(demo)
    settle(bay)
    operation = act(demo, bay, "rebuild", body).json["operation"]
    assert demo("GET", f"/v1/operations/{operation}", status=200).json["parameters"] == {}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"nodes": []}, "/nodes"),
        ({"nodes": [7]}, "/nodes/0"),
        ({"nodes": ["a", "a"]}, "/nodes"),
        ({"nodes": "a"}, "/nodes"),
        ({"batch_size": 0}, "/batch_size"),
        ({"batch_size": "many"}, "/batch_size"),
        ({"image": "x"}, "/image"),
        ([], ""),
    ],
)
def test_a_bad_body_is_refused_and_the_field_is_named(demo: Client, body: Any, field: str) -> None:
    bay = a_bay(demo)
    settle(bay)
    error = act(demo, bay, "rebuild", body, status=400).json["errors"][0]
    assert field in str(error)
    assert len(operations_of(bay)) == 1


def test_the_same_action_twice_is_one_operation(demo: Client) -> None:
    bay = a_bay(demo)
    settle(bay)
    first = act(demo, bay, "rebuild").json["operation"]
    assert act(demo, bay, "rebuild").json["operation"] == first
    assert act(demo, bay, "hard_reboot").json["operation"] != first


def test_an_action_waits_behind_what_is_under_way(demo: Client) -> None:
    bay = a_bay(demo)
    act(demo, bay, "soft_reboot")
    assert shown(demo, bay)["status"] == "CREATE_IN_PROGRESS"
    assert verbs(demo, bay) == ["create", "soft_reboot"]


def test_a_bay_that_is_being_deleted_says_which_operation_is_in_the_way(demo: Client) -> None:
    bay = a_bay(demo)
    demo("DELETE", f"/v1/bays/{bay}", status=204)
    answer = act(demo, bay, "rebuild", status=409)
    assert operations_of(bay)[-1] in answer.text


def test_a_bay_that_never_came_to_be_can_only_be_deleted(demo: Client) -> None:
    bay = a_bay(demo)
    settle(bay, status="CREATE_FAILED")
    stands(operations_of(bay)[0], state="FAILED", next_run_at=None)
    answer = act(demo, bay, "rebuild", status=400)
    assert "CREATE_FAILED" in answer.text and "Delete" in answer.text


def test_a_driver_without_the_verb_is_a_bad_request(demo: Client) -> None:
    a_model(demo, name="fixed", driver="fixed_test_v1", coe="mesos", cluster_distro="flatcar")
    bay = a_bay(demo, baymodel_id="fixed")
    answer = act(demo, bay, "rebuild", status=400)
    assert "fixed_test_v1 cannot rebuild" in answer.text


def test_before_the_version_that_has_them_there_are_no_actions(demo: Client) -> None:
    bay = a_bay(demo)
    act(demo, bay, "rebuild", status=404, version="container-infra 1.14")
    act(demo, bay, "explode", status=404)


def test_of_another_projects_bay_nothing_is_known(demo: Client, other: Client) -> None:
    bay = a_bay(demo)
    act(other, bay, "rebuild", status=404)


def test_a_reader_may_not(demo: Client, reader: Client) -> None:
    bay = a_bay(demo)
    act(reader, bay, "rebuild", status=403)
