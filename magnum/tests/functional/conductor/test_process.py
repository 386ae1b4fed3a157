"""Real conductor processes on every database, with RabbitMQ and without: accepted work is finished, whatever dies."""

import time
import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy
import sqlalchemy.exc

from magnum.conf import CONF
from magnum.db.models import Bay, State
from magnum.drivers.noop_v1.driver import Driver as NoopDriver
from magnum.lifecycle import hints
from magnum.lifecycle.submit import delete_bay
from magnum.tests import engine
from magnum.tests.functional.conductor.processes import PATIENCE, Conductors, status, until


def noop_bay(seconds: float) -> Bay:
    return engine.a_bay(NoopDriver(), labels={"noop_delay": str(seconds)})


@pytest.fixture
def sending(rabbit_url: str) -> Iterator[tuple[str, str]]:
    """This process sends hints, on a topic of the test's own: (broker, topic)."""
    topic = f"test-{uuid.uuid4().hex[:8]}"
    CONF.set_override("transport_url", rabbit_url)
    CONF.set_override("topic", topic, "conductor")
    hints.start()
    yield rabbit_url, topic
    CONF.clear_override("transport_url")
    CONF.clear_override("topic", "conductor")
    hints.start()


def test_without_a_broker_the_sweep_finds_the_work(conductors: Conductors) -> None:
    conductors.start()
    bay = noop_bay(0.3)
    until(lambda: status(bay) == "CREATE_COMPLETE")
    delete_bay(engine.context(), bay)
    until(lambda: engine.operations_of(bay)[-1].state == State.DONE)


def test_with_a_broker_the_hint_is_enough(conductors: Conductors, sending: tuple[str, str]) -> None:
    broker, topic = sending
    conductors.start(broker=broker, topic=topic, sweep=3600)
    conductors.until_all_say("Hints are listened to")
    bay = noop_bay(0.3)
    until(lambda: status(bay) == "CREATE_COMPLETE")


@pytest.mark.rabbit
def test_a_broker_that_is_down_stops_nothing(conductors: Conductors) -> None:
    nowhere = "rabbit://guest:guest@127.0.0.1:9/"
    CONF.set_override("transport_url", nowhere)
    try:
        hints.start()
        conductors.start(broker=nowhere)
        began = time.monotonic()
        bay = noop_bay(0.3)
        assert time.monotonic() - began < 5, "acceptance must not wait for the broker"
        until(lambda: status(bay) == "CREATE_COMPLETE")
    finally:
        CONF.clear_override("transport_url")
        hints.start()


def test_a_killed_conductor_is_replaced_by_another(conductors: Conductors) -> None:
    first = conductors.start()
    bays = [noop_bay(2) for _ in range(3)]
    until(lambda: all(engine.operations_of(bay)[0].started_at for bay in bays))
    conductors.kill(first)
    assert {status(bay) for bay in bays} == {"CREATE_IN_PROGRESS"}
    conductors.start()
    until(lambda: all(status(bay) == "CREATE_COMPLETE" for bay in bays))
    assert [engine.events_of(bay) for bay in bays] == [["ACCEPTED", "DONE"]] * 3


def test_two_conductors_share_the_work_and_do_it_once(conductors: Conductors) -> None:
    for _ in range(2):
        conductors.start(lease=60)  # a busy machine may be late to renew a short one
    bays = [noop_bay(0.2) for _ in range(12)]
    until(lambda: all(status(bay) == "CREATE_COMPLETE" for bay in bays))
    assert [engine.events_of(bay) for bay in bays] == [["ACCEPTED", "DONE"]] * 12


def test_a_conductor_that_is_told_to_stop_gives_its_leases_back(conductors: Conductors) -> None:
    process = conductors.start()
    bay = noop_bay(60)
    until(lambda: engine.operations_of(bay)[0].started_at)
    process.terminate()
    assert process.wait(PATIENCE) == 0
    (operation,) = engine.operations_of(bay)
    assert (operation.state, operation.owner, operation.lease_until) == (State.RUNNING, None, None)


@pytest.mark.parametrize(
    "database_url",
    [
        pytest.param("postgresql", marks=pytest.mark.postgresql),
        pytest.param("mysql", marks=pytest.mark.mysql),
    ],
    indirect=True,
)
def test_a_database_that_ends_all_connections_ends_no_conductor(
    database: str, conductors: Conductors
) -> None:
    conductors.start()
    bays = [noop_bay(2) for _ in range(3)]
    for _ in range(8):
        _end_connections(database)
        time.sleep(0.3)
    until(lambda: all(status(bay) == "CREATE_COMPLETE" for bay in bays))
    (log,) = conductors.logs()
    assert "loop broke" not in log
    assert log.count("is at work") == 1


def _end_connections(database: str) -> None:
    """As a restart of the server does, to everybody who uses a database."""
    url = sqlalchemy.make_url(database)
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    with engine.connect() as own:
        if url.get_backend_name() == "postgresql":
            own.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return
        others = own.exec_driver_sql(
            "SELECT id FROM information_schema.processlist"
            " WHERE db = database() AND id <> connection_id()"
        )
        for (ident,) in others.all():
            try:
                own.exec_driver_sql(f"KILL {ident}")
            except sqlalchemy.exc.DBAPIError:
                pass  # it has ended by itself
