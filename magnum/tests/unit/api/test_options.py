"""Options of drivers: labels that must fit, the typed view of them, what may change later, where values are from."""

from typing import Any

import pytest

from magnum.drivers import catalogue
from magnum.drivers.noop_v1.driver import Driver as NoopDriver
from magnum.drivers.swarm_atomic_v1.driver import Driver as SwarmDriver
from magnum.tests.api import (
    BEFORE_OPERATIONS,
    Client,
    a_bay,
    a_model,
    operations_of,
    replace,
    settle,
    shown,
    stands,
)

#: The engine of the tutorial's driver, which has options of many types, all of them mutable.
NOOP = {"coe": "noop", "cluster_distro": None}
#: One whose options are fixed.
SWARM = {"coe": "swarm", "cluster_distro": "fedora-atomic"}


class OtherDriver(SwarmDriver):
    """Takes anything: it is in a package without a schema."""

    name = "swarm_other_v1"


@pytest.fixture(autouse=True)
def known(drivers: catalogue.Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tutorial's driver and a real one."""
    made = catalogue.Catalogue([NoopDriver(), SwarmDriver()])
    monkeypatch.setattr(catalogue, "catalogue", lambda: made)


def model(client: Client, **fields: Any) -> str:
    uuid: str = a_model(client, **{**NOOP, **fields})["uuid"]
    return uuid


def field(client: Client, method: str, path: str, body: Any, **more: Any) -> Any:
    return client.error(method, path, body, status=400, **more).get("field")


# --- labels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [None, BEFORE_OPERATIONS, "container-infra latest"])
def test_labels_that_a_driver_declares_must_fit(demo: Client, version: str | None) -> None:
    body = {"image_id": "i", "keypair_id": None, "external_network_id": "e", **NOOP}
    bad = {**body, "labels": {"noop_delay": "soon"}}
    assert field(demo, "POST", "/v1/baymodels", bad, version=version) == "/labels/noop_delay"
    uuid = model(demo)
    bad = {"baymodel_id": uuid, "labels": {"noop_fail": "create,explode", "own": "1"}}
    assert field(demo, "POST", "/v1/bays", bad, version=version) == "/labels/noop_fail"


def test_labels_that_no_driver_declares_are_let_through(demo: Client) -> None:
    uuid = model(demo, labels={"my/own.label": "x", "noop_delay": 1.5})
    bay = a_bay(demo, baymodel_id=uuid)
    assert shown(demo, bay)["labels"] == {"my/own.label": "x", "noop_delay": "1.5"}


def test_a_label_of_the_baymodel_that_does_not_fit_the_bays_driver_is_the_baymodels_fault(
    demo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = {"private_network_cidr": "anything"}
    assert (
        field(
            demo,
            "POST",
            "/v1/baymodels",
            {**SWARM, "labels": labels, "image_id": "i", "keypair_id": None},
        )
        == "/labels/private_network_cidr"
    )
    other = catalogue.Catalogue([SwarmDriver(), OtherDriver()])
    monkeypatch.setattr(catalogue, "catalogue", lambda: other)
    uuid = model(demo, **SWARM, labels=labels)
    only = catalogue.Catalogue([SwarmDriver()])
    monkeypatch.setattr(catalogue, "catalogue", lambda: only)
    assert field(demo, "POST", "/v1/bays", {"baymodel_id": uuid}) == "/baymodel_id"


def test_a_patch_of_labels_is_checked(demo: Client) -> None:
    path = f"/v1/baymodels/{model(demo, labels={'a': '1'})}"
    assert field(demo, "PATCH", path, replace("/labels", {"noop_delay": "x"})) == "/0/value"
    patch = [{"op": "add", "path": "/labels/noop_delay", "value": "-1"}]
    assert field(demo, "PATCH", path, patch) == "/0/value"
    patch[0]["value"] = "3"
    assert demo("PATCH", path, patch, status=200).json["labels"] == {"a": "1", "noop_delay": "3"}


# --- options of new things -------------------------------------------------------------------------------------------


def test_options_are_typed_and_kept_as_labels(demo: Client) -> None:
    chosen = {"noop_delay": 2, "noop_fail": ["create", "delete"], "noop_block": None}
    uuid = model(demo, labels={"own": "1"}, options=chosen)
    found = demo("GET", f"/v1/baymodels/{uuid}").json
    assert found["labels"] == {"own": "1", "noop_delay": "2", "noop_fail": "create,delete"}
    assert found["options"] == {"noop_delay": 2, "noop_fail": ["create", "delete"]}
    assert "options" not in demo("GET", f"/v1/baymodels/{uuid}", version=BEFORE_OPERATIONS).json
    # A bay's options lie over the labels that it has otherwise.
    bay = shown(demo, a_bay(demo, baymodel_id=uuid, options={"noop_delay": 0.5}))
    assert bay["labels"] == {"own": "1", "noop_delay": "0.5", "noop_fail": "create,delete"}
    assert bay["options"] == {"noop_delay": 0.5, "noop_fail": ["create", "delete"]}
    bay = shown(demo, a_bay(demo, baymodel_id=uuid, labels={"x": "y"}, options={"noop_delay": 1}))
    assert bay["labels"] == {"x": "y", "noop_delay": "1"}


@pytest.mark.parametrize(
    ("chosen", "at"),
    [
        ({"noop_delay": "2"}, "/options/noop_delay"),
        ({"noop_delay": -2}, "/options/noop_delay"),
        ({"noop_fail": "create"}, "/options/noop_fail"),
        ({"noop_fail": ["explode"]}, "/options/noop_fail"),
        ({"no/such": 1}, "/options/no~1such"),
        (["noop_delay"], "/options"),
        ({"": 1}, "/options"),
    ],
)
def test_options_that_do_not_fit_are_refused_by_name(demo: Client, chosen: Any, at: str) -> None:
    uuid = model(demo)
    assert field(demo, "POST", "/v1/bays", {"baymodel_id": uuid, "options": chosen}) == at
    body = {"image_id": "i", "keypair_id": None, **NOOP, "options": chosen}
    assert field(demo, "POST", "/v1/baymodels", body) == at


def test_an_unknown_option_is_told_what_there_is(demo: Client) -> None:
    body = {"baymodel_id": model(demo), "options": {"delay": 1}}
    assert "noop_delay" in demo.error("POST", "/v1/bays", body, status=400)["detail"]


def test_an_option_and_its_label_must_agree(demo: Client) -> None:
    body = {"baymodel_id": model(demo), "labels": {"noop_delay": "2"}, "options": {"noop_delay": 3}}
    assert field(demo, "POST", "/v1/bays", body) == "/options/noop_delay"
    body["options"] = {"noop_delay": 2}
    demo("POST", "/v1/bays", body, status=202)


def test_before_the_version_that_has_them_there_are_no_options_and_hints(demo: Client) -> None:
    for name in ("options", "hints"):
        body = {"baymodel_id": model(demo), name: {}}
        asked = {"version": BEFORE_OPERATIONS}
        assert field(demo, "POST", "/v1/bays", body, **asked) == f"/{name}"


# --- options that change ---------------------------------------------------------------------------------------------


def test_a_baymodels_options_change_as_its_labels(demo: Client) -> None:
    path = f"/v1/baymodels/{model(demo, labels={'own': '1', 'noop_delay': '1'})}"
    changed = demo("PATCH", path, replace("/options/noop_fail", ["create"]), status=200).json
    assert changed["labels"] == {"own": "1", "noop_delay": "1", "noop_fail": "create"}
    changed = demo("PATCH", path, replace("/options", {"noop_delay": 4}), status=200).json
    assert changed["labels"] == {"own": "1", "noop_delay": "4"}
    changed = demo("PATCH", path, [{"op": "remove", "path": "/options"}], status=200).json
    assert (changed["labels"], changed["options"]) == ({"own": "1"}, {})
    assert field(demo, "PATCH", path, replace("/options/none", 1)) == "/0/path"
    assert field(demo, "PATCH", path, replace("/options/noop_delay", "x")) == "/0/value"
    missing = [{"op": "remove", "path": "/options/noop_delay"}]
    assert field(demo, "PATCH", path, missing) == "/0/path"
    older = {"version": BEFORE_OPERATIONS}
    assert field(demo, "PATCH", path, replace("/options/noop_delay", 1), **older) == "/0/path"


def test_a_mutable_option_of_a_bay_changes_with_an_operation(demo: Client) -> None:
    bay = a_bay(demo, baymodel_id=model(demo), labels={"own": "1"}, node_count=2)
    settle(bay)
    stands(operations_of(bay)[0], state="DONE", next_run_at=None)
    path = f"/v1/bays/{bay}"
    answer = demo("PATCH", path, replace("/options/noop_delay", 7), status=202).json
    operation = demo("GET", f"/v1/operations/{answer['operation']}").json
    assert (operation["verb"], operation["parameters"]["labels"]) == ("update", {"noop_delay": "7"})
    found = shown(demo, bay)
    assert (found["labels"], found["node_count"]) == ({"own": "1", "noop_delay": "7"}, 2)
    assert found["options"] == {"noop_delay": 7}
    assert found["status"] == "UPDATE_IN_PROGRESS"
    # Taken back, everything is as it was.
    demo("DELETE", f"/v1/operations/{answer['operation']}", status=204)
    assert shown(demo, bay)["labels"] == {"own": "1"}
    assert shown(demo, bay)["status"] == "CREATE_COMPLETE"


def test_size_and_option_change_together_and_what_is_so_already_is_no_change(demo: Client) -> None:
    bay = a_bay(demo, baymodel_id=model(demo), labels={"noop_delay": "7"})
    settle(bay)
    path = f"/v1/bays/{bay}"
    same = replace("/options/noop_delay", 7.0)
    assert demo("PATCH", path, same, status=202).json["operation"] is None
    both = [*replace("/node_count", 3), *replace("/options/noop_delay", 8)]
    demo("PATCH", path, both, status=202)
    found = shown(demo, bay)
    assert (found["node_count"], found["options"]) == (3, {"noop_delay": 8})
    assert len(operations_of(bay)) == 2


def test_a_change_behind_another_one_that_is_taken_back(demo: Client) -> None:
    bay = a_bay(demo, baymodel_id=model(demo))
    settle(bay)
    path = f"/v1/bays/{bay}"
    first = [*replace("/node_count", 3), *replace("/options/noop_delay", 1)]
    taken_back = demo("PATCH", path, first, status=202).json["operation"]
    second = demo("PATCH", path, replace("/node_count", 5), status=202).json["operation"]
    demo("DELETE", f"/v1/operations/{taken_back}", status=204)
    found = shown(demo, bay)
    assert (found["node_count"], found["labels"]) == (5, {})
    demo("DELETE", f"/v1/operations/{second}", status=204)
    assert shown(demo, bay)["node_count"] == 1


def test_a_fixed_option_of_a_bay_stays(demo: Client) -> None:
    bay = a_bay(demo, baymodel_id=model(demo, **SWARM))
    settle(bay)
    path = f"/v1/bays/{bay}"
    patch = replace("/options/private_network_cidr", "10.9.0.0/24")
    error = demo.error("PATCH", path, patch, status=400)
    assert (error["field"], "fixed" in error["detail"]) == ("/0/path", True)
    for bad in (
        replace("/options/none", 1),
        replace("/labels", {"a": "b"}),
        replace("/labels/a", "b"),
    ):
        assert field(demo, "PATCH", path, bad) == "/0/path"
    assert shown(demo, bay)["labels"] == {}


# --- effective -------------------------------------------------------------------------------------------------------


def test_every_value_says_where_it_comes_from(demo: Client, reader: Client) -> None:
    uuid = model(
        demo, flavor_id="small", labels={"noop_delay": "1", "own": "x"}, http_proxy="http://p"
    )
    bay = a_bay(demo, baymodel_id=uuid, master_flavor_id="large", options={"noop_fail": ["delete"]})
    for collection, timeout in (("bays", "bay_create_timeout"), ("clusters", "create_timeout")):
        found = reader("GET", f"/v1/{collection}/bay/effective", status=200).json
        assert (found["uuid"], found["driver"]) == (bay, "noop_v1")
        attributes = found["attributes"]
        assert attributes["flavor_id"] == {"value": "small", "origin": "baymodel"}
        assert attributes["master_flavor_id"] == {"value": "large", "origin": "bay"}
        assert attributes["http_proxy"] == {"value": "http://p", "origin": "baymodel"}
        assert attributes["fixed_network"] == {"value": None, "origin": "driver default"}
        assert attributes["node_count"] == {"value": 1, "origin": "bay"}
        assert attributes[timeout] == {"value": 60, "origin": "bay"}
        assert found["options"]["noop_delay"] == {
            "value": 1,
            "origin": "baymodel",
            "change": "mutable",
        }
        assert found["options"]["noop_fail"]["origin"] == "bay"
        assert found["options"]["noop_block"] == {
            "value": [],
            "origin": "driver default",
            "change": "mutable",
        }
        assert found["labels"] == {"own": {"value": "x", "origin": "baymodel"}}


def test_a_bay_without_a_timeout_has_the_operators(demo: Client) -> None:
    bay = a_bay(demo, baymodel_id=model(demo), bay_create_timeout=0)
    found = demo("GET", f"/v1/bays/{bay}/effective", status=200).json["attributes"]
    assert found["bay_create_timeout"] == {"value": 60, "origin": "configuration"}


def test_a_bay_whose_driver_is_missing_shows_its_labels(
    demo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    bay = a_bay(demo, baymodel_id=model(demo), labels={"noop_delay": "1"})
    settle(bay)
    nothing = catalogue.Catalogue()
    monkeypatch.setattr(catalogue, "catalogue", lambda: nothing)
    found = demo("GET", f"/v1/bays/{bay}/effective", status=200).json
    assert (found["options"], list(found["labels"])) == ({}, ["noop_delay"])
    assert shown(demo, bay)["options"] == {}
    assert field(demo, "PATCH", f"/v1/bays/{bay}", replace("/options/noop_delay", 2)) == "/0/path"


# --- where it is, and how it is --------------------------------------------------------------------------------------


def test_hints_are_kept_and_shown(demo: Client) -> None:
    hints = {"availability_zone": ["az1", "az2"], "spread": "all", "group": "project"}
    bay = a_bay(demo, baymodel_id=model(demo), hints=hints)
    assert shown(demo, bay)["hints"] == hints
    assert shown(demo, a_bay(demo, baymodel_id=model(demo), hints=None))["hints"] == {}
    body = {"baymodel_id": model(demo)}
    for bad, at in (({"spread": "wide"}, "/hints/spread"), ({"region": "mars"}, "/hints/region")):
        assert field(demo, "POST", "/v1/bays", {**body, "hints": bad}) == at


def test_what_was_seen_of_a_bay_is_shown(demo: Client) -> None:
    bay = a_bay(demo, baymodel_id=model(demo))
    settle(
        bay,
        site={"zones": "az1"},
        health_status="UNHEALTHY",
        health_status_reason={"api": "ok", "node-1": "gone"},
        utilisation={"cpu": 0.5},
    )
    found = shown(demo, bay)
    assert (found["site"], found["health_status"]) == ({"zones": "az1"}, "UNHEALTHY")
    assert found["health_status_reason"] == {"api": "ok", "node-1": "gone"}
    assert (found["utilisation"], found["ca_expires_at"]) == ({"cpu": 0.5}, None)
    older = shown(demo, bay, version=BEFORE_OPERATIONS)
    assert not {"site", "health_status", "hints", "options", "utilisation"} & older.keys()
