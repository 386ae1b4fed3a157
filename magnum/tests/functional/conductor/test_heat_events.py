"""Heat's events on real databases and on a real RabbitMQ, sent as Heat sends them."""

import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from kombu import connection as kombu_connection
from kombu import entity as kombu_entity

from magnum.common.context import service_context
from magnum.conductor import heat_events
from magnum.conductor.heat_events import Endpoint, Flow
from magnum.conf import CONF
from magnum.db import clock, operations, session
from magnum.db.models import Bay
from magnum.drivers.contract import Facts, Wait, Work
from magnum.lifecycle import clouds
from magnum.lifecycle.passes import Worker
from magnum.lifecycle.submit import delete_bay
from magnum.tests import engine
from magnum.tests.engine import ScriptedDriver
from magnum.tests.functional.conductor.bus import Bus
from magnum.tests.functional.conductor.processes import until


class FakePool:
    """Keeps what was submitted, instead of running it."""

    def __init__(self) -> None:
        self.submitted: list[int] = []

    def submit(self, operation_id: int) -> bool:
        self.submitted.append(operation_id)
        return True


class Watched(ScriptedDriver):
    """A scripted driver that can be asked how its cluster is."""

    def observe(self, work: Work) -> Facts:
        self.asked.append(work)
        return Facts(api_address="tcp://192.0.2.1:2375")


def say(pool: FakePool, bay: Bay, event: str) -> None:
    endpoint = Endpoint(pool, Flow())  # type: ignore[arg-type]
    payload = {"stack_name": f"bay-{bay.uuid}"}
    endpoint.info({}, "heat", f"orchestration.stack.{event}", payload, {})


def long_ago(bay: Bay) -> None:
    """Have a bay observed some time ago."""
    with session.writer(service_context()) as db:
        db.execute(
            session.changing(Bay).where(Bay.uuid == bay.uuid).values(observed_at=clock.now(-60))
        )


# --- what an event does in the database ------------------------------------------------------------------------------


def test_an_event_makes_a_waiting_operation_due(database: str) -> None:
    driver, pool = Watched(Wait(300)), FakePool()
    worker, bay = engine.a_worker(driver), engine.a_bay(driver)
    (operation,) = engine.operations_of(bay)
    worker.run(operation.id)
    assert operations.due(service_context(), 10) == []
    say(pool, bay, "create.end")
    say(pool, bay, "create.end")  # doubled
    assert pool.submitted == [operation.id] * 2
    worker.run(operation.id)
    assert [work.woken for work in driver.asked] == [False, True]
    assert engine.look(bay).status == "CREATE_COMPLETE"


def test_heats_word_that_comes_too_early_is_followed_by_a_look_soon(database: str) -> None:
    driver, pool = Watched(*[lambda work: Wait(work.poll_interval)] * 3), FakePool()
    worker = Worker(lambda: clouds.access(), lambda name: driver, poll_interval=lambda: 600.0)
    bay = engine.a_bay(driver)
    (operation,) = engine.operations_of(bay)
    assert worker.run(operation.id) == 600.0
    say(pool, bay, "create.end")
    assert worker.run(operation.id) == CONF.lifecycle.poll_interval
    engine.make_due()
    assert worker.run(operation.id) == 600.0


def test_an_event_during_a_pass_is_followed_by_another_pass(database: str) -> None:
    pool = FakePool()

    def meanwhile(work: Work) -> Wait:
        say(pool, bay, "create.end")
        return Wait(300)

    driver = Watched(meanwhile)
    worker, bay = engine.a_worker(driver), engine.a_bay(driver)
    (operation,) = engine.operations_of(bay)
    worker.run(operation.id)
    assert operations.due(service_context(), 10) == [operation.id]
    worker.run(operation.id)
    assert [work.woken for work in driver.asked] == [False, True]


def test_a_stack_that_somebody_touched_is_looked_at_once(database: str) -> None:
    driver, pool = Watched(), FakePool()
    worker, bay = engine.a_worker(driver), engine.a_bay(driver)
    engine.run_all(worker)
    say(pool, bay, "update.end")  # within the quiet time: our own echo
    assert pool.submitted == []
    long_ago(bay)
    say(pool, bay, "create.end")  # nobody else creates
    say(pool, bay, "update.start")
    assert pool.submitted == []
    say(pool, bay, "update.end")
    (check,) = pool.submitted
    say(pool, bay, "update.end")  # while the look is under way
    engine.run_all(worker)
    say(pool, bay, "update.end")  # an old one
    assert {operation.verb for operation in engine.operations_of(bay)} == {"create", "check"}
    assert len(engine.operations_of(bay)) == 2
    assert set(pool.submitted) == {check}
    assert engine.look(bay).status == "CREATE_COMPLETE"
    assert engine.look(bay).api_address == "tcp://192.0.2.1:2375"


def test_events_of_bays_that_are_not_there_do_nothing(database: str) -> None:
    driver, pool = Watched(), FakePool()
    worker, bay = engine.a_worker(driver), engine.a_bay(driver)
    engine.run_all(worker)
    delete_bay(engine.context(), bay)
    engine.run_all(worker)
    with engine.statements() as sent:
        for event in ("create.end", "update.end", "delete.end"):
            say(pool, bay, event)
            say(pool, Bay(uuid=str(uuid.uuid4())), event)
    assert pool.submitted == []
    assert len(sent) < 30


def test_an_event_while_the_database_is_away_is_no_harm(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    driver, pool = Watched(Wait(300)), FakePool()
    worker, bay = engine.a_worker(driver), engine.a_bay(driver)
    (operation,) = engine.operations_of(bay)
    worker.run(operation.id)
    CONF.set_override("max_retries", 0, "database")
    try:
        session.configure("postgresql+psycopg2://nobody@127.0.0.1:9/nothing")
        say(pool, bay, "create.end")
    finally:
        CONF.clear_override("max_retries", "database")
        session.configure(database)
    assert pool.submitted == []
    assert f"bay-{bay.uuid}" in caplog.text
    say(pool, bay, "create.end")
    assert pool.submitted == [operation.id]


# --- the bus ---------------------------------------------------------------------------------------------------------


class Ear(Flow):
    """Counts what was heard."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self._lock = threading.Lock()

    def heard(self) -> None:
        super().heard()
        with self._lock:
            self.count += 1


Listen = Callable[..., Ear]


@pytest.fixture
def listening(bus: Bus) -> Iterator[Listen]:
    """Begins to listen as a conductor does: (pool name, url)."""
    servers = []

    def begin(pool: str, url: str = bus.url) -> Ear:
        for name, value in {"transport_url": url, "topics": [bus.topic], "pool": pool}.items():
            CONF.set_override(name, value, "heat_events")
        ear = Ear()
        servers.append(heat_events.listen(FakePool(), ear))  # type: ignore[arg-type]
        assert servers[-1] is not None
        return ear

    yield begin
    for server in servers:
        server.stop()
        server.wait()
    for name in ("transport_url", "topics", "pool"):
        CONF.clear_override(name, "heat_events")


def test_each_event_goes_to_one_conductor_and_to_all_others_who_listen(
    bus: Bus, listening: Listen
) -> None:
    first, second = listening(bus.pool), listening(bus.pool)
    telemetry = listening(f"{bus.topic}-telemetry")
    for number in range(20):
        level = "error" if number % 4 == 0 else "info"
        bus.send("orchestration.stack.update.end", {"stack_name": f"stack-{number}"}, level)
    until(lambda: telemetry.count == 20)
    until(lambda: first.count + second.count == 20)
    assert first.count > 0
    assert second.count > 0


def test_without_a_pool_the_topics_own_queue_is_read(bus: Bus, listening: Listen) -> None:
    bus.send("orchestration.stack.update.end", {"stack_name": "before anybody listened"})
    ear = listening("")
    until(lambda: ear.count == 1)


def test_what_makes_no_sense_on_the_bus_is_passed_over(bus: Bus, listening: Listen) -> None:
    ear = listening(bus.pool)
    payloads: list[Any] = [None, [], "text", 7, {"stack_name": None}]
    bodies: list[Any] = [
        {},
        [],
        "text",
        {"oslo.message": "{", "oslo.version": "2.0"},
        {"priority": 7},
    ]
    for payload in payloads:
        bus.send("orchestration.stack.update.end", payload)
    bus.send("compute.instance.create.end", {"stack_name": "x"})
    address = urlsplit(bus.url)
    with kombu_connection.Connection(
        f"amqp://{address.netloc}/{address.path[1:] or '/'}"
    ) as connection:
        exchange = kombu_entity.Exchange("heat", "topic", durable=False)
        producer = connection.Producer()
        for body in bodies:
            producer.publish(body, exchange=exchange, routing_key=f"{bus.topic}.info")
    bus.send("orchestration.stack.update.end", {"stack_name": "last"})
    until(lambda: ear.count == 6)


class Wire:
    """A way to the broker that can be cut."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._to = (str(address.hostname), address.port or 5672)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self.url = url.replace(f"{address.hostname}:{address.port}", f"127.0.0.1:{self.port}")
        self._whole = True
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """End all connections, and let nobody in."""
        self._whole = False
        for end in self._ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended already

    def mend(self) -> None:
        """Let callers in again."""
        self._whole = True

    def close(self) -> None:
        """For good."""
        self.cut()
        self._door.close()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._door.accept()
            except OSError:
                return
            if not self._whole:
                caller.close()
                continue
            broker = socket.create_connection(self._to)
            self._ends += [caller, broker]
            for source, target in ((caller, broker), (broker, caller)):
                threading.Thread(target=_copy, args=(source, target), daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the wire was cut


@pytest.fixture
def wire(rabbit_url: str) -> Iterator[Wire]:
    made = Wire(rabbit_url)
    yield made
    made.close()


def test_listening_goes_on_after_the_broker_was_away(
    bus: Bus, wire: Wire, listening: Listen
) -> None:
    ear = listening(bus.pool, wire.url)
    bus.send("orchestration.stack.update.end", {"stack_name": "before"})
    until(lambda: ear.count == 1)
    wire.cut()
    bus.send("orchestration.stack.update.end", {"stack_name": "meanwhile"})
    wire.mend()
    bus.send("orchestration.stack.update.end", {"stack_name": "after"})
    until(lambda: ear.count >= 3)


def test_a_broker_that_cannot_be_used_leaves_polling(caplog: pytest.LogCaptureFixture) -> None:
    CONF.set_override("transport_url", "no-such-driver://nobody@nowhere/", "heat_events")
    try:
        assert heat_events.listen(FakePool(), Flow()) is None  # type: ignore[arg-type]
    finally:
        CONF.clear_override("transport_url", "heat_events")
    assert "[heat_events]" in caplog.text


@pytest.mark.parametrize("enabled", [True, False])
def test_without_a_broker_or_without_leave_nothing_is_listened_to(enabled: bool) -> None:
    CONF.set_override("enabled", enabled, "heat_events")
    if not enabled:
        CONF.set_override("transport_url", "rabbit://127.0.0.1:9/", "heat_events")
    try:
        assert heat_events.listen(FakePool(), Flow()) is None  # type: ignore[arg-type]
    finally:
        CONF.clear_override("enabled", "heat_events")
        CONF.clear_override("transport_url", "heat_events")
