"""What must hold without a sound: idle fleets, lost messages, absent conductors, crowds at the quota and on one bay."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
from oslo_utils import timeutils
from sqlalchemy import delete, insert

from magnum.api import app
from magnum.common import errors, ids
from magnum.common.context import service_context
from magnum.conductor.calls import Calls
from magnum.conductor.health import Rounds
from magnum.conductor.pool import Pool
from magnum.conductor.service import Conductor
from magnum.conf import CONF
from magnum.db import clock, projects, session
from magnum.db.models import Bay, Operation, Project, Quota, State
from magnum.drivers import catalogue
from magnum.drivers.contract import Wait
from magnum.lifecycle import hints
from magnum.lifecycle.answers import Answerer
from magnum.lifecycle.health import Watcher
from magnum.lifecycle.outages import Reporter
from magnum.lifecycle.passes import Worker
from magnum.lifecycle.submit import NewBay, create_bay, delete_bay, update_bay
from magnum.policies import enforcer
from magnum.tests import engine
from magnum.tests.api import EVERYTHING, MEMBER, Client, Settings, SwarmDriver, a_bay, trusting
from magnum.tests.engine import ScriptedDriver
from magnum.tests.functional.lifecycle.world import World, a_world

R = TypeVar("R")


@pytest.fixture
def database(database_url: str) -> Iterator[None]:
    engine.use_database(database_url)
    yield
    session.engine().dispose()


@pytest.fixture
def settings() -> Iterator[Settings]:
    found = Settings()
    yield found
    found.undo()


def at_once(do: Callable[[int], R], count: int, threads: int = 20) -> list[R]:
    """The same from many threads, all of which begin at the same moment."""
    barrier = threading.Barrier(threads)

    def begin(number: int) -> R:
        if number < threads:
            barrier.wait()
        return do(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(begin, range(count)))


# --- an idle fleet ---------------------------------------------------------------------------------------------------


def _nobody(*_: Any) -> Any:
    raise AssertionError("nobody has to be asked")


def _fleet(size: int) -> None:
    """Complete bays, each with a finished operation, in a project whose roles are granted."""
    model, moment = engine.a_baymodel(), timeutils.utcnow()
    uuids = [ids.new_uuid() for _ in range(size)]
    same = {"project_id": "p1", "user_id": "u1", "generation": 1}
    bay = {
        **same,
        "baymodel_id": model.uuid,
        "driver": "scripted_v1",
        "driver_version": "1.0.0",
        "template_version": "1",
        "status": "CREATE_COMPLETE",
        "labels": {},
        "health_status_reason": {},
        "observed_at": moment,
        "created_at": moment,
    }
    operation = {
        **same,
        "verb": "create",
        "state": State.DONE,
        "parameters": {},
        "cursor": {},
        "timeout": 60,
        "deadline": moment,
        "created_at": moment,
        "finished_at": moment,
    }
    with session.writer(service_context()) as db:
        db.add(Project(project_id="p1", bays=size, granted=True))
        db.execute(insert(Bay), [{**bay, "uuid": uuid} for uuid in uuids])
        rows = [{**operation, "uuid": ids.new_uuid(), "bay_uuid": uuid} for uuid in uuids]
        db.execute(insert(Operation), rows)


def _five_minutes() -> int:
    """What one conductor does in five minutes, without waiting in between; the statements it sends."""
    worker = Worker(_nobody, _nobody)
    conductor = Conductor()
    conductor._worker, conductor._pool = worker, Pool(worker, 4)
    conductor._calls = Calls(Answerer(_nobody, worker.owner, 2, _nobody), 4)
    drivers = {ScriptedDriver.name: ScriptedDriver()}
    rounds = {
        conductor._sweep: CONF.conductor.sweep_interval,
        worker.renew: CONF.lifecycle.lease_seconds / 3,
        conductor._tidy: 60,
        conductor._report: 60,
        conductor._look_for_calls: CONF.conductor.call_poll,
        Reporter(worker.owner).report: 1,
        Rounds(Watcher(_nobody, lambda: drivers)).round: 15,
    }
    conductor._report()  # the first one makes its row
    with engine.statements() as sent:
        for work, interval in rounds.items():
            for _ in range(int(300 / interval)):
                work()
    return len(sent)


@pytest.mark.slow
def test_an_idle_fleet_costs_the_same_whatever_its_size(database: None) -> None:
    _fleet(10)
    few = _five_minutes()
    with session.writer(service_context()) as db:
        for model in (Operation, Bay, Project):
            db.execute(delete(model))
    _fleet(10_000)
    assert _five_minutes() == few
    assert few <= 5 * 60, "60 statements in a minute is the budget"


# --- messages and conductors that are not there ----------------------------------------------------------------------


class FakeDeafClient:
    """Stands for oslo.messaging's client before a broker that loses everything."""

    def __init__(self) -> None:
        self.lost = 0

    def cast(self, context: Any, method: str, **arguments: Any) -> None:
        """Lose a message."""
        self.lost += 1


def test_with_every_message_lost_everything_completes(
    database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = FakeDeafClient()
    sender = hints.Sender(client)
    monkeypatch.setattr(hints, "_sender", sender)
    driver = ScriptedDriver()
    driver.answers = [Wait(5) for _ in range(6)]
    worker = engine.a_worker(driver)
    made = [engine.a_bay(driver) for _ in range(3)]
    for bay in made:
        update_bay(engine.context(), engine.look(bay), 3, queue=True)
    engine.run_all(worker)
    assert [engine.look(bay).status for bay in made] == ["UPDATE_COMPLETE"] * 3
    for bay in made:
        delete_bay(engine.context(), bay)
    engine.run_all(worker)
    assert all(one.state == State.DONE for bay in made for one in engine.operations_of(bay))
    sender._thread.shutdown()
    assert client.lost == 9


@pytest.fixture
def member(database: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A member of project p1, before the application."""
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
    settings("cloud", absent_services=EVERYTHING)
    enforcer.decisions.cache_clear()
    known = catalogue.Catalogue([SwarmDriver()])
    monkeypatch.setattr(catalogue, "catalogue", lambda: known)
    yield Client(app.make(auth=trusting), Project_Id="p1", User_Id="u1", Roles=MEMBER)
    enforcer.decisions.cache_clear()


def test_without_conductors_requests_are_accepted_and_done_later(member: Client) -> None:
    uuids = [a_bay(member) for _ in range(3)]
    for uuid in uuids:
        assert member("GET", f"/v1/bays/{uuid}", status=200).json["status"] == "CREATE_IN_PROGRESS"
    member("DELETE", f"/v1/bays/{uuids[0]}", status=204)
    assert len(member("GET", "/v1/bays", status=200).json["bays"]) == 3
    engine.make_due(deadline=clock.now(-86400))  # a day later
    engine.run_all(engine.a_worker(SwarmDriver()))
    member("GET", f"/v1/bays/{uuids[0]}", status=404)
    for uuid in uuids[1:]:
        assert member("GET", f"/v1/bays/{uuid}", status=200).json["status"] == "CREATE_COMPLETE"


# --- crowds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [None, 7], ids=["configured", "of-the-project"])
def test_a_hundred_creations_at_once_fill_the_quota_exactly(
    database: None, settings: Settings, own: int | None
) -> None:
    settings("quotas", max_clusters_per_project=20)
    if own is not None:
        with session.writer(service_context()) as db:
            db.add(Quota(project_id="crowded", resource=projects.CLUSTER, hard_limit=own))
    asker, driver = engine.context("crowded"), ScriptedDriver()
    model = engine.a_baymodel(asker)

    def create(number: int) -> bool:
        try:
            asker = engine.context("crowded")
            create_bay(asker, NewBay(name=f"b{number}", baymodel=model, driver=driver))
        except errors.QuotaExceeded:
            return False
        return True

    assert sum(at_once(create, 100)) == (own or 20)
    with session.reader(service_context()) as db:
        found = db.get(Project, "crowded")
        assert found is not None
        assert found.bays == (own or 20)


def test_twenty_changes_at_once_are_all_accepted_and_done_in_order(database: None) -> None:
    driver = ScriptedDriver()
    bay = engine.a_bay(driver, node_count=1)

    def change(number: int) -> str | None:
        asker = engine.context()
        return update_bay(asker, engine.look(bay), number + 2, queue=True)

    accepted = at_once(change, 20)
    assert None not in accepted
    engine.run_all(engine.a_worker(driver), passes=60)
    _, *changes = engine.operations_of(bay)
    assert {one.uuid for one in changes} == set(accepted)
    assert [one.state for one in changes] == [State.DONE] * 20
    assert [one.generation for one in changes] == list(range(2, 22))
    ends = [one.finished_at for one in changes if one.finished_at is not None]
    assert ends == sorted(ends)
    done = [work.group("worker").node_count for work in driver.asked[1:]]
    assert sorted(done) == list(range(2, 22))
    assert engine.look(bay).status == "UPDATE_COMPLETE"
    assert engine.look(bay).node_count == done[-1]


# --- deadlines -------------------------------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with a_world(tmp_path, monkeypatch) as made:
        made.begin()
        yield made


def _begin(world: World, verb: str) -> Operation:
    """An operation of a verb, at its beginning."""
    asker = engine.context()
    new = NewBay("b", world.baymodel, world.driver, create_timeout=10)
    bay = create_bay(asker, new).bay
    if verb != "create":
        world.settle()
    match verb:
        case "update":
            update_bay(asker, engine.look(bay), 3)
        case "delete" | "force":
            delete_bay(asker, engine.look(bay), force=verb == "force")
    (operation,) = world.unfinished()
    return operation


@pytest.mark.sqlite
@pytest.mark.parametrize("fault", ["500", "hang"])
@pytest.mark.parametrize("verb", ["create", "update", "delete", "force"])
def test_at_the_deadline_it_has_ended_whatever_heat_does(
    world: World, verb: str, fault: str
) -> None:
    """Two conductors sweep every two seconds; one of them may be caught in a request that hangs."""
    operation = _begin(world, verb)
    world.heat.behaviour.always = fault
    caught: list[float] = []

    def hangs(seconds: float) -> None:
        caught.append(seconds)
        for second in range(2, int(seconds) + 1, 2):
            world.time.passes(2)
            if second % 10 == 0:
                world.workers[len(caught) - 1].renew()
            if len(caught) == 1:
                world.sweep(1)
        caught.pop()

    world.heat.hangs = hangs
    while world.unfinished():
        world.time.passes(2)
        world.sweep(0)
        assert world.time.seconds < 3600, "it never ends"
    (ended,) = [one for one in world.operations() if one.id == operation.id]
    assert ended.finished_at is not None
    late = (ended.finished_at - ended.deadline).total_seconds()
    assert late <= 30, f"{ended.state} {late} s after its deadline"
    assert ended.state == (State.DONE if verb == "force" else State.FAILED)
