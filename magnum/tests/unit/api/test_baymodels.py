"""Baymodels (contract 2.1)."""

import re
from typing import Any

import pytest

from magnum.tests.api import MODEL, Client, Settings, a_bay

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

FIELDS = {
    *("uuid", "name", "coe", "driver", "image_id", "keypair_id", "flavor_id", "master_flavor_id"),
    *("external_network_id", "fixed_network", "fixed_subnet", "dns_nameserver", "network_driver"),
    *("volume_driver", "docker_volume_size", "docker_storage_driver", "apiserver_port"),
    *("cluster_distro", "http_proxy", "https_proxy", "no_proxy", "insecure_registry"),
    *("registry_enabled", "tls_disabled", "public", "hidden", "server_type", "master_lb_enabled"),
    *("floating_ip_enabled", "labels", "tags", "project_id", "user_id", "links"),
    *("created_at", "updated_at", "options"),
}

EVERY_VALUE: dict[str, Any] = {
    "options": {},
    "name": "all of it",
    "coe": "swarm",
    "driver": "swarm_test_v1",
    "image_id": "fedora",
    "keypair_id": "key",
    "flavor_id": "small",
    "master_flavor_id": "large",
    "external_network_id": "public",
    "fixed_network": "private",
    "fixed_subnet": "private-subnet",
    "dns_nameserver": "8.8.8.8",
    "network_driver": "flannel",
    "volume_driver": "rexray",
    "docker_volume_size": 5,
    "docker_storage_driver": "devicemapper",
    "apiserver_port": 8080,
    "cluster_distro": "fedora-atomic",
    "http_proxy": "http://proxy:1",
    "https_proxy": "https://proxy:1",
    "no_proxy": "10.0.0.1,localhost",
    "insecure_registry": "registry:5000",
    "registry_enabled": True,
    "tls_disabled": True,
    "public": False,
    "hidden": False,
    "server_type": "vm",
    "master_lb_enabled": True,
    "floating_ip_enabled": False,
    "labels": {"a": "1"},
    "tags": "one,two",
}


def post(client: Client, status: int = 201, **fields: Any) -> dict[str, Any]:
    """POST a model with these fields; ``...`` leaves one out."""
    body = {name: value for name, value in {**MODEL, **fields}.items() if value is not ...}
    answer: dict[str, Any] = client("POST", "/v1/baymodels", body, status=status).json
    return answer


def refused(client: Client, status: int = 400, **fields: Any) -> str | None:
    """The field that a refused POST names."""
    field: str | None = post(client, status, **fields)["errors"][0].get("field")
    return field


def patch(client: Client, ident: str, *operations: tuple[Any, ...], status: int = 200) -> Any:
    """PATCH with (op, path, value)."""
    body = [dict(zip(("op", "path", "value"), parts, strict=False)) for parts in operations]
    return client("PATCH", f"/v1/baymodels/{ident}", body, status=status).json


def test_create_answers_the_whole_and_where_it_is(demo: Client) -> None:
    answer = demo("POST", "/v1/baymodels", MODEL, status=201)
    made = answer.json
    assert set(made) == FIELDS
    assert UUID.fullmatch(made["uuid"])
    assert answer.headers["Location"] == f"http://localhost/v1/baymodels/{made['uuid']}"
    assert made["links"] == [
        {"href": f"http://localhost/v1/baymodels/{made['uuid']}", "rel": "self"},
        {"href": f"http://localhost/baymodels/{made['uuid']}", "rel": "bookmark"},
    ]
    assert made["created_at"].endswith("+00:00")
    assert made["updated_at"] is None
    assert (made["project_id"], made["user_id"]) == ("p1", "u1")
    defaults = {
        "network_driver": "docker",
        "registry_enabled": False,
        "tls_disabled": False,
        "public": False,
        "hidden": False,
        "server_type": "vm",
        "master_lb_enabled": False,
        "floating_ip_enabled": True,
        "labels": {},
        "tags": None,
        "driver": None,
    }
    assert {name: made[name] for name in defaults} == defaults
    assert demo("GET", f"/v1/baymodels/{made['uuid']}", status=200).json == made


def test_every_field_can_be_given_and_is_kept(demo: Client) -> None:
    made = post(demo, **EVERY_VALUE)
    assert {name: made[name] for name in EVERY_VALUE} == EVERY_VALUE
    assert FIELDS - {"uuid", "project_id", "user_id", "links", "created_at", "updated_at"} == set(
        EVERY_VALUE
    )


def test_it_is_found_by_name_and_uuid_and_in_both_lists(demo: Client) -> None:
    made = post(demo)
    for path in (made["uuid"], "model", "model/"):
        assert demo("GET", f"/v1/baymodels/{path}", status=200).json == made
    for path in ("", "/detail"):
        assert demo("GET", f"/v1/baymodels{path}", status=200).json == {"baymodels": [made]}


def test_a_name_may_be_used_twice_and_is_then_ambiguous(demo: Client) -> None:
    post(demo)
    post(demo)
    for method in ("GET", "DELETE"):
        demo(method, "/v1/baymodels/model", status=409)
    demo("PATCH", "/v1/baymodels/model", [], status=409)


@pytest.mark.parametrize("name", [None, "", ...])
def test_a_name_is_made_up(demo: Client, name: Any) -> None:
    assert re.fullmatch(r"[a-z]+-\d{1,2}-model", post(demo, name=name)["name"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("coe", "nonsense"),
        ("coe", "kubernetes-ish"),
        ("image_id", ...),
        ("image_id", None),
        ("image_id", ""),
        ("keypair_id", ...),
        ("name", "x" * 256),
        ("dns_nameserver", "8.8.8.8,"),
        ("dns_nameserver", "8.8.8.8 8.8.4.4"),
        ("dns_nameserver", "2001:db8::1"),
        ("dns_nameserver", "8.8.8.256"),
        ("network_driver", "calico"),
        ("volume_driver", "cinder"),
        ("docker_volume_size", 0),
        ("docker_volume_size", "a lot"),
        ("apiserver_port", 1023),
        ("apiserver_port", 65536),
        ("server_type", "lxc"),
        ("server_type", "bm"),
        ("tags", "x" * 256),
        ("tls_disabled", "perhaps"),
        ("project_id", "p2"),
        ("user_id", "u2"),
        ("links", []),
        ("created_at", "2026-01-01T00:00:00"),
        ("updated_at", None),
        ("nothing", 1),
        ("uuid", "not-a-uuid"),
        ("driver", "nothing_v1"),
        ("driver", "fixed_test_v1"),
        ("labels", None),
    ],
)
def test_a_bad_value_is_named(demo: Client, field: str, value: Any) -> None:
    named = refused(demo, **{field: value})
    # Named driver and given coe contradict each other, and the coe is what is pointed at.
    assert named == ("/coe" if value == "fixed_test_v1" else f"/{field}")


def test_a_label_without_a_value_is_named(demo: Client) -> None:
    assert refused(demo, labels={"k": None}) == "/labels/k"


@pytest.mark.parametrize("coe", [None, "", ...])
def test_neither_driver_nor_coe_is_400(demo: Client, coe: Any) -> None:
    assert refused(demo, coe=coe) == "/coe"


def test_a_driver_brings_its_coe_and_distribution(demo: Client) -> None:
    made = post(demo, coe=..., cluster_distro=..., driver="swarm_test_v1")
    assert made["coe"] == "swarm"
    assert made["cluster_distro"] == "fedora-atomic"
    assert made["driver"] == "swarm_test_v1"
    assert made["network_driver"] == "docker"


def test_a_driver_with_several_coes_needs_one(demo: Client) -> None:
    assert refused(demo, coe=..., cluster_distro=..., driver="fixed_test_v1") == "/coe"
    made = post(demo, coe="mesos", cluster_distro=..., driver="fixed_test_v1")
    assert made["cluster_distro"] == "flatcar"


def test_an_unknown_driver_is_told_which_there_are(demo: Client) -> None:
    error = post(demo, 400, driver="nothing_v1")["errors"][0]
    assert "swarm_test_v1" in error["detail"]


def test_a_distribution_that_no_driver_builds_on_is_400(demo: Client) -> None:
    assert refused(demo, cluster_distro="haiku") == "/cluster_distro"


def test_without_an_image_service_the_driver_says_the_distribution(demo: Client) -> None:
    assert post(demo, cluster_distro=...)["cluster_distro"] == "fedora-atomic"


def test_devicemapper_needs_no_size_but_a_given_one_must_do(demo: Client) -> None:
    post(demo, docker_storage_driver="devicemapper", docker_volume_size=None)
    post(demo, docker_storage_driver="devicemapper", docker_volume_size=3)
    post(demo, docker_storage_driver="overlay2", docker_volume_size=1)
    field = refused(demo, docker_storage_driver="devicemapper", docker_volume_size=2)
    assert field == "/docker_volume_size"


def test_network_drivers_are_the_operators_to_allow(demo: Client, config: Settings) -> None:
    config("cluster_template", swarm_allowed_network_drivers=["flannel"])
    assert refused(demo) == "/network_driver"
    config("cluster_template", swarm_default_network_driver="flannel")
    assert post(demo)["network_driver"] == "flannel"


def test_text_is_read_as_what_it_means(demo: Client) -> None:
    made = post(
        demo,
        docker_volume_size="5",
        apiserver_port="8080",
        tls_disabled="True",
        floating_ip_enabled="off",
        labels={"a": 1, "b": True, "c": 0.5},
    )
    assert (made["docker_volume_size"], made["apiserver_port"]) == (5, 8080)
    assert (made["tls_disabled"], made["floating_ip_enabled"]) == (True, False)
    assert made["labels"] == {"a": "1", "b": "True", "c": "0.5"}


def test_what_old_clients_send_is_accepted(demo: Client) -> None:
    nothing: dict[str, Any] = dict.fromkeys(set(EVERY_VALUE) - {"coe", "image_id", "labels"})
    made = post(demo, **{**nothing, "labels": {}, "cluster_distro": "fedora-atomic"})
    assert made["server_type"] == "vm"
    assert made["floating_ip_enabled"] is True
    empty: dict[str, Any] = dict.fromkeys(set(EVERY_VALUE) - {"coe", "image_id"}, "")
    assert post(demo, **{**empty, "cluster_distro": ""})["keypair_id"] is None


def test_a_uuid_may_be_chosen_once(demo: Client, other: Client) -> None:
    uuid = "11111111-2222-3333-4444-555555555555"
    assert post(demo, uuid=uuid)["uuid"] == uuid
    assert refused(other, 409, uuid=uuid) == "/uuid"


def test_publishing_needs_the_right(demo: Client, admin: Client) -> None:
    for field in ("public", "hidden"):
        post(demo, 403, **{field: True})
        made = post(admin, **{field: True})
        assert made[field] is True


def test_patch_changes_and_answers_the_whole(demo: Client) -> None:
    uuid = post(demo, docker_volume_size=5)["uuid"]
    changed = patch(
        demo,
        uuid,
        ("replace", "/name", "new"),
        ("replace", "/docker_volume_size", "7"),
        ("replace", "/floating_ip_enabled", "False"),
        ("replace", "/labels", "{'a': '1'}"),
        ("add", "/labels/b", 2),
        ("add", "/flavor_id", "small"),
    )
    assert set(changed) == FIELDS
    assert changed["name"] == "new"
    assert changed["docker_volume_size"] == 7
    assert changed["floating_ip_enabled"] is False
    assert changed["labels"] == {"a": "1", "b": "2"}
    assert changed["flavor_id"] == "small"
    assert changed["updated_at"].endswith("+00:00")
    again = patch(demo, uuid, ("remove", "/name"), ("remove", "/labels"), ("remove", "/flavor_id"))
    assert (again["name"], again["labels"], again["flavor_id"]) == (None, {}, None)


@pytest.mark.parametrize("body", [None, []])
def test_an_empty_patch_changes_nothing(demo: Client, body: Any) -> None:
    made = post(demo)
    assert demo("PATCH", f"/v1/baymodels/{made['uuid']}", body, status=200).json == made


@pytest.mark.parametrize(
    "path",
    [
        *("/coe", "/image_id", "/network_driver", "/external_network_id", "/tls_disabled"),
        *("/public", "/server_type", "/registry_enabled", "/cluster_distro", "/hidden"),
    ],
)
def test_what_is_mandatory_cannot_be_removed(demo: Client, path: str) -> None:
    uuid = post(demo)["uuid"]
    error = patch(demo, uuid, ("remove", path), status=400)["errors"][0]
    assert error["field"] == "/0/path"


def test_what_is_optional_can_be_removed(demo: Client) -> None:
    uuid = post(demo, **EVERY_VALUE)["uuid"]
    removable = set(EVERY_VALUE) - {
        *("coe", "image_id", "network_driver", "external_network_id", "tls_disabled", "public"),
        *("server_type", "registry_enabled", "cluster_distro", "hidden"),
    }
    changed = patch(demo, uuid, *[("remove", f"/{name}") for name in sorted(removable)])
    after = {name: changed[name] for name in removable}
    assert {name for name, value in after.items() if value is not None} == {
        *("master_lb_enabled", "floating_ip_enabled", "labels", "options")
    }
    assert (after["master_lb_enabled"], after["floating_ip_enabled"]) == (False, True)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/coe", "nonsense"),
        ("/coe", "kubernetes"),
        ("/driver", "nothing_v1"),
        ("/driver", "fixed_test_v1"),
        ("/server_type", "bm"),
        ("/cluster_distro", "haiku"),
        ("/network_driver", "calico"),
        ("/volume_driver", "cinder"),
        ("/docker_volume_size", "x"),
        ("/docker_volume_size", 2),
        ("/dns_nameserver", "x"),
        ("/tags", 5),
    ],
)
def test_a_patch_is_checked_as_a_creation_is(demo: Client, path: str, value: Any) -> None:
    uuid = post(demo, docker_storage_driver="devicemapper")["uuid"]
    operations = [("replace", "/no_proxy", "x"), ("replace", path, value)]
    error = patch(demo, uuid, *operations, status=400)["errors"][0]
    assert error["field"] == "/1/value"


def test_what_a_patch_leaves_alone_is_not_judged_again(demo: Client, config: Settings) -> None:
    uuid = post(demo)["uuid"]
    config("cluster_template", swarm_allowed_network_drivers=["flannel"])
    patch(demo, uuid, ("replace", "/name", "x"))
    patch(demo, uuid, ("replace", "/network_driver", "flannel"))
    patch(demo, uuid, ("replace", "/network_driver", "docker"), status=400)


def test_publishing_later_needs_the_right_too(demo: Client, admin: Client) -> None:
    uuid = post(demo)["uuid"]
    for path in ("/public", "/hidden"):
        patch(demo, uuid, ("replace", path, True), status=403)
        assert patch(admin, uuid, ("replace", path, "true"))[path[1:]] is True
    patch(demo, uuid, ("replace", "/public", False), status=403)


def test_while_bays_use_it_little_can_change(demo: Client, admin: Client) -> None:
    uuid = post(demo)["uuid"]
    a_bay(demo, baymodel_id=uuid)
    for operations in (
        [("replace", "/flavor_id", "x")],
        [("replace", "/labels", {"a": "b"})],
        [("replace", "/name", "x"), ("replace", "/tags", "x")],
    ):
        error = patch(demo, uuid, *operations, status=400)["errors"][0]
        assert error["reason"] == "IN_USE"
    assert patch(demo, uuid, ("replace", "/name", "x"))["name"] == "x"
    assert patch(demo, uuid, ("replace", "/tags", "x"))["tags"] == "x"
    assert patch(admin, uuid, ("replace", "/public", True))["public"] is True
    patch(admin, uuid, ("replace", "/public", False), status=400)
    assert patch(admin, uuid, ("replace", "/hidden", True))["hidden"] is True
    assert patch(demo, uuid, ("replace", "/coe", "swarm"))["coe"] == "swarm"


def test_delete(demo: Client) -> None:
    uuid = post(demo)["uuid"]
    answer = demo("DELETE", f"/v1/baymodels/{uuid}", status=204)
    assert answer.body == b""
    assert "Content-Type" not in answer.headers
    demo("GET", f"/v1/baymodels/{uuid}", status=404)
    assert (
        demo.error("DELETE", f"/v1/baymodels/{uuid}", status=404)["reason"] == "BAYMODEL_NOT_FOUND"
    )


def test_one_that_is_used_cannot_be_deleted(demo: Client) -> None:
    uuid = post(demo)["uuid"]
    a_bay(demo, baymodel_id=uuid)
    assert demo.error("DELETE", f"/v1/baymodels/{uuid}", status=400)["reason"] == "IN_USE"


def test_public_ones_are_everybodys_to_read_and_use(
    admin: Client, demo: Client, other: Client
) -> None:
    public = post(admin, name="shared", public=True)
    private = post(other, name="theirs")
    assert demo("GET", "/v1/baymodels").json["baymodels"] == [public]
    assert demo("GET", "/v1/baymodels/shared", status=200).json == public
    a_bay(demo, baymodel_id="shared")
    patch(demo, public["uuid"], ("replace", "/name", "x"), status=403)
    demo("DELETE", f"/v1/baymodels/{public['uuid']}", status=403)
    demo("GET", f"/v1/baymodels/{private['uuid']}", status=404)


def test_hidden_ones_are_the_owners_and_the_administrators(
    admin: Client, demo: Client, other: Client
) -> None:
    uuid = post(demo)["uuid"]
    patch(admin, uuid, ("replace", "/public", True))
    patch(admin, uuid, ("replace", "/hidden", True))
    for client, there in ((demo, True), (admin, True), (other, False)):
        listed = client("GET", "/v1/baymodels").json["baymodels"]
        assert [model["uuid"] for model in listed] == ([uuid] if there else [])
        client("GET", f"/v1/baymodels/{uuid}", status=200 if there else 404)
    error = other.error("POST", "/v1/bays", {"baymodel_id": uuid}, status=400)
    assert error["field"] == "/baymodel_id"


def test_the_administrator_sees_and_changes_all(admin: Client, demo: Client) -> None:
    made = post(demo)
    assert admin("GET", "/v1/baymodels").json["baymodels"] == [made]
    assert patch(admin, made["uuid"], ("replace", "/name", "x"))["name"] == "x"
    admin("DELETE", f"/v1/baymodels/{made['uuid']}", status=204)
