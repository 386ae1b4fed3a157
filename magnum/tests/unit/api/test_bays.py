"""Bays (contract 2.2)."""

import re
from typing import Any

import pytest
from sqlalchemy import insert, update

from magnum.conf import CONF
from magnum.db import session
from magnum.db.models import NodeGroup
from magnum.drivers import catalogue
from magnum.tests.api import (
    BEFORE_OPERATIONS,
    LATEST,
    Client,
    Settings,
    a_bay,
    a_model,
    replace,
    settle,
    shown,
)

SHORT = {
    *("uuid", "name", "baymodel_id", "docker_volume_size", "labels", "master_flavor_id"),
    *("flavor_id", "node_count", "master_count", "bay_create_timeout", "status", "stack_id"),
    *("links", "floating_ip_enabled", "driver", "driver_version", "template_version"),
}
FULL = SHORT | {
    *("status_reason", "discovery_url", "api_address", "coe_version", "container_version"),
    *("node_addresses", "master_addresses", "fixed_network", "fixed_subnet"),
    *("master_lb_enabled", "created_at", "updated_at"),
}
#: From 1.15 on: what clusters always had, in lists and with all fields.
MORE_SHORT = {"keypair", "health_status", "merge_labels"}
MORE = MORE_SHORT | {
    *("project_id", "user_id", "health_status_reason"),
    *("labels_added", "labels_overridden", "labels_skipped"),
}
#: From 1.15 on: with all fields, and of one.
AGE = {"generation", "observed_generation", "observed_at"}
PRESENT = {
    *("operation", "stale", "placement", "hints", "site", "options", "utilisation"),
    "ca_expires_at",
}


def refused(client: Client, answered: int = 400, **fields: Any) -> str | None:
    """The field that a refused POST names."""
    field: str | None = client.error("POST", "/v1/bays", fields, status=answered).get("field")
    return field


def test_create_is_asynchronous(demo: Client) -> None:
    model = a_model(demo)["uuid"]
    answer = demo("POST", "/v1/bays", {"baymodel_id": model}, version="container-infra 1.2")
    assert answer.status_int == 202
    assert set(answer.json) == {"uuid"}
    assert "Location" not in answer.headers
    assert shown(demo, answer.json["uuid"])["status"] == "CREATE_IN_PROGRESS"


@pytest.mark.parametrize("version", [None, "container-infra 1.1"])
def test_create_was_synchronous_once(demo: Client, version: str | None) -> None:
    body = {
        "name": "b",
        "baymodel_id": a_model(demo)["uuid"],
        "node_count": 1,
        "master_count": 1,
        "discovery_url": None,
        "bay_create_timeout": 0,
    }
    answer = demo("POST", "/v1/bays", body, version=version, status=201)
    made = answer.json
    assert set(made) == FULL
    assert answer.headers["Location"] == f"http://localhost/v1/bays/{made['uuid']}"
    assert made["bay_create_timeout"] == 0
    assert shown(demo, made["uuid"], BEFORE_OPERATIONS) == made


def test_what_a_bay_has_of_its_baymodel(demo: Client) -> None:
    model = a_model(
        demo,
        flavor_id="small",
        master_flavor_id="large",
        fixed_network="net",
        fixed_subnet="sub",
        docker_volume_size=9,
        master_lb_enabled=True,
        floating_ip_enabled=False,
        labels={"a": "1"},
    )["uuid"]
    bay = shown(demo, a_bay(demo, baymodel_id="model"))
    expected = {
        "name": "bay",
        "baymodel_id": model,
        "flavor_id": "small",
        "master_flavor_id": "large",
        "fixed_network": "net",
        "fixed_subnet": "sub",
        "docker_volume_size": 9,
        "master_lb_enabled": True,
        "floating_ip_enabled": False,
        "labels": {"a": "1"},
        "node_count": 1,
        "master_count": 1,
        "bay_create_timeout": CONF.lifecycle.default_deadline,
        "driver": "swarm_test_v1",
        "driver_version": "1.2.0",
        "template_version": "7",
        "stack_id": None,
        "api_address": None,
        "node_addresses": [],
        "master_addresses": [],
        "updated_at": None,
    }
    assert set(bay) == FULL | MORE | AGE | PRESENT
    assert {name: bay[name] for name in expected} == expected
    assert bay["created_at"].endswith("+00:00")
    assert bay["links"][0]["href"] == f"http://localhost/v1/bays/{bay['uuid']}"


def test_what_a_bay_may_say_itself(demo: Client) -> None:
    said: dict[str, Any] = {
        "name": "mine",
        "node_count": 4,
        "master_count": 3,
        "bay_create_timeout": 10,
        "discovery_url": "https://discovery/1",
        "docker_volume_size": 7,
        "labels": {"b": "2"},
        "flavor_id": "f",
        "master_flavor_id": "m",
        "fixed_network": "n",
        "fixed_subnet": "s",
        "floating_ip_enabled": False,
        "master_lb_enabled": True,
    }
    model = a_model(demo, labels={"a": "1"}, flavor_id="other")["uuid"]
    bay = shown(demo, a_bay(demo, baymodel_id=model, **said))
    assert {name: bay[name] for name in said} == said


def test_nothing_said_is_the_baymodels_word(demo: Client) -> None:
    a_model(demo, labels={"a": "1"}, flavor_id="f", master_lb_enabled=True, docker_volume_size=4)
    silent: dict[str, Any]
    for silent in (
        {"labels": {}, "flavor_id": None, "docker_volume_size": None, "node_count": None},
        {"labels": None, "flavor_id": "", "docker_volume_size": "", "node_count": ""},
    ):
        bay = shown(demo, a_bay(demo, baymodel_id="model", **silent))
        assert bay["labels"] == {"a": "1"}
        assert bay["flavor_id"] == "f"
        assert bay["docker_volume_size"] == 4
        assert bay["node_count"] == 1
        assert bay["master_lb_enabled"] is True


def test_two_nulls_say_something(demo: Client) -> None:
    a_model(demo, master_lb_enabled=True)
    said = {"master_lb_enabled": None, "bay_create_timeout": None}
    bay = shown(demo, a_bay(demo, baymodel_id="model", **said))
    assert bay["master_lb_enabled"] is False
    assert bay["bay_create_timeout"] is None
    unsaid = shown(
        demo, a_bay(demo, baymodel_id="model", master_lb_enabled="", bay_create_timeout="")
    )
    assert unsaid["master_lb_enabled"] is True
    assert unsaid["bay_create_timeout"] == CONF.lifecycle.default_deadline


@pytest.mark.parametrize("name", [None, ""])
def test_a_name_is_made_up(demo: Client, name: Any) -> None:
    bay = shown(demo, a_bay(demo, name=name))
    assert re.fullmatch(r"[a-z]+-\d{1,2}-bay", bay["name"])


def test_numbers_may_be_text(demo: Client) -> None:
    bay = shown(demo, a_bay(demo, node_count="3", bay_create_timeout="15"))
    assert (bay["node_count"], bay["bay_create_timeout"]) == (3, 15)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "1bay"),
        ("name", "a bay"),
        ("name", "bay\n"),
        ("name", "b" * 243),
        ("name", 5),
        ("node_count", -1),
        ("node_count", "x"),
        ("node_count", 2**31),
        ("master_count", 0),
        ("master_count", 3),
        ("bay_create_timeout", -1),
        ("bay_create_timeout", 2**31),
        ("docker_volume_size", 0),
        ("labels", ["a"]),
        ("floating_ip_enabled", "perhaps"),
        ("create_timeout", 5),
        ("cluster_template_id", "x"),
        ("merge_labels", "perhaps"),
        ("status", "CREATE_COMPLETE"),
        ("stack_id", "x"),
        ("cluster_id", "x"),
        ("api_address", "x"),
        ("node_addresses", []),
        ("master_addresses", []),
        ("coe_version", "1"),
        ("container_version", "1"),
        ("project_id", "p1"),
        ("user_id", "u1"),
        ("links", []),
        ("created_at", None),
        ("updated_at", None),
        ("nothing", None),
    ],
)
def test_a_bad_value_is_named(demo: Client, field: str, value: Any) -> None:
    assert refused(demo, baymodel_id=a_model(demo)["uuid"], **{field: value}) == f"/{field}"


@pytest.mark.parametrize(
    ("field", "value"), [("node_count", 0), ("keypair", "key"), ("merge_labels", True)]
)
def test_what_bays_did_not_have_before(demo: Client, field: str, value: Any) -> None:
    body = {"baymodel_id": a_model(demo)["uuid"], field: value}
    error = demo.error("POST", "/v1/bays", body, version=BEFORE_OPERATIONS, status=400)
    assert error["field"] == f"/{field}"
    demo("POST", "/v1/bays", body, status=202)


@pytest.mark.parametrize("minor", [1, 9, 10, 14])
@pytest.mark.parametrize("model", [None, "", "nothing", "11111111-2222-3333-4444-555555555555"])
def test_an_unknown_baymodel_is_400_at_every_version(
    demo: Client, minor: int, model: str | None
) -> None:
    version = f"container-infra 1.{minor}"
    error = demo.error("POST", "/v1/bays", {"baymodel_id": model}, version=version, status=400)
    assert error["field"] == "/baymodel_id"


def test_a_missing_baymodel_is_400(demo: Client) -> None:
    assert refused(demo, name="b") == "/baymodel_id"


def test_an_ambiguous_baymodel_is_409(demo: Client) -> None:
    a_model(demo)
    a_model(demo)
    assert refused(demo, 409, baymodel_id="model") == "/baymodel_id"


def test_another_projects_baymodel_is_unknown_but_not_to_the_administrator(
    demo: Client, other: Client, admin: Client
) -> None:
    theirs = a_model(other)["uuid"]
    assert refused(demo, baymodel_id=theirs) == "/baymodel_id"
    a_bay(admin, baymodel_id=theirs)


def test_several_masters_need_a_load_balancer(demo: Client) -> None:
    a_model(demo)
    assert refused(demo, baymodel_id="model", master_count=3) == "/master_count"
    a_bay(demo, baymodel_id="model", master_count=3, master_lb_enabled=True)


def test_a_baymodel_whose_driver_has_gone_is_400(
    demo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from magnum.drivers import catalogue

    uuid = a_model(demo, driver="swarm_test_v1")["uuid"]
    empty = catalogue.Catalogue()
    monkeypatch.setattr(catalogue, "catalogue", lambda: empty)
    assert refused(demo, baymodel_id=uuid) == "/baymodel_id"


def test_a_project_has_a_quota(demo: Client, other: Client, config: Settings) -> None:
    config("quotas", max_clusters_per_project=1)
    a_bay(demo)
    error = demo.error("POST", "/v1/bays", {"baymodel_id": "model"}, status=403)
    assert error["reason"] == "PROJECT_QUOTA_EXCEEDED"
    a_bay(other)


def test_lists_are_short_or_full(demo: Client) -> None:
    uuid = a_bay(demo)
    (item,) = demo("GET", "/v1/bays").json["bays"]
    assert set(item) == SHORT | MORE_SHORT
    (item,) = demo("GET", "/v1/bays/detail").json["bays"]
    assert set(item) == FULL | MORE | AGE
    one = shown(demo, uuid)
    assert set(one) == FULL | MORE | AGE | PRESENT
    assert {name: one[name] for name in item} == item


def test_a_name_may_be_used_twice_and_is_then_ambiguous(demo: Client) -> None:
    a_model(demo)
    uuids = [a_bay(demo, baymodel_id="model") for _ in range(2)]
    for method in ("GET", "DELETE", "PATCH"):
        demo(method, "/v1/bays/bay", status=409)
    assert shown(demo, uuids[0])["name"] == "bay"


def test_what_looks_like_a_uuid_is_no_name(demo: Client) -> None:
    name = "aaaaaaaa-2222-3333-4444-555555555555"
    uuid = a_bay(demo, name=name)
    demo("GET", f"/v1/bays/{name}", status=404)
    demo("GET", f"/v1/bays/{uuid}", status=200)


def test_addresses_and_counts_are_sums_over_groups(demo: Client) -> None:
    uuid = a_bay(demo, node_count=2)
    with session.engine().begin() as connection:
        for name, addresses in (("default-master", ["10.0.0.1"]), ("default-worker", ["10.0.0.2"])):
            connection.execute(
                update(NodeGroup).where(NodeGroup.name == name).values(node_addresses=addresses)
            )
        group = {
            "uuid": "99999999-2222-3333-4444-555555555555",
            "bay_id": uuid,
            "project_id": "p1",
            "name": "extra",
            "role": "gpu",
            "node_count": 3,
            "node_addresses": ["10.0.0.9"],
            "labels": {},
        }
        connection.execute(insert(NodeGroup), [group])
    bay = shown(demo, uuid)
    assert (bay["node_count"], bay["master_count"]) == (5, 1)
    assert bay["node_addresses"] == ["10.0.0.2", "10.0.0.9"]
    assert bay["master_addresses"] == ["10.0.0.1"]
    # A patch means the default group, so its own size is no change.
    settle(uuid)
    demo("PATCH", f"/v1/bays/{uuid}", replace("/node_count", 2), status=202)
    assert shown(demo, uuid)["status"] == "CREATE_COMPLETE"


def test_faults_are_shown_of_one_that_failed(demo: Client) -> None:
    uuid = a_bay(demo)
    settle(uuid)
    assert "bay_faults" not in shown(demo, uuid)
    settle(uuid, status="CREATE_FAILED", status_reason="no room")
    with session.engine().begin() as connection:
        connection.execute(
            update(NodeGroup)
            .where(NodeGroup.name == "default-worker")
            .values(status="CREATE_FAILED", status_reason="no valid host")
        )
    bay = shown(demo, uuid)
    assert bay["status_reason"] == "no room"
    assert bay["bay_faults"] == {"default-worker": "no valid host"}
    faults = [
        {"resource": "workers / 1", "type": "OS::Nova::Server", "text": "no", "request_id": "r-1"},
        {"resource": "port", "type": "OS::Neutron::Port", "text": "none left", "request_id": ""},
    ]
    settle(uuid, status="CREATE_FAILED", faults=faults)
    for version in ("container-infra 1.1", BEFORE_OPERATIONS, LATEST):
        assert shown(demo, uuid, version)["bay_faults"] == {
            "default-worker": "no valid host",
            "workers / 1": "OS::Nova::Server: no (r-1)",
            "port": "OS::Neutron::Port: none left",
        }
    (item,) = demo("GET", "/v1/bays/detail").json["bays"]
    assert "bay_faults" not in item


@pytest.mark.parametrize("status", ["CREATE_IN_PROGRESS", "CREATE_COMPLETE", "DELETE_FAILED"])
@pytest.mark.parametrize("version", [None, "container-infra latest"])
def test_delete_from_every_status(demo: Client, status: str, version: str | None) -> None:
    uuid = a_bay(demo)
    settle(uuid, status=status)
    answer = demo("DELETE", f"/v1/bays/{uuid}", version=version, status=204)
    assert answer.body == b""
    assert shown(demo, uuid)["status"] == "DELETE_IN_PROGRESS"
    demo("DELETE", f"/v1/bays/{uuid}", status=204)


def test_the_administrator_sees_and_changes_all(admin: Client, demo: Client) -> None:
    uuid = a_bay(demo)
    assert [bay["uuid"] for bay in admin("GET", "/v1/bays").json["bays"]] == [uuid]
    assert [bay["uuid"] for bay in admin("GET", "/v1/bays/detail").json["bays"]] == [uuid]
    settle(uuid)
    admin("PATCH", f"/v1/bays/{uuid}", replace("/node_count", 2), status=202)
    admin("PATCH", f"/v1/bays/{uuid}", replace("/node_count", 2), version=None, status=200)
    admin("DELETE", f"/v1/bays/{uuid}", status=204)


def test_an_administrator_without_a_project_owns_nothing(caller: Any, demo: Client) -> None:
    system = caller(project="", roles="admin", user="root")
    uuid = a_bay(demo)
    system("GET", f"/v1/bays/{uuid}", status=200)
    model = a_model(demo)["uuid"]
    system("POST", "/v1/bays", {"baymodel_id": model}, status=403)


def test_a_bay_whose_driver_is_gone_says_so(demo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    bay = a_bay(demo)
    assert shown(demo, bay)["status_reason"] is None
    monkeypatch.setattr(catalogue, "catalogue", catalogue.Catalogue)
    seen = shown(demo, bay)
    assert seen["status"] == "CREATE_IN_PROGRESS"
    assert seen["status_reason"].startswith("DRIVER_MISSING: The driver swarm_test_v1 ")
    (listed,) = demo("GET", "/v1/bays/detail", status=200).json["bays"]
    assert listed["status_reason"] == seen["status_reason"]
    settle(bay, status_reason="STACK_CHANGED: Somebody has changed the cluster.")
    assert shown(demo, bay)["status_reason"].startswith("STACK_CHANGED")
