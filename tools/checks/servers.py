"""The servers that functional tests need: PostgreSQL, MariaDB and RabbitMQ.

A server that is there is used as it is and never stopped. Where none lets us in, one of our own is started
for this run, with its data in a folder that goes with it; the programs are installed first where that is
allowed. How a server is started and installed, `tools.openstack.servers` knows.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.checks import environment
from tools.openstack import choices, servers
from tools.openstack.console import Progress, Trouble
from tools.openstack.processes import LOOPBACK, Processes
from tools.openstack.servers import Ground


@dataclass(frozen=True)
class Kind:
    """One kind of server.

    :param name: for people.
    :param variable: environment variable that names a server of this kind, for the tests and for us.
    :param urls: where to look when that variable is not set. The first is what one of our own gets, on `port`.
    :param port: the port that the URLs name.
    :param ensure: starts one on the address of a URL.
    """

    name: str
    variable: str
    urls: tuple[str, ...]
    port: int
    ensure: Callable[[Ground, str], None]


@dataclass(frozen=True)
class Servers:
    """What was found or started: variables for the tests, and what is missing with the reason."""

    variables: dict[str, str]
    missing: dict[str, str]


@contextmanager
def running(
    kinds: tuple[Kind, ...], python: Path, checkout: Path, say: Progress, state: Path
) -> Iterator[Servers]:
    """Have one server of each kind; those that were started for it are gone afterwards.

    :param python: interpreter of the environment of the checks; it has the database drivers.
    :param state: folder for data, logs and what has to be stopped later.
    :raises Trouble: when a server that a variable names does not let us in.
    """
    found = Servers({}, {})
    ask = _Door(python, checkout)
    with ExitStack() as stack:
        for kind in kinds:
            url = ask.existing(kind)
            if url is None:
                try:
                    url = stack.enter_context(_own(kind, ask, say, state))
                except Trouble as trouble:
                    found.missing[kind.name] = f"{trouble} Or name a server in {kind.variable}."
                    continue
            say(f"{kind.name}: using {url}")
            found.variables[kind.variable] = url
        yield found


@dataclass(frozen=True)
class _Door:
    """Asks servers whether they let us in, with the drivers of the environment."""

    python: Path
    checkout: Path

    def existing(self, kind: Kind) -> str | None:
        """URL of a server that is there and lets us in."""
        named = os.environ.get(kind.variable)
        url, reason = self.first_open([named] if named else list(kind.urls))
        if url is None and named:
            raise Trouble(
                f"{kind.variable} names a {kind.name} that does not let us in ({reason}); correct it, or "
                "unset it to have one started."
            )
        return url

    def first_open(self, urls: list[str]) -> tuple[str | None, str]:
        """The first of the URLs that lets us in, and the reasons of those that do not."""
        answer = subprocess.run(
            [str(self.python), "-m", "tools.checks.probe", *urls],
            cwd=self.checkout,
            env=environment.of_tools(self.python),
            capture_output=True,
            text=True,
            check=False,
        )
        return (answer.stdout.strip() or None), answer.stderr.strip()


@contextmanager
def _own(kind: Kind, ask: _Door, say: Progress, state: Path) -> Iterator[str]:
    """Run a server of our own: a fresh one, gone with its data afterwards."""
    place = state / kind.name.lower()
    ground = Ground(place / "data", choices.suffix(place), Processes(place), say)
    _clean(ground)  # left behind by a run that was killed
    url = kind.urls[0].replace(f":{kind.port}/", f":{_port(kind.port)}/")
    try:
        kind.ensure(ground, url)
        refused = ask.first_open([url])[1]
        if refused:
            raise Trouble(f"the {kind.name} started for this run does not let us in ({refused}).")
        yield url
    finally:
        _clean(ground)


def _clean(ground: Ground) -> None:
    """End what was started, and remove its data."""
    ground.processes.stop(*ground.processes.names(), patience=30.0)
    for folder in (ground.data, servers.postgresql_data(ground)):
        shutil.rmtree(folder, ignore_errors=True)


def _port(wanted: int) -> int:
    """The wanted loopback port, or the next free one."""
    for port in range(wanted, wanted + 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise Trouble(f"the ports from {wanted} to {wanted + 49} are all taken.")


POSTGRESQL = Kind(
    "PostgreSQL",
    "MAGNUM_TEST_POSTGRESQL",
    (
        f"postgresql+psycopg2://root@{LOOPBACK}:5432/postgres",
        f"postgresql+psycopg2://postgres@{LOOPBACK}:5432/postgres",
    ),
    5432,
    servers.ensure_postgresql,
)
MARIADB = Kind(
    "MariaDB",
    "MAGNUM_TEST_MYSQL",
    (f"mysql+pymysql://root@{LOOPBACK}:3306/?charset=utf8mb4",),
    3306,
    servers.ensure_mariadb,
)
RABBITMQ = Kind(
    "RabbitMQ",
    "MAGNUM_TEST_RABBIT",
    (f"rabbit://guest:guest@{LOOPBACK}:5672/",),
    5672,
    servers.ensure_rabbitmq,
)
ALL = (POSTGRESQL, MARIADB, RABBITMQ)
