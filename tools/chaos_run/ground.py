"""The processes of a run: a database and a broker of its own, the stand-in, the conductors and the API.

All of them can be killed, stopped and started again. The machine's own servers are never touched: ours have ports and
data of their own, and go with the run.
"""

import contextlib
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from magnum.db import migrations, session
from tools.chaos_run import audit, plan
from tools.chaos_run.plan import Kind, Plan
from tools.openstack import choices, config, servers
from tools.openstack.config import Section, Sections
from tools.openstack.console import Progress, Trouble
from tools.openstack.processes import Processes, Program, free_port
from tools.standin.client import StandIn

DATABASES = ("postgresql", "mariadb")
API = "api"
_NAME = "magnum"
#: Seconds that a server may take to come up on a busy machine.
_PATIENCE = 120.0


@dataclass
class Ground:
    """What runs. Made by :func:`standing`; each part is locked while somebody breaks it.

    ``engine`` is ours, for looking; ``incarnations`` counts how often each conductor was started.
    """

    folder: Path
    database: str
    place: servers.Ground
    processes: Processes
    database_url: sa.URL
    broker_url: str
    standin: StandIn
    conductors: int
    api_port: int
    engine: sa.Engine
    say: Progress
    users: dict[str, sa.URL] = field(default_factory=dict)
    incarnations: dict[int, int] = field(default_factory=dict)
    locks: dict[str, threading.Lock] = field(default_factory=dict)

    @property
    def api_url(self) -> str:
        """Where the API is, without a slash at the end."""
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def server_url(self) -> sa.URL:
        """The database server, with a database that it always has."""
        always = "postgres" if self.database == "postgresql" else "mysql"
        return self.database_url.set(database=always)

    def lock(self, name: str) -> threading.Lock:
        """The lock of one part: a conductor, the API, the broker or the database."""
        return self.locks.setdefault(name, threading.Lock())

    # --- our processes -------------------------------------------------------------------------------------------

    def start_conductor(self, number: int) -> None:
        """Start a conductor under a new name."""
        self.incarnations[number] = self.incarnations.get(number, 0) + 1
        who = f"{audit.CONDUCTOR}_{number}_{self.incarnations[number]}"
        file = self._configure(who)
        command = (sys.executable, "-m", "magnum.cmd.conductor", "--config-file", str(file))
        self.processes.start(Program(conductor(number), command))

    def start_api(self) -> None:
        """Start the API, and wait until it answers."""
        file = self._configure(API)
        workers = ("--workers", "2", "--threads", "4", "--worker-class", "gthread")
        where = ("--bind", f"127.0.0.1:{self.api_port}")
        server = (sys.executable, "-m", "gunicorn", *workers, *where)
        command = (*server, "magnum.wsgi.api:application")
        variables = {"OS_MAGNUM_CONFIG_FILES": str(file), "XDG_RUNTIME_DIR": str(self.folder)}
        self.processes.start(Program(API, command, variables, self.api_port))
        self.processes.wait_for_port(API, self.api_port, _PATIENCE)

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a process with all its children a signal."""
        pid = self.processes.pid(name)
        if pid is not None:
            os.killpg(pid, number)

    def kill(self, name: str) -> None:
        """kill -9, and wait until nothing of it is left."""
        self.send(name, signal.SIGKILL)
        end = time.monotonic() + _PATIENCE
        while self.processes.pid(name) is not None:
            if time.monotonic() > end:
                raise Trouble(f"{name} does not die.")
            time.sleep(0.02)

    def _configure(self, who: str) -> Path:
        file = self.folder / f"{who}.conf"
        url = self.users[who].render_as_string(hide_password=False)
        identity = {**self.standin.sections()["keystone_auth"], "username": f"magnum-{who}"}
        sections = config.merged(
            _SETTINGS,
            self.standin.sections(),
            {
                "DEFAULT": {"state_path": self.folder, "transport_url": self.broker_url},
                "database": {"connection": url},
                "keystone_auth": identity,
            },
        )
        config.write(file, sections)
        return file

    # --- the servers under them ----------------------------------------------------------------------------------

    def stop_database(self, politely: bool) -> None:
        """Stop the database at once: with what is being written lost, or rolled back in good order."""
        polite = signal.SIGINT if self.database == "postgresql" else signal.SIGTERM
        rude = signal.SIGQUIT if self.database == "postgresql" else signal.SIGKILL
        self._stop(self._server, polite if politely else rude)

    def start_database(self) -> None:
        """Start the database again, on the same data."""
        self.ensure_database()
        _make_durable(self.engine)

    def ensure_database(self) -> None:
        """Have the server up, and letting people in."""
        ensure = servers.ensure_mariadb
        if self.database == "postgresql":
            ensure = servers.ensure_postgresql
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                ensure(self.place, self.server_url.render_as_string(hide_password=False))
                with sa.create_engine(self.server_url, poolclass=sa.NullPool).connect():
                    return
            except (Trouble, sa.exc.OperationalError) as error:
                # One that was killed may not have let go of everything yet, and listens before it lets people in.
                if time.monotonic() > deadline:
                    raise Trouble(f"the database does not come up: {error}") from error
                time.sleep(0.2)

    def stop_broker(self, politely: bool) -> None:
        """Stop the broker."""
        self._stop(servers.RABBITMQ, signal.SIGTERM if politely else signal.SIGKILL)

    def start_broker(self) -> None:
        """Start the broker again."""
        servers.ensure_rabbitmq(self.place, self.broker_url.replace("rabbit:", "amqp:"))

    @property
    def _server(self) -> str:
        return servers.POSTGRESQL if self.database == "postgresql" else servers.MARIADB

    def _stop(self, name: str, number: signal.Signals) -> None:
        pid = self.processes.pid(name)
        if pid is None:
            raise Trouble(f"{name} is not ours to stop.")
        if number is signal.SIGKILL:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
        end = time.monotonic() + _PATIENCE
        while self.processes.pid(name) is not None:
            if time.monotonic() > end:
                raise Trouble(f"{name} does not stop.")
            time.sleep(0.02)


def conductor(number: int) -> str:
    """Name of a conductor's process."""
    return f"{audit.CONDUCTOR}-{number}"


#: What API and conductors are told. Times are short, so that minutes show what else takes a day.
_SETTINGS: Sections = {
    "database": {"max_retries": 60, "retry_interval": 1, "max_pool_size": 20},
    "conductor": {"sweep_interval": 0.5, "threads": 12},
    "lifecycle": {
        "lease_seconds": int(plan.LEASE),
        "poll_interval": 0.5,
        "blocked_interval": 2.0,
        "retry_first": 0.2,
        "retry_longest": 2.0,
        "settle_seconds": plan.SETTLE,
    },
    "heat_client": {"timeout": plan.HEAT_TIMEOUT},
    "identity": {"timeout": 3.0},
    # Not so soon that it would keep most requests out of the trouble they are meant to get into.
    "breaker": {"failure_threshold": 10, "recovery_seconds": 2.0},
    "heat_events": {"poll_interval": 3.0},
    "quotas": {"max_clusters_per_project": -1},
}


@contextlib.contextmanager
def standing(folder: Path, database: str, plan_: Plan, say: Progress) -> Iterator[Ground]:
    """Have everything running that a plan needs, in a folder; it is stopped, and its data removed, at the end.

    :raises Trouble: when something does not come up.
    """
    processes = Processes(folder)
    place = servers.Ground(folder / "data", choices.suffix(folder), processes, say)
    _clean(place)
    with contextlib.ExitStack() as stack:
        stack.callback(_clean, place)
        ground = _servers(folder, database, plan_, place)
        stack.enter_context(ground.standin)
        say("starting API and conductors")
        for number in range(plan_.conductors):
            ground.start_conductor(number)
        ground.start_api()
        _wait(lambda: all(_at_work(ground, number) for number in range(plan_.conductors)), ground)
        yield ground


def _servers(folder: Path, database: str, plan_: Plan, place: servers.Ground) -> Ground:
    broker = f"rabbit://guest:guest@127.0.0.1:{_port_of_a_broker()}/"
    ground = Ground(
        folder=folder,
        database=database,
        place=place,
        processes=place.processes,
        database_url=(url := _url(database)),
        broker_url=broker,
        standin=StandIn(folder, seconds_per_stack=0.4, notify=broker, seed=plan_.seed),
        conductors=plan_.conductors,
        api_port=free_port(),
        engine=sa.create_engine(url, poolclass=sa.NullPool),
        say=place.say,
    )
    with ThreadPoolExecutor(1) as beside:
        broker_starts = beside.submit(ground.start_broker)
        ground.ensure_database()
        _make_database(ground, plan_)
        broker_starts.result()
    return ground


def _make_database(ground: Ground, plan_: Plan) -> None:
    """The schema, the record, and the users."""
    engine = sa.create_engine(
        ground.server_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {_NAME}")
        if ground.database == "postgresql":
            connection.exec_driver_sql(f"ALTER DATABASE {_NAME} SET synchronous_commit = on")
    _make_durable(ground.engine)
    session.configure(ground.database_url.render_as_string(hide_password=False))
    migrations.upgrade(session.engine())
    audit.install(ground.engine)
    ground.users[API] = audit.add_user(ground.engine, API)
    # A fault falls on another conductor where its own is broken already.
    kills = sum(fault.kind is Kind.KILL for fault in plan_.faults)
    for number in range(plan_.conductors):
        for incarnation in range(1, kills + 2):
            who = f"{audit.CONDUCTOR}_{number}_{incarnation}"
            ground.users[who] = audit.add_user(ground.engine, who)


def _make_durable(engine: sa.Engine) -> None:
    """What was committed stays, even where the server is killed. (PostgreSQL: set once, on the database.)"""
    with engine.connect() as connection:
        if engine.dialect.name == "mysql":
            connection.exec_driver_sql("SET GLOBAL innodb_flush_log_at_trx_commit = 2")


def _url(database: str) -> sa.URL:
    port = free_port()
    if database == "postgresql":
        return sa.make_url(f"postgresql+psycopg2://root@127.0.0.1:{port}/{_NAME}")
    return sa.make_url(f"mysql+pymysql://root@127.0.0.1:{port}/{_NAME}?charset=utf8mb4")


def _at_work(ground: Ground, number: int) -> bool:
    log = ground.processes.log(conductor(number))
    return log.exists() and "is at work" in log.read_text(errors="replace")


def _wait(condition: Callable[[], bool], ground: Ground) -> None:
    end = time.monotonic() + _PATIENCE
    while not condition():
        names = [conductor(number) for number in range(ground.conductors)]
        if dead := [name for name in names if ground.processes.pid(name) is None]:
            raise Trouble(f"{dead[0]} did not come up:\n{ground.processes.tail(dead[0])}")
        if time.monotonic() > end:
            raise Trouble(f"it takes too long:\n{ground.processes.tail(names[0])}")
        time.sleep(0.1)


def _clean(place: servers.Ground) -> None:
    """End what is there, also what a run that was killed left behind, and remove its data."""
    for name in place.processes.names():
        pid = place.processes.pid(name)
        if pid is not None:
            # Nothing is asked politely: one may be stopped, and the data goes anyway.
            with contextlib.suppress(ProcessLookupError):
                if name == servers.POSTGRESQL:
                    os.kill(pid, signal.SIGQUIT)
                else:
                    os.killpg(pid, signal.SIGKILL)
    place.processes.stop(*place.processes.names(), patience=20.0)
    for folder in (place.data, servers.postgresql_data(place)):
        shutil.rmtree(folder, ignore_errors=True)


def _port_of_a_broker() -> int:
    """A port that nobody has; RabbitMQ needs another one 20000 above it."""
    while (port := free_port()) >= 40000:
        pass
    return port


def settings() -> dict[str, Section]:
    """What API and conductors are told beside where things are, for the process that asks directly."""
    return {name: dict(options) for name, options in _SETTINGS.items()}
