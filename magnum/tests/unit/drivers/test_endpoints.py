"""Endpoints that are declared as they must be, and drivers that are refused for one that is not."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from magnum.drivers import endpoints, rules
from magnum.drivers.catalogue import fault_of as fault_of_driver
from magnum.drivers.contract import Driver, Endpoint, Provides, Who, Work
from magnum.drivers.directories import Directories
from magnum.drivers.noop_v1.driver import Driver as NoopDriver


def handler(work: Work, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {}


GOOD = Endpoint("good", "Do good.", handler)


def with_endpoints(*declared: Any) -> Driver:
    class Declaring(Driver):
        name = "declaring_v1"
        version = "1.0.0"
        provides = frozenset({Provides("vm", "none", "none")})
        endpoints = declared

    return Declaring()


@pytest.mark.parametrize(
    "declared",
    [
        (),
        (GOOD,),
        (GOOD, replace(GOOD, method="POST")),
        (replace(GOOD, name="join-command2", who=Who.ADMIN, secret=True),),
    ],
)
def test_what_is_declared_well_is_taken(declared: tuple[Endpoint, ...]) -> None:
    assert endpoints.fault_of(with_endpoints(*declared)) is None


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        (["rubbish"], "no Endpoint"),
        ([replace(GOOD, name="Good")], "small letters"),
        ([replace(GOOD, name="../x")], "small letters"),
        ([replace(GOOD, name="good\n")], "small letters"),
        ([replace(GOOD, method="PUT")], "PUT"),
        ([replace(GOOD, handler=None)], "cannot be called"),  # type: ignore[arg-type]
        ([replace(GOOD, who="all")], "who may call it"),  # type: ignore[arg-type]
        ([replace(GOOD, request={"type": "array"})], "request is no JSON schema of type object"),
        ([replace(GOOD, response={"type": "object", "required": 1})], "response is no JSON schema"),
        ([GOOD, GOOD], "twice"),
    ],
)
def test_a_driver_with_a_bad_endpoint_is_broken(declared: list[Any], why: str) -> None:
    assert why in (fault_of_driver("declaring_v1", with_endpoints(*declared)) or "")


def test_they_are_found_by_name_and_method() -> None:
    driver = NoopDriver()
    assert endpoints.find(driver, "echo", "POST") is not None
    assert endpoints.find(driver, "echo", "GET") is None
    assert endpoints.find(driver, "none", "GET") is None


def test_those_of_the_tree_are_in_the_operators_sample() -> None:
    found = {rule.name: rule for rule in rules.list_rules()}
    assert found["ext:noop_v1:info"].check_str == "rule:admin_or_project_reader_deny_cluster_user"
    echo: Any = found["ext:noop_v1:echo"]
    assert echo.operations == [
        {"method": "POST", "path": f"/v1/{path}/ext/noop_v1/echo"}
        for path in ("bays/{bay}", "clusters/{cluster}")
    ]


DRIVER = """
from magnum.drivers import contract

from . import api


class Driver(contract.Driver):
    name = "dropped_v1"
    version = "1.0.0"
    provides = frozenset({contract.Provides("vm", "none", "none")})
    endpoints = api.ENDPOINTS
"""

API = """
from magnum.drivers.contract import Endpoint

ENDPOINTS = (Endpoint("hello", "Say hello.", lambda work, request: {"said": "hello"}),)
"""


def dropped(folder: Path, *, schema: str = "{}") -> Driver | str:
    path = folder / "drivers"
    (path / "dropped_v1").mkdir(parents=True, mode=0o755)
    for name, text in (("driver.py", DRIVER), ("api.py", API), ("schema.json", schema)):
        (path / "dropped_v1" / name).write_text(text)
    found = Directories(lambda: [str(path)])
    return found.driver(found.take()["dropped_v1"], fault_of_driver)


def test_a_directory_brings_its_own(tmp_path: Path) -> None:
    driver = dropped(tmp_path)
    assert isinstance(driver, Driver)
    endpoint = endpoints.find(driver, "hello", "GET")
    assert endpoint is not None
    assert endpoint.handler(None, {}) == {"said": "hello"}  # type: ignore[arg-type]


@pytest.mark.parametrize("schema", ["[]", "{", '{"type": 7}'])
def test_a_directory_whose_options_cannot_be_read_is_broken(tmp_path: Path, schema: str) -> None:
    found = dropped(tmp_path, schema=schema)
    assert isinstance(found, str)
    assert "schema.json" in found
