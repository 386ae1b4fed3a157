"""Fixtures of the tests of other people's clients: a service of the tests' own, and shells that find it.

Each client is the one of the package index, in an environment of its own (``requirements``). API and conductor run for
the whole session, on PostgreSQL, in a region of their own.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from keystoneauth1.session import Session

from magnum.tests.conftest import fresh_database
from magnum.tests.functional.clients import environments
from magnum.tests.functional.clients.environments import Account, Shell
from magnum.tests.functional.clients.region import region
from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Magnum, Tenant
from magnum.tests.functional.cloud.conftest import (
    Service,
    admin,
    passwords,
    reporting,
    running,
    tenant,
)
from tools.openstack import accounts, config

__all__ = ["admin", "passwords", "reporting", "tenant"]

#: The cloud's services are asked by many clients at once here, on a machine that may be busy: late is not absent.
PATIENT = {"cloud": {"timeout": 60}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs the cloud."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("cloud")


@dataclass(frozen=True)
class Place:
    """Our service as clients find it."""

    service: Service
    region: str

    def api(self, session: Session) -> Magnum:
        """Our API as a caller sees it without any client, to see that a thing has really happened."""
        return Magnum(session, self.service.port)


@pytest.fixture(scope="session")
def place(
    admin: Session,
    passwords: config.Passwords,
    postgresql_server: str | None,
    rabbit_server: str | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    """API and conductor on PostgreSQL, and a region whose catalogue leads to them."""
    if postgresql_server is None:
        pytest.skip("no postgresql server")
    # The folder's name is that of the broker's topic, which two runs at a time must not share.
    folder = tmp_path_factory.mktemp(f"clients-{os.getpid()}-")
    with (
        fresh_database(postgresql_server) as database,
        running(folder, passwords, database, PATIENT, transport_url=rabbit_server) as service,
    ):
        name = f"clients-{service.port}"
        with region(admin, name, f"http://127.0.0.1:{service.port}/v1"):
            yield Place(service, name)


@pytest.fixture(scope="session")
def admins_api(place: Place, admin: Session) -> Magnum:
    """Our API as the administrator sees it."""
    return place.api(admin)


@pytest.fixture(scope="session")
def sessions(passwords: config.Passwords) -> Callable[[str], Session]:
    """A session of one of the cloud's people, by name: admin, demo, other, reader."""

    def session(name: str) -> Session:
        return accounts.session(name, "http://127.0.0.1:5000", passwords)

    return session


@pytest.fixture
def shell(place: Place, passwords: config.Passwords, tmp_path: Path) -> Callable[..., Shell]:
    """Makes shells: ``shell("magnumclient-2.0.0", "demo")``, or with the ``Account`` of a tenant."""

    def make(requirements: str, who: str | Account) -> Shell:
        account = who if isinstance(who, Account) else Account.of_person(who, passwords)
        variables = account.variables(place.region)
        return Shell(environments.venv(requirements), variables, tmp_path / account.name)

    return make


@pytest.fixture
def keypair(tenant: Tenant) -> Iterator[str]:
    """A keypair of the tenant's member: the first clients insist on one."""
    compute = client.service(tenant.session, "compute")
    compute.post("/os-keypairs", json={"keypair": {"name": "key"}})
    yield "key"
    compute.delete("/os-keypairs/key")
