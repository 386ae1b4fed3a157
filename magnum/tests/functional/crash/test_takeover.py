"""How long it takes until another conductor goes on, with the lease and the sweep that are configured by default."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import ColumnElement, func, select

from magnum.common.context import service_context
from magnum.conf import CONF
from magnum.db import session
from magnum.db.models import Operation, State
from magnum.drivers.contract import Driver, Provides
from magnum.tests import engine
from magnum.tests.functional.conductor.processes import Conductors, until

BAYS = 20
#: Seconds that a busy machine may be late. One more lease would be seen all the same.
SLACK = 20.0
SOURCE = """
import pathlib
import time

from magnum.drivers import contract


class Driver(contract.Driver):
    name = "slow_v1"
    version = "1.0.0"
    provides = frozenset({{contract.Provides("vm", "none", "slow")}})

    def bay_create(self, work):
        if pathlib.Path({flag!r}).exists():
            time.sleep(100000)
        return contract.Done()
"""


class Slow(Driver):
    """What acceptance has to know of the driver in the directory."""

    name = "slow_v1"
    version = "1.0.0"
    provides = frozenset({Provides("vm", "none", "slow")})


@pytest.fixture
def conductors(tmp_path: Path, database_url: str) -> Iterator[Conductors]:
    engine.use_database(database_url)
    found = Conductors(tmp_path, database_url)
    CONF.set_override("max_clusters_per_project", -1, "quotas")
    yield found
    CONF.clear_override("max_clusters_per_project", "quotas")
    found.end()


def count(condition: ColumnElement[bool]) -> int:
    """How many operations there are of which this is true."""
    with session.reader(service_context()) as db:
        return db.scalar(select(func.count()).select_from(Operation).where(condition)) or 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_a_killed_conductor_held_goes_on_within_a_lease_and_a_sweep(
    conductors: Conductors, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lease, sweep = CONF.lifecycle.lease_seconds, CONF.conductor.sweep_interval
    assert (lease, sweep) == (30, 2), "design.md promises 30 s and one sweep"
    flag, path = tmp_path / "hang", tmp_path / "drivers" / "slow_v1"
    flag.touch()
    path.mkdir(parents=True, mode=0o755)
    path.parent.chmod(0o755)
    (path / "driver.py").write_text(SOURCE.format(flag=str(flag)))
    more = f"lease_seconds = {lease}\n[heat_events]\nenabled = false\n[drivers]\npaths = {path.parent}\n"

    def start() -> subprocess.Popen[bytes]:
        threads = f"threads = {BAYS}\nstuck_seconds = 300\n"
        return conductors.start(sweep=sweep, conductor=threads, more=more)

    for _ in range(BAYS):
        engine.a_bay(Slow())
    doomed = start()

    def all_held() -> bool:
        return count(Operation.owner.is_not(None)) == BAYS

    until(all_held)
    time.sleep(lease / 2)  # the leases are renewed meanwhile: this is the worst moment, or near it
    flag.unlink()
    start()
    conductors.kill(doomed)
    killed = time.monotonic()
    until(lambda: count(Operation.state != State.DONE) == 0)
    seconds = time.monotonic() - killed
    assert seconds <= lease + sweep + SLACK
    with capsys.disabled():
        print(f"\n{BAYS} operations of a killed conductor were finished {seconds:.1f} s later.")
