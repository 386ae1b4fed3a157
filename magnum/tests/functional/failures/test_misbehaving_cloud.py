"""What a bay tells of a cloud that misbehaves in ways a real one cannot be made to; and that it goes on by itself.

Our API and conductor are real processes. The cloud is the stand-in of ``tools/standin``.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from keystoneauth1.identity import Password
from keystoneauth1.session import Session

from magnum.lifecycle.failures import advice
from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Magnum
from tools.openstack import config, magnum
from tools.openstack.config import Sections
from tools.openstack.processes import Processes, free_port
from tools.standin.client import StandIn

pytestmark = pytest.mark.timeout(2 * client.PATIENCE)

#: Everything soon. A request may take two seconds, and what fails five times is left alone for one.
SOON: Sections = {
    "lifecycle": {
        "lease_seconds": 5,
        "blocked_interval": 1,
        "retry_first": 0.2,
        "retry_longest": 1,
        "settle_seconds": 1,
    },
    "heat_client": {"timeout": 2},
    "identity": {"timeout": 2},
    "breaker": {"recovery_seconds": 1},
}


@dataclass(frozen=True)
class Place:
    """The stand-in, and our API as a member of a project sees it."""

    standin: StandIn
    api: Magnum

    def a_bay(self) -> str:
        """Ask for a bay of a project that has one baymodel."""
        made: str = self.api.make("/bays", baymodel_id="model", node_count=1)["uuid"]
        return made


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Stand-in, API and conductor for all tests of this module."""
    folder = tmp_path_factory.mktemp("misbehaving")
    with ExitStack() as stack:
        standin = stack.enter_context(StandIn(folder))
        settings = magnum.Settings(
            state=folder / "service",
            venv=Path(sys.prefix),
            auth_url=standin.auth_url,
            password="secret",
            database=f"sqlite:///{folder}/magnum.sqlite",
            port=free_port(),
            poll_interval=1,
            sweep_interval=1,
            extra=config.merged(standin.sections(), SOON),
        )
        magnum.write_config(settings)
        magnum.upgrade_database(settings, folder / "upgrade.log")
        processes = Processes(settings.state)
        stack.callback(magnum.stop, processes)
        magnum.start(settings, processes)
        who: dict[str, Any] = {"username": "demo", "password": "x", "project_name": "demo"}
        domains: dict[str, Any] = {"user_domain_id": "default", "project_domain_id": "default"}
        auth = Password(auth_url=standin.auth_url, **who, **domains)
        api = Magnum(Session(auth), settings.port)
        model = {"name": "model", "driver": "swarm_atomic_v1", "external_network_id": "public"}
        api.make("/baymodels", image_id="fedora-atomic", keypair_id=None, **model)
        yield Place(standin, api)


@dataclass(frozen=True)
class Hindrance:
    """What the stand-in is told, and what the operation has to tell as long as that lasts."""

    rule: dict[str, Any]
    code: str
    actor: str
    state: str
    words: str


HEAT: dict[str, Any] = {"service": "orchestration"}
GRANTING: dict[str, Any] = {"service": "identity", "method": "PUT", "path": "/roles/"}

HINDRANCES = {
    "Heat cannot be reached": Hindrance(
        {**HEAT, "lose": True},
        *("CLOUD_UNAVAILABLE", "nobody", "RUNNING"),
        r"orchestration service did not answer \(creating the stack\)",
    ),
    "Heat hangs": Hindrance(
        {**HEAT, "hang": 20.0, "status": 504},
        *("CLOUD_UNAVAILABLE", "nobody", "RUNNING"),
        r"orchestration service did not answer \(creating the stack\)",
    ),
    "Heat answers 500": Hindrance(
        {**HEAT, "status": 500},
        *("CLOUD_ERROR", "nobody", "RUNNING"),
        r"orchestration service answered 500 \(creating the stack\)",
    ),
    "Heat forbids it": Hindrance(
        {**HEAT, "status": 403, "text": "You are not authorized to complete this action."},
        *("PERMISSION_LOST", "operator", "BLOCKED"),
        r"orchestration service forbids .* \(creating the stack\)",
    ),
    "Keystone cannot be reached": Hindrance(
        {**GRANTING, "lose": True},
        *("CLOUD_UNAVAILABLE", "nobody", "RUNNING"),
        r"identity service .* \(granting roles in project ",
    ),
    "Keystone refuses": Hindrance(
        {**GRANTING, "status": 403},
        *("CLOUD_REFUSED", "operator", "BLOCKED"),
        r"Keystone does not let the cluster service in \(granting roles in project ",
    ),
}


@pytest.mark.parametrize("name", HINDRANCES)
def test_a_bay_waits_for_a_cloud_that_misbehaves(place: Place, name: str) -> None:
    hindrance = HINDRANCES[name]
    client.until(lambda: not place.standin.grants())  # they went with the last bay
    with place.standin.behaving(**hindrance.rule):
        bay = place.a_bay()
        operation = _told(place.api, bay, hindrance.code)
        error = operation["error"]
        assert (operation["verb"], operation["state"]) == ("create", hindrance.state)
        assert (error["actor"], error["help"]) == (hindrance.actor, advice(hindrance.code))
        assert re.search(hindrance.words, error["text"])
    assert place.api.settled(bay, "CREATE_COMPLETE")["status_reason"] is None
    assert len(place.standin.stacks(f"bay-{bay}")) == 1
    place.api.delete(bay)


@dataclass(frozen=True)
class Failure:
    """How the stand-in's Heat ends with a stack, and what the operation has to tell of it."""

    code: str
    actor: str
    words: str
    ending: dict[str, Any]
    part: tuple[str, str] | None = None
    goes_on: bool = field(default=False, kw_only=True)


NODE = ("masters / 0 / reported", "OS::Heat::WaitCondition")
FAILURES = {
    "a node fails": Failure(
        *("NODE_FAILED", "user", "A node reported that its setup failed.*docker does not start"),
        {
            "resources": [
                {
                    "path": NODE[0],
                    "type": NODE[1],
                    "reason": "WaitConditionFailure: resources.reported: docker does not start",
                }
            ]
        },
        NODE,
    ),
    "Heat runs out of time": Failure(
        "TIMED_OUT", "operator", "did not finish in time", {"reason": "Create timed out"}
    ),
    "Heat is restarted": Failure(
        *("CLOUD_RESTARTED", "nobody", "Heat was restarted"),
        {"reason": "Engine went down during stack CREATE"},
        goes_on=True,
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_stack_that_heat_gives_up_is_told_of(place: Place, name: str) -> None:
    failure = FAILURES[name]
    place.standin.ending(action="CREATE", status="FAILED", **failure.ending)
    if failure.goes_on:  # but not before this was seen
        place.standin.ending(action="UPDATE", never=True)
    bay = place.a_bay()
    operation = _told(place.api, bay, failure.code)
    assert (operation["verb"], operation["error"]["actor"]) == ("create", failure.actor)
    assert operation["error"]["help"] == advice(failure.code)
    assert re.search(failure.words, operation["error"]["text"])
    if failure.part is not None:
        (fault,) = operation["faults"]
        assert (fault["resource"], fault["type"]) == failure.part
        assert f"'{failure.part[0]}' ({failure.part[1]})" in operation["error"]["text"]
    assert operation["state"] == ("RUNNING" if failure.goes_on else "FAILED")
    place.standin.no_endings()
    place.api.delete(bay)


def _told(api: Magnum, bay: str, code: str) -> dict[str, Any]:
    """The operation that says this, while its bay says the same."""

    def both() -> dict[str, Any] | None:
        operation = api.told(bay, code)
        said = api.bay(bay)["status_reason"]
        return operation if said == f"{code}: {operation['error']['text']}" else None

    found: dict[str, Any] = client.until(both)
    return found
