"""The real ``openstack`` command with our plugin, before a service of the tests' own, with the cloud's Keystone.

API and conductor run for the whole module on PostgreSQL, in a region of their own, where ``openstack`` finds them by
the catalogue. Bays are the tutorial driver's, which has delays and faults on demand, or those of a driver whose stages
have counters; no bay is in any cloud.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from keystoneauth1.session import Session

from magnum.tests.conftest import fresh_database
from magnum.tests.functional.clients.environments import Account
from magnum.tests.functional.clients.region import region
from magnum.tests.functional.cloud.conftest import Service, admin, passwords, running, tenant
from magnum.tests.functional.osc.terminal import Shell
from tools.openstack import config

__all__ = ["admin", "passwords", "tenant"]

#: A driver that counts three workers, one after the other, and where the label ``gate`` names a file, waits for that.
COUNTING = """
from pathlib import Path

from magnum.drivers import contract
from magnum.drivers.contract import Actor, Blocked, Done, Progress, Provides, Wait


class Driver(contract.Driver):
    name = "counting_v1"
    version = "1.0.0"
    provides = frozenset({Provides("vm", "any", "counting")})

    def bay_create(self, work):
        gate = work.bay.labels.get("gate")
        if gate and not Path(gate).exists():
            return Blocked("GATE_CLOSED", Actor.USER, "The gate is closed.", seconds=1)
        made = work.cursor.get("made", 0)
        if gate or made == 3:
            return Done()
        return Wait(2, {"made": made + 1}, Progress("workers", made, 3))

    def bay_delete(self, work):
        return Done()
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keystone is the cloud's."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("cloud")


@pytest.fixture(scope="module")
def place(
    admin: Session,
    passwords: config.Passwords,
    postgresql_server: str | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Service, str]]:
    """The service and its region."""
    if postgresql_server is None:
        pytest.skip("no postgresql server")
    folder = tmp_path_factory.mktemp("osc")
    drivers = folder / "drivers"
    (drivers / "counting_v1").mkdir(parents=True, mode=0o755)
    os.chmod(drivers, 0o755)
    (drivers / "counting_v1" / "driver.py").write_text(COUNTING)
    extra: config.Sections = {
        "cloud": {"absent_services": ("image", "compute", "network", "volume")},
        "drivers": {"paths": drivers},
    }
    with (
        fresh_database(postgresql_server) as database,
        running(folder, passwords, database, extra) as service,
    ):
        name = f"osc-{service.port}"
        with region(admin, name, f"http://127.0.0.1:{service.port}/v1"):
            yield service, name


@pytest.fixture(scope="module")
def shells(
    place: tuple[Service, str],
    passwords: config.Passwords,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Shell]:
    """Makes shells of the cloud's people."""

    def make(who: str) -> Shell:
        variables = Account.of_person(who, passwords).variables(place[1])
        return Shell(variables, tmp_path_factory.mktemp(who))

    return make


@pytest.fixture(scope="module")
def demo(shells: Callable[[str], Shell]) -> Shell:
    """A member's shell."""
    return shells("demo")


@pytest.fixture(scope="module")
def models(demo: Shell) -> None:
    """Models ``noop`` and ``counting``."""
    create = ("bay", "model", "create", "--image", "any", "--tls-disabled")
    demo.openstack(*create, "noop", "--driver", "noop_v1")
    demo.openstack(*create, "counting", "--driver", "counting_v1", "--distro", "any")
