"""Tools for tests of the lifecycle: a scripted driver, a database, and conductors that are stepped by hand."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, select

from magnum.common.context import RequestContext, service_context
from magnum.db import baymodels, bays, clock, migrations, operations, session
from magnum.db.models import Bay, BayModel, Event, Operation
from magnum.drivers.catalogue import DriverMissing
from magnum.drivers.contract import Done, Driver, Outcome, Provides, Work
from magnum.lifecycle.passes import Worker
from magnum.lifecycle.submit import NewBay, create_bay

Answer = Outcome | Exception | Callable[[Work], Outcome]


class ScriptedDriver(Driver):
    """A driver that answers what the test laid down, in order, and keeps what it was asked. Then it is Done."""

    name = "scripted_v1"
    version = "1.0.0"
    template_version = "1"
    provides = frozenset({Provides("vm", "none", "scripted")})

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[Work] = []

    def _answer(self, work: Work) -> Outcome:
        self.asked.append(work)
        answer = self.answers.pop(0) if self.answers else Done()
        if isinstance(answer, Exception):
            raise answer
        return answer(work) if callable(answer) else answer

    bay_create = bay_update = bay_delete = _answer


def context(project: str = "p1", user: str = "u1") -> RequestContext:
    """A member of a project."""
    return RequestContext(
        user_id=user, project_id=project, roles=["member", "reader"], overwrite=False
    )


def use_database(url: str) -> None:
    """Work on a database of this URL, with the newest schema."""
    session.configure(url)
    migrations.upgrade(session.engine())


def a_baymodel(asker: RequestContext | None = None, **values: Any) -> BayModel:
    """A stored baymodel."""
    return baymodels.create(asker or context(), {"name": "model", "coe": "scripted", **values})


def a_bay(driver: Driver, asker: RequestContext | None = None, **values: Any) -> Bay:
    """An accepted bay of a driver."""
    asker = asker or context()
    new = NewBay(name="bay", baymodel=a_baymodel(asker), driver=driver, **values)
    return create_bay(asker, new).bay


def a_worker(*drivers: Driver, owner: str | None = None) -> Worker:
    """A conductor's worker that knows these drivers and has no cloud."""
    known = {driver.name: driver for driver in drivers}

    def find(name: str) -> Driver:
        try:
            return known[name]
        except KeyError:
            raise DriverMissing(name, known) from None

    def no_cloud() -> Any:
        raise AssertionError("this test has no cloud")

    return Worker(no_cloud, find, owner)


def look(bay: Bay) -> Bay:
    """The bay as its owner sees it now."""
    return bays.get(service_context(), bay.uuid, all_projects=True)


def operations_of(bay: Bay) -> list[Operation]:
    """All operations of a bay, oldest first."""
    with session.reader(service_context()) as db:
        return list(
            db.scalars(
                select(Operation).where(Operation.bay_uuid == bay.uuid).order_by(Operation.id)
            )
        )


def events_of(bay: Bay) -> list[str]:
    """Codes of a bay's timeline, oldest first."""
    with session.reader(service_context()) as db:
        return list(
            db.scalars(select(Event.code).where(Event.bay_uuid == bay.uuid).order_by(Event.id))
        )


def make_due(**changes: Any) -> None:
    """Let time pass: every operation that waits for its time is due now. ``changes`` sets further columns."""
    with session.writer(service_context()) as db:
        db.execute(
            session.changing(Operation)
            .where(Operation.next_run_at.is_not(None))
            .values(next_run_at=clock.now(-1), **changes)
        )


def run_all(worker: Worker, passes: int = 30) -> None:
    """Sweep until nothing is left to do, without waiting between passes. Raises AssertionError if it never ends."""
    for _ in range(passes):
        make_due()
        due = operations.due(service_context(), 100)
        if not due:
            return
        for operation_id in due:
            worker.run(operation_id)
    raise AssertionError("the work does not end")


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL statements sent while the block runs, without what only opens a transaction."""
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            sent.append(statement)

    engine = session.engine()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)
