"""The health of running clusters: who is looked at and when, by which conductor, and what is written of it."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from magnum.common.context import service_context
from magnum.conductor import health
from magnum.conductor.health import Rounds
from magnum.conf import CONF
from magnum.db import clock, session
from magnum.db.models import Bay, Event
from magnum.drivers.contract import Actor, Driver, Facts, Failed, Health, HealthStatus, Wait, Work
from magnum.lifecycle.health import Watcher
from magnum.lifecycle.submit import delete_bay, update_bay
from magnum.tests import engine
from magnum.tests.api import Settings
from magnum.tests.engine import ScriptedDriver

WELL = Health(
    HealthStatus.HEALTHY,
    {"api": "ok", "node-1": "ok"},
    {"cpu": 0.5},
    Facts(coe_version="27.1", container_version="27.1"),
)
ILL = Health(HealthStatus.UNHEALTHY, {"api": "ok", "node-1": "down; its server is gone"})

Answer = Health | Exception | Callable[[Work], Any]


class ScriptedMonitor:
    """Says what the test has laid down; keeps what it was asked."""

    def __init__(self, answer: Answer = WELL) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self._lock = threading.Lock()

    def look(self, work: Work) -> Health:
        with self._lock:
            self.asked.append(work.bay.uuid)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if isinstance(self.answer, Health) else self.answer(work)


class Watched(ScriptedDriver):
    """A driver with a monitor."""

    name = "watched_v1"


@pytest.fixture
def monitor(monkeypatch: pytest.MonkeyPatch) -> ScriptedMonitor:
    made = ScriptedMonitor()
    monkeypatch.setattr(Watched, "monitor", made)
    return made


@pytest.fixture
def settings() -> Iterator[Settings]:
    made = Settings()
    yield made
    made.undo()


@pytest.fixture(autouse=True)
def database(database_url: str, settings: Settings) -> Iterator[None]:
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
    settings("health", timeout=5.0)
    settings("quotas", max_clusters_per_project=-1)
    engine.use_database(database_url)
    yield
    session.engine().dispose()


def nobody() -> Any:
    raise AssertionError("this test has no cloud")


def conductor(*drivers: Driver) -> Rounds:
    """The health loop of a conductor of its own."""
    known = {driver.name: driver for driver in drivers}
    return Rounds(Watcher(nobody, lambda: known))


def complete(driver: ScriptedDriver, count: int = 1, **values: Any) -> list[Bay]:
    """Complete bays."""
    made = [engine.a_bay(driver, **values) for _ in range(count)]
    engine.run_all(engine.a_worker(driver))
    return [engine.look(bay) for bay in made]


def make_due() -> None:
    """Let an interval pass."""
    with session.writer(service_context()) as db:
        db.execute(
            session.changing(Bay)
            .where(Bay.health_due_at.is_not(None))
            .values(health_due_at=clock.now(-1))
        )


def due_in(bay: Bay) -> float | None:
    with session.reader(service_context()) as db:
        due, moment = db.execute(
            select(Bay.health_due_at, clock.now()).where(Bay.id == bay.id)
        ).one()
    return None if due is None else float((due - moment).total_seconds())


def changes(bay: Bay) -> list[str | None]:
    """What the timeline says of the bay's health."""
    with session.reader(service_context()) as db:
        mine = (Event.bay_uuid == bay.uuid, Event.code == "HEALTH_CHANGED")
        return list(db.scalars(select(Event.text).where(*mine).order_by(Event.id)))


def test_a_complete_bay_is_looked_at_and_what_is_seen_is_shown(monitor: ScriptedMonitor) -> None:
    driver = Watched()
    rounds = conductor(driver)
    (bay,) = complete(driver)
    rounds.round()
    seen = engine.look(bay)
    assert (seen.health_status, seen.health_status_reason) == (
        "HEALTHY",
        {"api": "ok", "node-1": "ok"},
    )
    assert (seen.coe_version, seen.container_version) == ("27.1", "27.1")
    assert seen.utilisation == {"cpu": 0.5}
    assert changes(bay) == ["The cluster is HEALTHY."]
    left = due_in(bay)
    assert left is not None
    assert 30 < left < 50


def test_a_change_of_health_is_told_once_with_its_reason(monitor: ScriptedMonitor) -> None:
    driver = Watched()
    rounds = conductor(driver)
    (bay,) = complete(driver)
    for answer in (WELL, ILL, ILL, WELL):
        monitor.answer = answer
        make_due()
        rounds.round()
    assert changes(bay) == [
        "The cluster is HEALTHY.",
        "The cluster is UNHEALTHY: node-1: down; its server is gone.",
        "The cluster is HEALTHY.",
    ]
    assert engine.look(bay).coe_version == "27.1", "what was known stays known"


def test_nothing_is_written_of_what_has_not_changed(monitor: ScriptedMonitor) -> None:
    driver = Watched()
    rounds = conductor(driver)
    complete(driver, 10)
    rounds.round()
    monitor.answer = Health(WELL.status, WELL.reasons, {"cpu": 0.52}, WELL.facts)
    make_due()
    with engine.statements() as sent:
        rounds.round()
    assert len(monitor.asked) == 20
    assert len(sent) == 4
    assert sum(statement.startswith("UPDATE") for statement in sent) == 1


def test_what_has_changed_of_many_is_written_together(monitor: ScriptedMonitor) -> None:
    driver = Watched()
    rounds = conductor(driver)
    bays = complete(driver, 10)
    rounds.round()
    monitor.answer = ILL
    make_due()
    with engine.statements() as sent:
        rounds.round()
    assert {engine.look(bay).health_status for bay in bays} == {"UNHEALTHY"}
    assert len(sent) <= 4 + 3


def test_two_conductors_take_each_bay_once(monitor: ScriptedMonitor) -> None:
    driver = Watched()
    bays = complete(driver, 40)
    barrier = threading.Barrier(2)

    def run() -> None:
        rounds = conductor(driver)
        barrier.wait()
        rounds.round()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # What one could not take because the other one held it, waits for the next round.
    conductor(driver).round()
    assert sorted(monitor.asked) == sorted(bay.uuid for bay in bays)


def test_only_settled_bays_are_looked_at(monitor: ScriptedMonitor) -> None:
    driver = Watched()
    rounds = conductor(driver)
    changing, going, broken, well = complete(driver, 4)
    rounds.round()
    update_bay(engine.context(), changing, 5)
    delete_bay(engine.context(), going)
    failing = Watched(Failed("X", Actor.USER, "no"))
    update_bay(engine.context(), broken, 5)
    with session.reader(service_context()) as db:
        assert db.scalar(select(Bay.status).where(Bay.id == going.id)) == "DELETE_IN_PROGRESS"
    worker = engine.a_worker(failing)
    for operation in engine.operations_of(broken)[1:]:
        worker.run(operation.id)
    assert engine.look(broken).status == "UPDATE_FAILED"
    monitor.asked.clear()
    make_due()
    rounds.round()
    assert sorted(monitor.asked) == sorted([broken.uuid, well.uuid])


def test_what_was_seen_of_a_bay_that_is_being_changed_is_not_written(
    monitor: ScriptedMonitor,
) -> None:
    driver = Watched()
    rounds = conductor(driver)
    (bay,) = complete(driver)
    rounds.round()

    def meanwhile(work: Work) -> Health:
        update_bay(engine.context(), engine.look(bay), 5)
        return ILL

    monitor.answer = meanwhile
    make_due()
    rounds.round()
    assert engine.look(bay).health_status == "HEALTHY"
    assert changes(bay) == ["The cluster is HEALTHY."]


def test_the_end_of_a_change_is_followed_by_a_look(monitor: ScriptedMonitor) -> None:
    driver = Watched()
    (bay,) = complete(driver)
    conductor(driver).round()
    assert (due_in(bay) or 0) > 30
    update_bay(engine.context(), bay, 5)
    driver.answers = [Wait(0)]
    engine.run_all(engine.a_worker(driver))
    assert (due_in(bay) or 0) <= 0
    conductor(driver).round()
    assert len(monitor.asked) == 2


def test_a_monitor_that_raises_or_talks_rubbish_harms_nobody(monitor: ScriptedMonitor) -> None:
    driver = Watched()
    rounds = conductor(driver)
    one, other, third = complete(driver, 3)

    def odd(work: Work) -> Any:
        if work.bay.uuid == one.uuid:
            raise RuntimeError("the secret")
        return "fine, thank you" if work.bay.uuid == other.uuid else WELL

    monitor.answer = odd
    rounds.round()
    assert engine.look(third).health_status == "HEALTHY"
    for bay, words in ((one, "RuntimeError"), (other, "AttributeError")):
        seen = engine.look(bay)
        assert seen.health_status == "UNKNOWN"
        assert words in seen.health_status_reason["monitor"]
        assert "secret" not in str(seen.health_status_reason)


def test_monitors_that_hang_harm_only_their_own_driver(
    monitor: ScriptedMonitor, settings: Settings
) -> None:
    class Plain(ScriptedDriver):
        name = "plain_v1"

    Plain.monitor = ScriptedMonitor()
    settings("health", timeout=0.2, threads=2)
    release = threading.Event()

    def hangs(work: Work) -> Health:
        release.wait(60)
        return ILL

    monitor.answer = hangs
    hanging, plain = Watched(), Plain()
    caught, free = complete(hanging, 5), complete(plain, 5)
    rounds = conductor(hanging, plain)
    rounds.round()
    assert {engine.look(bay).health_status for bay in free} == {"HEALTHY"}
    assert {engine.look(bay).health_status for bay in caught} == {"UNKNOWN"}
    assert len(monitor.asked) <= 4, "a driver that hangs is not asked again and again"
    before = threading.active_count()
    make_due()
    rounds.round()
    assert threading.active_count() <= before, "no thread more for those that hang already"
    release.set()
    while rounds._hanging:
        release.wait(0.01)
    # What came too late counts for nothing, and the driver is asked again.
    assert {engine.look(bay).health_status for bay in caught} == {"UNKNOWN"}
    monitor.answer = WELL
    make_due()
    rounds.round()
    assert {engine.look(bay).health_status for bay in caught} == {"HEALTHY"}


def test_a_conductor_keeps_to_its_limit_and_the_oldest_go_first(
    monitor: ScriptedMonitor, settings: Settings
) -> None:
    settings("health", looks_per_minute=20, interval=60.0)
    driver = Watched()
    bays = complete(driver, 12)
    rounds = conductor(driver)
    rounds.round()
    assert len(monitor.asked) == 6, "a third of a minute's looks"
    rounds.round()
    assert len(monitor.asked) == 12
    assert set(monitor.asked) == {bay.uuid for bay in bays}


def test_bays_from_before_their_driver_had_a_monitor_are_found(monitor: ScriptedMonitor) -> None:
    class Old(ScriptedDriver):
        name = "watched_v1"

    (bay,) = complete(Old())
    assert due_in(bay) is None
    conductor(Watched()).round()
    assert monitor.asked == [bay.uuid]


def test_a_driver_that_lost_its_monitor_is_let_go(monitor: ScriptedMonitor) -> None:
    class Blind(ScriptedDriver):
        name = "watched_v1"

    class Other(ScriptedDriver):
        name = "other_v1"
        monitor = ScriptedMonitor()

    (bay,) = complete(Watched())
    rounds = conductor(Watched(), Other())
    rounds.round()
    make_due()
    conductor(Blind(), Other()).round()
    assert engine.look(bay).health_status == "UNKNOWN"
    assert due_in(bay) is None


# --- what it costs -----------------------------------------------------------------------------------------------


def minutes(rounds: Rounds, monkeypatch: pytest.MonkeyPatch, count: int = 1) -> list[int]:
    """The statements of each of some minutes of rounds."""
    moment, sent = 1000.0, []
    monkeypatch.setattr(health, "time", SimpleNamespace(monotonic=lambda: moment))
    for _ in range(count):
        sent.append(0)
        for _ in range(3):
            moment += 20
            let_pass(timedelta(seconds=20))
            with engine.statements() as statements:
                rounds.round()
            sent[-1] += len(statements)
    return sent


def spread() -> None:
    """Have the bays be due one after the other within a minute, as those of a fleet are that came to be by and by."""
    with session.writer(service_context()) as db:
        watched = db.scalars(select(Bay.id).where(Bay.health_due_at.is_not(None))).all()
        for place, ident in enumerate(watched):
            later = clock.now(60 * place / len(watched))
            db.execute(session.changing(Bay).where(Bay.id == ident).values(health_due_at=later))


def let_pass(time: timedelta) -> None:
    """Have every bay due so much earlier."""
    with session.writer(service_context()) as db:
        watched = select(Bay.id, Bay.health_due_at).where(Bay.health_due_at.is_not(None))
        for ident, due in db.execute(watched).all():
            mine = session.changing(Bay).where(Bay.id == ident)
            assert due is not None
            db.execute(mine.values(health_due_at=due - time))


def test_where_no_driver_has_a_monitor_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = ScriptedDriver()
    complete(driver, 3)
    assert minutes(conductor(driver), monkeypatch) == [0]


def test_an_idle_fleet_costs_one_statement_a_minute(
    monitor: ScriptedMonitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = conductor(Watched())
    complete(ScriptedDriver(), 3)
    # The first one begins with bays of before.
    assert minutes(rounds, monkeypatch, 4)[1:] == [1, 1, 1]


def test_a_hundred_watched_bays_stay_within_the_budget_of_an_idle_fleet(
    monitor: ScriptedMonitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixty statements in a minute are for all that a conductor does; see the idle fleet of ``test_quiet``."""
    driver = Watched()
    complete(driver, 100)
    rounds = conductor(driver)
    rounds.round()
    spread()
    minutes(rounds, monkeypatch)
    monitor.asked.clear()
    counts = minutes(rounds, monkeypatch, 3)
    # The databases' own clock goes on meanwhile.
    assert 250 <= len(monitor.asked) <= 350
    assert max(counts) <= 20, counts
