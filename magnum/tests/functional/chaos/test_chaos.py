"""``tools/chaos`` in its short form: half a minute of faults with a fixed seed, on each kind of database.

The long form is the same command with more minutes and bays. Its record of the database is tried on its own here,
because it must see a write by one that has lost its fence, which no run should ever have.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from magnum.common.context import service_context
from magnum.db import operations, session
from magnum.db.models import Operation, State
from magnum.tests import engine
from magnum.tests.engine import ScriptedDriver
from tools.chaos_run import audit

CHECKOUT = Path(__file__).resolve().parents[4]
ON_SERVERS = [
    pytest.param("postgresql", marks=pytest.mark.postgresql),
    pytest.param("mysql", marks=pytest.mark.mysql),
]
SECONDS, BAYS, SEED = 30, 40, 3


@pytest.mark.slow
@pytest.mark.rabbit
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "database",
    ON_SERVERS,
)
def test_half_a_minute_of_chaos_loses_nothing(database: str, tmp_path: Path) -> None:
    options = {
        "--minutes": SECONDS / 60,
        "--bays": BAYS,
        "--seed": SEED,
        "--database": "mariadb" if database == "mysql" else database,
        "--patience": 300,
        "--state": tmp_path,
    }
    words = [str(word) for pair in options.items() for word in pair]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tools.chaos_run.main", *words],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing was lost" in done.stdout


CONDUCTORS = [f"{audit.CONDUCTOR}_{os.getpid()}_{number}" for number in (1, 2)]


@pytest.fixture
def watched(database_url: str) -> Iterator[dict[str, str]]:
    """A database that keeps the record: URLs by the name of who logs in."""
    engine.use_database(database_url)
    own = sa.create_engine(database_url, poolclass=sa.NullPool)
    audit.install(own)
    users = {
        who: audit.add_user(own, who).render_as_string(hide_password=False) for who in CONDUCTORS
    }
    yield {"root": database_url, **users}
    session.configure(database_url)
    for who in users:
        audit.remove_user(own, who)


@pytest.mark.parametrize(
    "database_url",
    ON_SERVERS,
    indirect=True,
)
def test_the_record_shows_a_write_without_the_fence(watched: dict[str, str]) -> None:
    bay = engine.a_bay(ScriptedDriver())
    (operation,) = engine.operations_of(bay)
    first, second = CONDUCTORS

    session.configure(watched[first])
    claim = operations.claim(service_context(), operation.id, first, 0.05)
    assert claim is not None
    session.configure(watched[second])
    while operations.claim(service_context(), operation.id, second, 30) is None:
        pass  # the lease of the first is very short
    session.configure(watched[first])
    done = operations.Outcome({"state": State.DONE}, None)
    assert not operations.write(service_context(), claim.operation, done)
    own = sa.create_engine(watched["root"], poolclass=sa.NullPool)
    assert audit.broken_fences(audit.read(own)) == []
    taken = [hold.taken_over_after for hold in audit.holds(audit.read(own))]
    assert taken[0] is None
    assert taken[1] is not None and taken[1] >= 0

    with session.writer(service_context()) as db:  # what the fence keeps from happening
        db.execute(session.changing(Operation).values(state=State.DONE, owner=None))
    (found,) = audit.broken_fences(audit.read(own))
    assert f"had lost it to {second} (by {first}" in found
