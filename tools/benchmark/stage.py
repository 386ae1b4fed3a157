"""The stage of a measurement: our API and a floor, on a PostgreSQL database of their own, without a conductor.

Tokens are checked by the Keystone of ``tools/cloud``.
"""

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from tools.benchmark import content
from tools.openstack import accounts, config, magnum
from tools.openstack.console import Progress
from tools.openstack.processes import Processes, Program

CHECKOUT = Path(__file__).resolve().parents[2]
AUTH_URL = "http://127.0.0.1:5000"
FLOOR = "floor"


@dataclass(frozen=True)
class Stage:
    """What is measured: two ports, a caller's headers, and a baymodel and a bay of theirs."""

    api: int
    floor: int
    headers: dict[str, str]
    baymodel: str
    bay: str


@contextlib.contextmanager
def database(server: str) -> Iterator[str]:
    """A fresh database, dropped at the end; its libpq URL."""
    url = sa.make_url(server).set(drivername="postgresql+psycopg2")
    name = f"magnum_bench_{os.getpid()}"
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


@contextlib.contextmanager
def stage(folder: Path, url: str, cloud: Path, bays: int, say: Progress) -> Iterator[Stage]:
    """Start both on a database (libpq URL) with ``bays`` bays; ``cloud`` is the state folder of ``tools/cloud``."""
    passwords = config.Passwords(cloud / "passwords.json")
    ours = url.replace("postgresql://", "postgresql+psycopg2://", 1)
    settings = magnum.Settings(
        state=folder,
        venv=Path(sys.prefix),
        auth_url=AUTH_URL,
        password=passwords[magnum.USER],
        database=ours,
        port=_free_port(),
        extra={"quotas": {"max_clusters_per_project": -1}},
    )
    magnum.write_config(settings)
    magnum.upgrade_database(settings, folder / "upgrade.log")
    session = accounts.session("demo", AUTH_URL, passwords)
    say(f"making {bays} bays")
    baymodel, bay = content.fill(ours, str(session.get_project_id()), bays)
    floor = Program(
        FLOOR,
        (
            *f"{sys.prefix}/bin/gunicorn --workers 2 --threads 8 --worker-class gthread --bind".split(),
            f"127.0.0.1:{(floor_port := _free_port())}",
            "tools.benchmark.floor:application",
        ),
        {
            "BENCH_DATABASE": url,
            "BENCH_PROJECT": str(session.get_project_id()),
            "PYTHONPATH": str(CHECKOUT),
        },
        floor_port,
    )
    processes = Processes(folder)
    headers = {
        "X-Auth-Token": str(session.get_token()),
        "OpenStack-API-Version": "container-infra latest",
    }
    try:
        processes.start(floor)
        processes.start(magnum.programs(settings)[0])
        processes.wait_for_http(FLOOR, f"http://127.0.0.1:{floor_port}/", 30)
        processes.wait_for_http(magnum.API, f"http://127.0.0.1:{settings.port}/", 30)
        yield Stage(settings.port, floor_port, headers, baymodel, bay)
    finally:
        processes.stop(magnum.API, FLOOR)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
