"""A bay's queue of operations, in parts of statements: what is unfinished, free, taken back, and what follows.

For :mod:`magnum.db.submissions` and :mod:`magnum.db.operations`, inside their transactions. Who changes a queue locks
its bay's row first (:func:`of_bay`).
"""

from collections.abc import Mapping
from typing import Any

from oslo_utils import timeutils
from sqlalchemy import ColumnElement, Select, Update, and_, case, or_, select
from sqlalchemy.orm import Session

from magnum.db.clock import now
from magnum.db.models import UNFINISHED, Bay, Event, NodeGroup, Operation, State
from magnum.db.session import affected, changing

#: Verbs that the store itself has to know.
CREATE = "create"
DELETE = "delete"
CHECK = "check"
UPGRADE = "upgrade"


def free() -> ColumnElement[bool]:
    """Nobody holds the operation."""
    return or_(Operation.lease_until.is_(None), Operation.lease_until < now())


def to_look_at(limit: int) -> Select[int]:
    """The statement for the ids of operations that somebody should look at now, the longest waiting first."""
    return (
        select(Operation.id)
        .where(Operation.next_run_at <= now(), free())
        .order_by(Operation.next_run_at)
        .limit(limit)
    )


def unfinished(bay_uuid: str) -> tuple[ColumnElement[bool], ...]:
    """The bay's operations that have not ended."""
    return (Operation.bay_uuid == bay_uuid, Operation.state.in_(UNFINISHED))


def of_bay(uuid: str) -> Update:
    """An UPDATE of one bay, which also locks it."""
    return changing(Bay).where(Bay.uuid == uuid)


def cancelled() -> dict[str, Any]:
    """Columns of an operation that is taken back; who may still be at it loses the fence."""
    return {
        "state": State.CANCELLED,
        "fence": Operation.fence + 1,
        "owner": None,
        "lease_until": None,
        "next_run_at": None,
        "finished_at": now(),
    }


def change_groups(session: Session, bay_uuid: str, groups: Mapping[str, Mapping[str, Any]]) -> None:
    """Set columns of a bay's node groups, by group name."""
    for name, values in groups.items():
        session.execute(
            changing(NodeGroup)
            .where(and_(NodeGroup.bay_id == bay_uuid, NodeGroup.name == name))
            .values(**values)
        )


def begin_next(session: Session, ended: Operation) -> None:
    """Make the operation due that waits longest behind the ended one; a deletion goes before all others."""
    waiting = (
        select(Operation.id, Operation.verb)
        .where(*unfinished(ended.bay_uuid), Operation.next_run_at.is_(None))
        .order_by(case((Operation.verb == DELETE, 0), else_=1), Operation.id)
        .limit(1)
    )
    if (following := session.execute(waiting).one_or_none()) is not None:
        session.execute(
            changing(Operation).where(Operation.id == following.id).values(next_run_at=now())
        )


def timeline(operation: Operation, code: str, text: str) -> Event:
    """A line of the bay's timeline about an operation."""
    return Event(
        bay_uuid=operation.bay_uuid,
        operation_uuid=operation.uuid,
        project_id=operation.project_id,
        code=code,
        text=text,
        created_at=timeutils.utcnow(),
    )


def cancel_all(session: Session, bay_uuid: str, text: str, *which: ColumnElement[bool]) -> None:
    """Take a bay's unfinished operations back that nobody holds, and say so in its timeline.

    :param text: what is said of each; ``{verb}`` stands for what it was.
    :param which: what else has to be true of them.
    """
    for other in session.scalars(select(Operation).where(*unfinished(bay_uuid), *which)).all():
        mine = changing(Operation).where(Operation.id == other.id, free())
        if affected(session, mine.values(**cancelled())):
            session.add(timeline(other, "CANCELLED", text.format(verb=other.verb)))
