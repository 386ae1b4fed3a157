"""The store of bays' health: which bays are to be looked at, by whom, and what was seen.

A bay is looked at by whoever pushes its ``health_due_at`` into the future. Nothing is written of a bay that somebody
has begun to change since it was claimed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oslo_utils import timeutils
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import defer, joinedload

from magnum.common.context import RequestContext
from magnum.db.clock import now
from magnum.db.models import Bay, Event
from magnum.db.session import affected, changing, reader, retried, writer

#: Each bay has an interval of its own, one of so many, so that those claimed together do not stay together.
_STEPS = 16


@dataclass(frozen=True, slots=True)
class Seen:
    """What is to be written of a bay: all of ``values``, and a line of its timeline where ``event`` is not None.

    ``event`` is (code, text).
    """

    bay: Bay
    values: Mapping[str, Any]
    event: tuple[str, str] | None = None


def claim(
    context: RequestContext, limit: int, statuses: Collection[str], interval: float
) -> list[Bay]:
    """Take so many bays that are due, those that have waited longest; they are due again after ``interval`` seconds.

    With baymodels and groups. One statement where nothing is due, else four.
    """
    due = (Bay.health_due_at <= now(), Bay.status.in_(statuses))
    with reader(context) as session:
        ids = session.scalars(select(Bay.id).where(*due).order_by(Bay.health_due_at).limit(limit))
        found = list(ids)
    return _claim(context, found, due, interval) if found else []


@retried
def _claim(
    context: RequestContext, found: Sequence[int], due: Sequence[Any], interval: float
) -> list[Bay]:
    """By their keys, so that no lock reaches beyond their rows."""
    free = select(Bay.id).where(Bay.id.in_(found), *due).with_for_update(skip_locked=True)
    with writer(context) as session:
        mine = list(session.scalars(free))
        if not mine:
            return []
        later = now(interval + Bay.id % _STEPS * (interval / 10 / _STEPS))
        session.execute(changing(Bay).where(Bay.id.in_(mine)).values(health_due_at=later))
        whole = (joinedload(Bay.baymodel), joinedload(Bay.node_groups))
        statement = select(Bay).where(Bay.id.in_(mine)).order_by(Bay.id)
        options = (*whole, defer(Bay.placement, raiseload=True))
        return list(session.scalars(statement.options(*options)).unique())


@retried
def write(context: RequestContext, seen: Sequence[Seen]) -> int:
    """Store what was seen, all in one transaction of two or three statements. Returns of how many bays.

    Every one has the same columns. A bay that has gone, or has another generation or status by now, is left out.
    """
    by_id = {one.bay.id: one for one in seen}
    with writer(context) as session:
        present = session.execute(
            select(Bay.id, Bay.generation, Bay.status)
            .where(Bay.id.in_(by_id))
            .order_by(Bay.id)
            .with_for_update()
        ).all()
        same = [
            by_id[ident]
            for ident, generation, status in present
            if (generation, status) == (by_id[ident].bay.generation, by_id[ident].bay.status)
        ]
        if not same:
            return 0
        table = Bay.__table__
        columns = {
            name: bindparam(f"new_{name}", type_=table.c[name].type) for name in same[0].values
        }
        session.connection().execute(
            update(Bay).where(Bay.id == bindparam("ident")).values(**columns),
            [
                {"ident": one.bay.id} | {f"new_{name}": value for name, value in one.values.items()}
                for one in same
            ],
        )
        lines = [_line(one.bay, *one.event) for one in same if one.event is not None]
        if lines:
            session.execute(insert(Event), lines)
        return len(same)


def _line(bay: Bay, code: str, text: str) -> dict[str, Any]:
    return {
        "bay_uuid": bay.uuid,
        "project_id": bay.project_id,
        "code": code,
        "text": text,
        "created_at": timeutils.utcnow(),
    }


@retried
def begin(context: RequestContext, drivers: Collection[str], statuses: Collection[str]) -> int:
    """Make those bays of these drivers due that nobody has looked at so far. One statement. Returns how many."""
    new = (Bay.driver.in_(drivers), Bay.status.in_(statuses), Bay.health_due_at.is_(None))
    with writer(context) as session:
        return affected(session, changing(Bay).where(*new).values(health_due_at=now()))


@retried
def end(context: RequestContext, ids: Collection[int]) -> None:
    """Have nobody look at these bays any more. One statement."""
    with writer(context) as session:
        session.execute(changing(Bay).where(Bay.id.in_(ids)).values(health_due_at=None))
