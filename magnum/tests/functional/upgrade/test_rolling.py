"""The service is replaced while it works: conductors and APIs of two consecutive versions, on one database.

The release before comes out of the history, see :mod:`magnum.tests.functional.upgrade.versions`.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from magnum.common.context import service_context
from magnum.db import bays, operations, session
from magnum.db.models import Bay, Event, Operation, Project, State
from magnum.drivers.noop_v1.driver import Driver as NoopDriver
from magnum.lifecycle.submit import cancel, check_bay, delete_bay, update_bay
from magnum.tests import engine
from magnum.tests.functional.upgrade.versions import (
    NEW,
    Api,
    House,
    Version,
    release_before,
    until,
)

SERVERS = [
    pytest.param("postgresql", marks=pytest.mark.postgresql),
    pytest.param("mysql", marks=pytest.mark.mysql),
]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Version:
    """The release before."""
    return release_before(tmp_path_factory.mktemp("before"))


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    """Processes on a fresh database, which this process looks into too."""
    session.configure(database_url)
    found = House(tmp_path, database_url)
    yield found
    found.end()
    session.engine().dispose()


def states_of(uuids: list[str]) -> list[str]:
    """States of all operations of these bays. Only columns that both versions have."""
    with session.reader(service_context()) as db:
        return list(db.scalars(select(Operation.state).where(Operation.bay_uuid.in_(uuids))))


def events_of(bay: str) -> list[str]:
    with session.reader(service_context()) as db:
        return list(db.scalars(select(Event.code).where(Event.bay_uuid == bay).order_by(Event.id)))


def all_are(api: Api, uuids: list[str], status: str) -> bool:
    shown = api.statuses()
    return all(shown[bay] == status for bay in uuids)


def halfway(uuids: list[str]) -> None:
    """Wait until something is being worked on."""
    until(lambda: State.RUNNING in states_of(uuids))


def test_each_version_imports_its_own_code(old: Version) -> None:
    code = (
        "import sys; from magnum.drivers.catalogue import catalogue; "
        "print(sys.modules[type(catalogue().get('noop_v1')).__module__].__file__)"
    )
    for version in (old, NEW):
        said = subprocess.check_output(
            [sys.executable, "-c", code], cwd=version.root, env=version.environment(), text=True
        )
        assert said.strip() == str(version.root / "magnum/drivers/noop_v1/driver.py")


@pytest.mark.slow
@pytest.mark.parametrize("database_url", SERVERS, indirect=True)
def test_the_service_is_replaced_while_it_works(house: House, old: Version) -> None:
    house.upgrade(old)
    old_conductor, old_api = house.conductor(old), house.api(old)
    model = old_api.a_model()
    uuids = [old_api.a_bay(model, 1) for _ in range(3)]
    halfway(uuids)
    house.upgrade(NEW)
    uuids.append(old_api.a_bay(model, 0.3))
    new_conductor, new_api = house.conductor(NEW), house.api(NEW)
    apis = (old_api, new_api)
    uuids += [api.a_bay(model, 0.3) for api in apis * 3]
    until(lambda: all(all_are(api, uuids, "CREATE_COMPLETE") for api in apis))
    assert old_conductor.ended("create")

    # What one version has accepted or begun, the other one ends, whichever of them dies.
    for number, bay in enumerate(uuids):
        apis[number % 2].scale(bay, 3)
    halfway(uuids)
    old_conductor.kill()
    until(lambda: all_are(new_api, uuids, "UPDATE_COMPLETE"))
    assert new_conductor.ended("update")
    old_conductor = house.conductor(old)
    for number, bay in enumerate(uuids):
        apis[number % 2].scale(bay, 4)
    halfway(uuids)
    new_conductor.kill()
    until(
        lambda: all_are(old_api, uuids, "UPDATE_COMPLETE") and State.RUNNING not in states_of(uuids)
    )
    assert old_conductor.ended("update")
    house.conductor(NEW)

    for number, bay in enumerate(uuids):
        apis[number % 2].delete(bay)
    until(lambda: not old_api.statuses())
    assert not new_api.statuses()
    assert [events_of(bay) for bay in uuids] == [["ACCEPTED", "DONE"] * 4] * len(uuids)
    assert set(states_of(uuids)) == {State.DONE}
    with session.reader(service_context()) as db:
        assert db.scalar(select(Project.bays)) == 0


@pytest.fixture
def upgraded(house: House) -> House:
    """The database has the new schema already, and this process is one of the new version's APIs."""
    house.upgrade(NEW)
    return house


def a_bay(**options: str) -> Bay:
    return engine.a_bay(NoopDriver(), labels={"noop_delay": "0.2", **options})


def shown(bay: Bay) -> tuple[str, int]:
    found = engine.look(bay)
    return found.status, found.node_count


def last(bay: Bay) -> Operation:
    return engine.operations_of(bay)[-1]


@pytest.mark.parametrize("database_url", SERVERS, indirect=True)
def test_the_release_before_works_through_a_queue(upgraded: House, old: Version) -> None:
    in_order, taken_back = a_bay(), a_bay()
    for bay in (in_order, taken_back):
        for count in (3, 5):
            update_bay(engine.context(), engine.look(bay), count, queue=True)
    cancel(engine.context(), engine.operations_of(taken_back)[1])
    upgraded.conductor(old)
    for bay in (in_order, taken_back):
        until(lambda bay=bay: last(bay).state == State.DONE)  # type: ignore[misc]
        assert shown(bay) == ("UPDATE_COMPLETE", 5)
    assert events_of(in_order.uuid) == ["ACCEPTED"] * 3 + ["DONE"] * 3
    states = [operation.state for operation in engine.operations_of(taken_back)]
    assert states == [State.DONE, State.CANCELLED, State.DONE]


@pytest.mark.parametrize("database_url", SERVERS, indirect=True)
def test_what_the_release_before_cannot_do_the_new_one_does(upgraded: House, old: Version) -> None:
    looked_at, overtaken, forced = a_bay(), a_bay(), a_bay(noop_block="delete")
    everything = (looked_at, overtaken, forced)
    old_conductor = upgraded.conductor(old)
    until(lambda: all(shown(bay)[0] == "CREATE_COMPLETE" for bay in everything))

    # A deletion by force is an ordinary one to the release before: it waits, and what is written of it stays.
    delete_bay(engine.context(), engine.look(forced), force=True)
    until(lambda: last(forced).state == State.BLOCKED)
    left = [{"service": "compute", "kind": "server", "ident": "1", "name": "node"}]
    with session.writer(service_context()) as db:
        mine = Operation.id == last(forced).id
        db.execute(session.changing(Operation).where(mine).values(leftovers=left))
    tries = last(forced).attempts
    assert operations.wake(service_context(), forced.uuid) == [last(forced).id]
    until(lambda: last(forced).attempts > tries)
    assert (last(forced).leftovers, last(forced).wakes) == (left, 1)

    # A check is a word it does not know: it breaks off. What is asked meanwhile waits, and a deletion overtakes.
    for bay in (looked_at, overtaken):
        assert check_bay(service_context(), bay.uuid, quiet=0)
    until(lambda: old_conductor.said().count("was broken off") >= 2)
    update_bay(engine.context(), engine.look(looked_at), 2)
    delete_bay(engine.context(), engine.look(overtaken))
    assert last(looked_at).next_run_at is None

    # Nothing was lost: a new conductor beside it does what it can get, and the rest when it is alone.
    upgraded.conductor(NEW)
    until(lambda: all(last(bay).state == State.DONE for bay in (forced, overtaken)))
    assert not any(bays.exists(service_context(), bay.uuid) for bay in (overtaken, forced))
    old_conductor.kill()
    until(lambda: last(looked_at).state == State.DONE)
    assert shown(looked_at) == ("UPDATE_COMPLETE", 2)
    assert [found.state for found in engine.operations_of(looked_at)] == [State.DONE] * 3
