"""Fixtures of the tests on the cloud of ``tools/cloud``: its administrator, tenants, and services of the test's own."""

import contextlib
import dataclasses
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from keystoneauth1.session import Session

from magnum.tests.functional.cloud import client
from tools.openstack import accounts, config, fake_nodes, magnum
from tools.openstack.config import Sections
from tools.openstack.processes import Processes, free_port

CHECKOUT = Path(__file__).parents[4]
STATE = Path(os.environ.get("MAGNUM_TEST_CLOUD_STATE", CHECKOUT / ".state" / "cloud"))
KEYSTONE = "http://127.0.0.1:5000"

#: Port of the service that the cloud itself runs.
CLOUDS_OWN_PORT = 9511


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs the cloud."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("cloud")


@pytest.fixture(scope="session")
def passwords() -> config.Passwords:
    return config.Passwords(STATE / "passwords.json")


@pytest.fixture(scope="session")
def admin(passwords: config.Passwords) -> Session:
    """The cloud's administrator."""
    return accounts.session("admin", KEYSTONE, passwords)


@pytest.fixture
def tenant(admin: Session) -> Iterator[client.Tenant]:
    """A project of the test's own."""
    with client.tenant(admin) as made:
        yield made


@pytest.fixture(scope="session")
def reporting(admin: Session) -> Iterator[dict[str, str]]:
    """Fields of a baymodel whose nodes are reported for and never boot, also where the cloud boots real ones.

    For bays that are not about their nodes, for drivers whose programs nodes do not have, and for services of a test's
    own: nodes find only the cloud's own service in the catalogue.
    """
    with client.flavor(admin, f"{fake_nodes.FATE}-report") as made:
        yield {"flavor_id": made, "master_flavor_id": made}


@dataclass
class Service:
    """API and conductor of a test's own, on a database of its own."""

    settings: magnum.Settings
    processes: Processes

    @property
    def port(self) -> int:
        return self.settings.port

    def start(self) -> None:
        """Start what does not run."""
        magnum.start(self.settings, self.processes)

    def kill_conductor(self) -> None:
        """kill -9 for the conductor and its workers."""
        self.processes.stop(magnum.CONDUCTOR, patience=0)

    def stop_conductor(self) -> None:
        """Have the conductor end its steps, so that nothing happens until ``start``."""
        self.processes.stop(magnum.CONDUCTOR, patience=30.0)

    def tell_conductor(self, extra: Sections) -> None:
        """Start the conductor anew, with more options than before; the API is left alone."""
        told = config.merged(self.settings.extra, extra)
        magnum.write_config(dataclasses.replace(self.settings, extra=told))
        self.stop_conductor()
        self.start()

    def stop(self) -> None:
        magnum.stop(self.processes)


@contextlib.contextmanager
def running(
    folder: Path, passwords: config.Passwords, database: str, extra: Sections, **options: Any
) -> Iterator[Service]:
    """API and conductor with a configuration of their own; ``options`` are more settings."""
    settings = magnum.Settings(
        state=folder / "service",
        venv=Path(sys.prefix),
        auth_url=KEYSTONE,
        password=passwords[magnum.USER],
        database=database,
        port=free_port(),
        poll_interval=1,
        sweep_interval=1,
        extra=config.merged(
            {"conductor": {"topic": f"test-{folder.name}"}, "lifecycle": {"lease_seconds": 5}},
            extra,
        ),
        **options,
    )
    magnum.write_config(settings)
    magnum.upgrade_database(settings, folder / "upgrade.log")
    started = Service(settings, Processes(settings.state))
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture
def service(
    database_url: str, request: pytest.FixtureRequest, tmp_path: Path, passwords: config.Passwords
) -> Iterator[Service]:
    """A service on each database; with RabbitMQ where the test's parameter ``broker`` says so."""
    with_broker: bool = request.node.callspec.params.get("broker", False)
    options: dict[str, Any] = {}
    if with_broker:
        options["transport_url"] = request.getfixturevalue("rabbit_url")
    with running(tmp_path, passwords, database_url, {}, **options) as started:
        yield started
