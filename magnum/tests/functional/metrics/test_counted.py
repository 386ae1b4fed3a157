"""What conductors count: their operations, passes and broken transactions, each process on its own port."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from oslo_db import exception as db_exception

from magnum.common import metrics
from magnum.db import session
from magnum.db.models import State
from magnum.drivers.noop_v1.driver import Driver as NoopDriver
from magnum.lifecycle.submit import delete_bay
from magnum.tests import engine
from magnum.tests.functional.conductor.processes import Conductors, status, until
from magnum.tests.functional.metrics.test_metrics import scrape, value
from tools.openstack.processes import free_port


@pytest.fixture
def database(database_url: str) -> str:
    engine.use_database(database_url)
    return database_url


@pytest.fixture
def conductors(tmp_path: Path, database: str) -> Iterator[Conductors]:
    found = Conductors(tmp_path, database)
    yield found
    found.end()


@pytest.mark.timeout(600)
def test_conductors_show_what_they_did(conductors: Conductors) -> None:
    port = free_port()
    more = f"[heat_events]\nenabled = false\n[metrics]\nport = {port}\n"
    for _ in range(2):
        conductors.start(more=more)
    done, failed, stays = (
        engine.a_bay(NoopDriver(), labels=labels)
        for labels in ({}, {"noop_fail": "create"}, {"noop_block": "create"})
    )
    until(lambda: status(done) == "CREATE_COMPLETE" and status(failed) == "CREATE_FAILED")
    until(lambda: engine.operations_of(stays)[0].state == State.BLOCKED)
    delete_bay(engine.context(), engine.look(done))
    until(lambda: engine.operations_of(done)[-1].state == State.DONE)
    both = [scrape(number) for number in (port, port + 1)]

    def total(name: str, **labels: str) -> float:
        return sum(value(one, name, **labels) or 0.0 for one in both)

    ended = "magnum_operation_seconds_count"
    assert total(ended, verb="create", outcome="DONE") == 1
    assert total(ended, verb="create", outcome="FAILED") == 1
    assert total(ended, verb="delete", outcome="DONE") == 1
    assert total("magnum_pass_seconds_count") >= 4
    for one in both:
        blocked = {"verb": "create", "state": "BLOCKED", "actor": "user"}
        assert value(one, "magnum_operations_unfinished", **blocked) == 1
        assert value(one, "magnum_bays", status="CREATE_FAILED", health="") == 1
        assert value(one, "magnum_passes_stuck") == 0
        assert value(one, "magnum_database_answers") == 1
        services = [dict(labels)["service"] for name, labels in one if name == "magnum_process"]
        assert services == ["conductor"]


def test_a_broken_transaction_is_counted(database: str) -> None:
    tries = iter([db_exception.DBDeadlock(), None])

    @session.retried
    def write() -> str:
        if error := next(tries):
            raise error
        return "written"

    before = metrics.REGISTRY.get_sample_value("magnum_sql_retries_total", {"error": "DBDeadlock"})
    assert write() == "written"
    after = metrics.REGISTRY.get_sample_value("magnum_sql_retries_total", {"error": "DBDeadlock"})
    assert (after or 0) == (before or 0) + 1
