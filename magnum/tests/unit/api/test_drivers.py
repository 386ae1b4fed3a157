"""``/v1/drivers``: what there is to choose from, and for the operator what is broken."""

import pytest

from magnum.drivers import catalogue
from magnum.drivers.contract import CONTRACT_VERSION
from magnum.drivers.noop_v1.driver import Driver as NoopDriver
from magnum.tests.api import BEFORE_OPERATIONS, Client, FixedDriver


@pytest.fixture(autouse=True)
def known(drivers: catalogue.Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two drivers, and one that is broken."""
    made = catalogue.Catalogue([NoopDriver(), FixedDriver()], {"broken_v1": "SyntaxError: no"})
    monkeypatch.setattr(catalogue, "catalogue", lambda: made)


def test_a_list_of_what_can_be_used(demo: Client, reader: Client) -> None:
    found = reader("GET", "/v1/drivers", status=200).json["drivers"]
    assert [driver["name"] for driver in found] == ["fixed_test_v1", "noop_v1"]
    assert found[0] == {
        "name": "fixed_test_v1",
        "driver_version": "0.1.0",
        "template_version": "0",
        "contract": ".".join(map(str, CONTRACT_VERSION)),
        "provides": [
            {"server_type": "vm", "os_distro": "flatcar", "coe": "kubernetes"},
            {"server_type": "vm", "os_distro": "flatcar", "coe": "mesos"},
        ],
        "verbs": ["create"],
        "usable": True,
        "links": [
            {"href": "http://localhost/v1/drivers/fixed_test_v1", "rel": "self"},
            {"href": "http://localhost/drivers/fixed_test_v1", "rel": "bookmark"},
        ],
    }


def test_one_has_the_schema_of_its_options_and_its_endpoints(demo: Client) -> None:
    found = demo("GET", "/v1/drivers/noop_v1", status=200).json
    assert found["driver_version"] == NoopDriver.version
    assert found["schema"]["properties"]["noop_delay"]["x-change"] == "mutable"
    assert [(one["method"], one["name"]) for one in found["endpoints"]] == [
        ("GET", "info"),
        ("POST", "echo"),
    ]
    without = demo("GET", "/v1/drivers/fixed_test_v1", status=200).json
    assert (without["schema"]["properties"], without["endpoints"]) == ({}, [])


def test_what_is_broken_is_the_operators_business(demo: Client, admin: Client) -> None:
    listed = admin("GET", "/v1/drivers", status=200).json["drivers"]
    assert (listed[-1]["name"], listed[-1]["usable"]) == ("broken_v1", False)
    assert admin("GET", "/v1/drivers/broken_v1", status=200).json["reason"] == "SyntaxError: no"
    for name in ("broken_v1", "none"):
        error = demo.error("GET", f"/v1/drivers/{name}", status=404)
        assert error["reason"] == "DRIVER_NOT_FOUND"
        assert "SyntaxError" not in error["detail"]


def test_before_the_version_that_has_it_there_is_nothing(demo: Client) -> None:
    demo("GET", "/v1/drivers", version=BEFORE_OPERATIONS, status=404)
    demo("GET", "/v1/drivers?x=1", status=400)
