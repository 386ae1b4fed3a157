"""What tests of the service share: fresh databases, and which servers there are.

`tools/test functional` names the servers in environment variables; a bare pytest looks on the loopback
interface. Unit tests reach no server at all: a connection is an error there.
"""

import itertools
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy.engine import URL, make_url

from tools.checks import probe, servers

#: Marks of tests that talk to a server.
SERVERS = ("functional", "postgresql", "mysql", "rabbit", "cloud")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Available:
    """Which servers there are: URLs, None where there is none; `cloud` = that of tools/cloud is up."""

    postgresql: str | None
    mysql: str | None
    rabbit: str | None
    cloud: bool


def _look_for(kind: servers.Kind) -> str | None:
    named = os.environ.get(kind.variable)
    urls = [named] if named else kind.urls
    return next((url for url in urls if probe.refusal(url) is None), None)


@pytest.fixture(scope="session")
def postgresql_server() -> str | None:
    """URL of a PostgreSQL on which we may create databases, or None."""
    return _look_for(servers.POSTGRESQL)


@pytest.fixture(scope="session")
def mysql_server() -> str | None:
    """URL of a MariaDB or MySQL on which we may create databases, or None."""
    return _look_for(servers.MARIADB)


@pytest.fixture(scope="session")
def rabbit_server() -> str | None:
    """URL of a RabbitMQ, as oslo.messaging writes it, or None."""
    return _look_for(servers.RABBITMQ)


@pytest.fixture(scope="session")
def available(
    postgresql_server: str | None, mysql_server: str | None, rabbit_server: str | None
) -> Available:
    """Which servers there are."""
    return Available(postgresql_server, mysql_server, rabbit_server, _cloud_is_up())


@pytest.fixture
def rabbit_url(rabbit_server: str | None) -> str:
    """URL of a RabbitMQ; the test is skipped where there is none."""
    if rabbit_server is None:
        pytest.skip("no RabbitMQ")
    return rabbit_server


@pytest.fixture(
    params=[
        pytest.param("sqlite", marks=pytest.mark.sqlite),
        pytest.param("postgresql", marks=pytest.mark.postgresql),
        pytest.param("mysql", marks=pytest.mark.mysql),
    ]
)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a fresh and empty database, once on each kind of server; it is dropped afterwards."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/magnum.sqlite"
        return
    server: str | None = request.getfixturevalue(f"{request.param}_server")
    if server is None:
        pytest.skip(f"no {request.param} server")
    with fresh_database(server) as url:
        yield url


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """URL of a fresh and empty database on a server; it is dropped afterwards."""
    with_name = _create_database(make_url(server))
    try:
        yield with_name.render_as_string(hide_password=False)
    finally:
        _drop_database(make_url(server), str(with_name.database))


def _create_database(server: URL) -> URL:
    name = f"magnum_test_{os.getpid()}_{next(_numbers)}"
    options = " CHARACTER SET utf8mb4" if server.get_backend_name() == "mysql" else ""
    _on_server(server, f"CREATE DATABASE {name}{options}")
    return server.set(database=name)


def _drop_database(server: URL, name: str) -> None:
    # PostgreSQL refuses to drop a database that a forgotten connection still uses, unless it is forced.
    options = " WITH (FORCE)" if server.get_backend_name() == "postgresql" else ""
    _on_server(server, f"DROP DATABASE {name}{options}")


def _on_server(server: URL, statement: str) -> None:
    engine = sqlalchemy.create_engine(
        server, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool
    )
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(statement))


def _cloud_is_up() -> bool:
    return os.environ.get("MAGNUM_TEST_CLOUD") == "1"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs the cloud where there is none."""
    if item.get_closest_marker("cloud") and not _cloud_is_up():
        pytest.skip("no cloud: run it with `tools/test functional`, or set MAGNUM_TEST_CLOUD=1")


@pytest.fixture(autouse=True)
def no_connections(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit test that connects to anything fails."""
    if any(request.node.get_closest_marker(mark) for mark in SERVERS):
        return

    def refuse(self: socket.socket, address: Any, *_: Any) -> None:
        raise AssertionError(f"a unit test must not connect, but this one does, to {address!r}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
