"""The stage of a measurement: a fresh PostgreSQL database, and our processes on it as they are asked for.

Keystone and Heat are the stand-in of :mod:`tools.standin`, where a row needs them; it checks nothing and takes little.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from cryptography.fernet import Fernet

from magnum.conf import CONF
from magnum.db import migrations, session
from magnum.lifecycle import hints
from tools.benchmark import counted
from tools.openstack import config
from tools.openstack.config import Sections
from tools.openstack.console import Progress, Trouble
from tools.openstack.processes import Processes, Program, free_port
from tools.standin import identity
from tools.standin.client import StandIn

CHECKOUT = Path(__file__).resolve().parents[2]
API, FLOOR = "api", "floor"
#: The folder of the key ring.
KEYS = "keys"
#: Whose bays are measured.
USER = PROJECT = "bench"
#: Seconds after which something that should have happened never will.
_PATIENCE = 300.0


@dataclass(frozen=True)
class Stage:
    """Where a row is measured. ``broker`` is a URL of oslo.messaging, or None; ``standin`` is there if asked for."""

    folder: Path
    database: str
    broker: str | None
    standin: StandIn | None
    processes: Processes
    say: Progress

    @property
    def project(self) -> str:
        """Id of the project whose bays are measured."""
        return identity.ident("project", PROJECT)

    def conductors(self, *names: str, **more: dict[str, str]) -> None:
        """Start conductors and wait until they are at work. ``more`` are sections of their configuration."""
        for name in names:
            file = self._configure(name, more)
            self.processes.start(
                self._counting(name, "-m", "tools.benchmark.counted", "--config-file", str(file))
            )
        for name in names:
            log = self.processes.log(name)
            self.until(lambda log=log: "is at work" in log.read_text())  # type: ignore[misc]

    def api(self) -> int:
        """Start the API, with two workers of eight threads; its port."""
        file, port = self._configure(API, {}), free_port()
        program = self._counting(API, *_SERVER, f"127.0.0.1:{port}", "tools.benchmark.counted_api")
        variables = {**program.environment, "OS_MAGNUM_CONFIG_FILES": str(file)}
        self.processes.start(Program(API, program.command, variables, port))
        self.processes.wait_for_http(API, f"http://127.0.0.1:{port}/", 60)
        return port

    def floor(self) -> int:
        """Start the floor on the same server; its port."""
        port = free_port()
        command = (sys.executable, *_SERVER, f"127.0.0.1:{port}", "tools.benchmark.floor")
        libpq = self.database.replace("postgresql+psycopg2:", "postgresql:", 1)
        variables = {"BENCH_DATABASE": libpq, "BENCH_PROJECT": self.project}
        self.processes.start(Program(FLOOR, command, {**_OURS, **variables}, port))
        self.processes.wait_for_http(FLOOR, f"http://127.0.0.1:{port}/", 60)
        return port

    def headers(self) -> dict[str, str]:
        """Headers of the caller whose bays are measured."""
        assert self.standin is not None
        return {
            "X-Auth-Token": self.standin.token(USER, PROJECT),
            "OpenStack-API-Version": "container-infra latest",
        }

    def kill(self, name: str) -> None:
        """kill -9 for a process and its children."""
        pid = self.processes.pid(name)
        assert pid is not None
        os.killpg(pid, signal.SIGKILL)

    def cpu(self, *names: str) -> float:
        """Seconds of CPU that these processes, with their children, have taken so far."""
        return sum(_cpu_of_group(self.processes.pid(name)) for name in names)

    def statements(self, *names: str) -> tuple[int, int]:
        """Statements and transactions that these processes have sent so far."""
        each = [counted.read(self._counts(name)) for name in names]
        return sum(counts[0] for counts in each), sum(counts[1] for counts in each)

    def until(self, condition: Callable[[], bool], pause: float = 0.05) -> float:
        """Wait until something is so; returns the moment, as ``time.monotonic`` has it."""
        end = time.monotonic() + _PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise Trouble(f"it took too long; the logs are in {self.folder / 'log'}")
            time.sleep(pause)
        return time.monotonic()

    def _counts(self, name: str) -> Path:
        return self.folder / "counts" / name

    def _counting(self, name: str, *command: str) -> Program:
        counts = self._counts(name)
        counts.mkdir(parents=True, exist_ok=True)
        variables = {counted.VARIABLE: str(counts), "XDG_RUNTIME_DIR": str(self.folder)}
        return Program(name, (sys.executable, *command), {**_OURS, **variables})

    def _configure(self, name: str, more: Sections) -> Path:
        file = self.folder / f"{name}.conf"
        broker = {"transport_url": self.broker} if self.broker else {}
        ours: Sections = {
            "DEFAULT": {"state_path": self.folder, **broker},
            "database": {"connection": self.database},
            "conductor": {"topic": self.folder.name},
            "heat_events": {"topics": self.folder.name},
            "cloud": {"absent_services": "image,compute,network,volume"},
            "quotas": {"max_clusters_per_project": -1},
            "certificates": {"key_ring": self.folder / KEYS},
        }
        cloud = self.standin.sections() if self.standin else {}
        config.write(file, config.merged(ours, cloud, more))
        return file


_OURS = {"PYTHONPATH": str(CHECKOUT)}
_SERVER = [
    "-m",
    "gunicorn",
    "--workers",
    "2",
    "--threads",
    "8",
    "--worker-class",
    "gthread",
    "--bind",
]


@contextlib.contextmanager
def standing(
    server: str,
    folder: Path,
    say: Progress,
    broker: str | None = None,
    seconds_per_stack: float | None = None,
    events: bool = False,
) -> Iterator[Stage]:
    """A stage in an empty folder, with a fresh database; the database and all processes are gone at the end.

    :param server: URL of a PostgreSQL, as SQLAlchemy writes it.
    :param broker: for hints, and for Heat's events if ``events`` are wanted.
    :param seconds_per_stack: how long the stand-in's Heat takes; None for no stand-in.
    """
    folder.mkdir()
    _make_keys(folder / KEYS)
    processes = Processes(folder)
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(_database(server))
        standin = None
        if seconds_per_stack is not None:
            notify = broker if events else None
            standin = stack.enter_context(
                StandIn(
                    folder, seconds_per_stack=seconds_per_stack, notify=notify, topic=folder.name
                )
            )
        stack.callback(lambda: processes.stop(*processes.names()))
        stack.enter_context(_asking(url, broker, folder))
        yield Stage(folder, url, broker, standin, processes, say)


def _make_keys(ring: Path) -> None:
    """A key ring, as `magnum-key-manage setup` makes it."""
    ring.mkdir(mode=0o700)
    for number in range(2):
        (ring / str(number)).write_bytes(Fernet.generate_key())


@contextlib.contextmanager
def _asking(database: str, broker: str | None, folder: Path) -> Iterator[None]:
    """Let this process ask for bays directly, as an API does."""
    CONF([], default_config_files=[], default_config_dirs=[])
    CONF.set_override("transport_url", broker)
    CONF.set_override("topic", folder.name, "conductor")
    CONF.set_override("key_ring", str(folder / KEYS), "certificates")
    CONF.set_override("max_clusters_per_project", -1, "quotas")
    session.configure(database)
    migrations.upgrade(session.engine())
    hints.start()
    try:
        yield
    finally:
        session.engine().dispose()
        CONF.clear_override("transport_url")
        CONF.clear_override("topic", "conductor")
        CONF.clear_override("key_ring", "certificates")
        CONF.clear_override("max_clusters_per_project", "quotas")
        hints.start()


@contextlib.contextmanager
def _database(server: str) -> Iterator[str]:
    url = sa.make_url(server)
    name = f"magnum_bench_{os.getpid()}"
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


def _cpu_of_group(group: int | None) -> float:
    """Fields 5, 14 and 15 of /proc/<pid>/stat, see proc(5); of the leader also those of children that have ended."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[2]) == group:
            ended = int(fields[13]) + int(fields[14]) if stat.parent.name == str(group) else 0
            ticks += int(fields[11]) + int(fields[12]) + ended
    return ticks / os.sysconf("SC_CLK_TCK")
