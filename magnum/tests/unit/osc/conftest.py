"""The plugin in front of the real application, on a real database; while it rests, a conductor works."""

from collections.abc import Callable
from pathlib import Path
from wsgiref.types import WSGIApplication

import pytest

from magnum.api import app
from magnum.common.context import service_context
from magnum.db import operations
from magnum.drivers import catalogue
from magnum.drivers.contract import Driver, Provides
from magnum.drivers.noop_v1.driver import Driver as NoopDriver
from magnum.osc import waiting
from magnum.tests import engine
from magnum.tests.api import MEMBER, FixedDriver, Settings, trusting
from magnum.tests.calls import AskedDriver, key_ring
from magnum.tests.engine import ScriptedDriver
from magnum.tests.unit.api.conftest import config, database, empty_database
from magnum.tests.unit.osc.osc import Osc, Transport

__all__ = ["config", "database", "empty_database"]


class Scripted(ScriptedDriver):
    """A driver whose answers a test lays down, with a verb more than that of the other tests."""

    provides = frozenset({Provides("vm", "none", "scripted")})
    bay_soft_reboot = bay_hard_reboot = bay_rebuild = bay_check = ScriptedDriver.bay_create


class World:
    """A conductor that takes one step whenever a command rests, and what a test does meanwhile."""

    def __init__(self, scripted: Scripted, *drivers: Driver) -> None:
        self.scripted = scripted
        self.rests: list[float] = []
        self.meanwhile: Callable[[int], object] = lambda number: None
        self._worker = engine.a_worker(scripted, *drivers)

    def rest(self, seconds: float) -> None:
        """In the place of sleeping."""
        assert len(self.rests) < 200, "the command never ends"
        self.rests.append(seconds)
        self.meanwhile(len(self.rests))
        self.step()

    def step(self) -> None:
        """One pass over everything that is there."""
        engine.make_due()
        for operation in operations.due(service_context(), 100):
            self._worker.run(operation)

    def answers(self, *answers: engine.Answer) -> None:
        """What the driver answers from now on; then it is done."""
        self.scripted.answers = list(answers)


@pytest.fixture
def noop() -> NoopDriver:
    return NoopDriver()


@pytest.fixture
def world(noop: NoopDriver, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(Scripted(), noop)
    monkeypatch.setattr(waiting, "rest", made.rest)
    return made


@pytest.fixture
def wsgi(
    database: None,
    config: Settings,
    world: World,
    noop: NoopDriver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> WSGIApplication:
    """The application with the tests' drivers."""
    config("certificates", key_ring=str(key_ring(tmp_path / "keys")))
    known = catalogue.Catalogue([world.scripted, noop, AskedDriver(), FixedDriver()])
    monkeypatch.setattr(catalogue, "catalogue", lambda: known)
    return app.make(auth=trusting)


@pytest.fixture
def openstack(wsgi: WSGIApplication) -> Callable[..., Osc]:
    """Makes users."""

    def make(project: str = "p1", user: str = "u1", roles: str = MEMBER) -> Osc:
        identity = {
            "X-Identity-Status": "Confirmed",
            "X-Project-Id": project,
            "X-User-Id": user,
            "X-Roles": roles,
        }
        return Osc(Transport(wsgi, identity))

    return make


@pytest.fixture
def osc(openstack: Callable[..., Osc]) -> Osc:
    """A member of project p1."""
    return openstack()


@pytest.fixture
def model(osc: Osc) -> str:
    """A model of the driver whose answers the test lays down."""
    made = osc.json(
        *("bay", "model", "create", "scripted", "--coe", "scripted", "--distro", "none"),
        *("--image", "any", "--tls-disabled"),
    )
    return str(made["name"])
