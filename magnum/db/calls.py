"""The store of calls: questions to drivers that a conductor answers at once, outside the queue of operations.

Each function is one transaction. A call is taken once at most, by whoever sets ``owner`` where there is none; nobody
takes it over. Request and answer are sealed texts here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from oslo_utils import timeutils
from sqlalchemy import ColumnElement, Select, delete, select
from sqlalchemy.orm import attributes, defer, joinedload

from magnum.common import ids
from magnum.common.context import RequestContext
from magnum.db.clock import now
from magnum.db.models import Bay, Call
from magnum.db.session import affected, changing, reader, retried, writer

#: Calls that are purged at a time.
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Taken:
    """A call that this process has to answer, with its bay; None where that has gone."""

    call: Call
    bay: Bay | None


@retried
def create(
    context: RequestContext, bay: Bay, endpoint: str, request: str, seconds: float
) -> tuple[int, str]:
    """Store a question about a bay, for which somebody waits so many seconds. Returns its id and uuid."""
    uuid = ids.new_uuid()
    call = Call(
        uuid=uuid,
        bay_uuid=bay.uuid,
        project_id=bay.project_id,
        request_id=context.request_id,
        endpoint=endpoint,
        request=request,
        created_at=timeutils.utcnow(),
        expires_at=now(seconds),
    )
    with writer(context) as session:
        session.add(call)
        session.flush()
        return call.id, uuid


def answer(context: RequestContext, call_id: int) -> str | None:
    """The answer, None while there is none."""
    with reader(context) as session:
        return session.scalar(select(Call.answer).where(Call.id == call_id))


@retried
def withdraw(context: RequestContext, call_id: int) -> Call | None:
    """Remove a call, for which nobody waits any more, and return how it stood. None where it was removed already."""
    with writer(context) as session:
        call = session.scalar(select(Call).where(Call.id == call_id).with_for_update())
        if call is not None:
            session.execute(delete(Call).where(Call.id == call_id))
            session.expunge(call)
        return call


def of_nobody(limit: int) -> Select[int]:
    """The statement for the ids of calls that nobody has taken, the oldest first."""
    return select(Call.id).where(*_open()).order_by(Call.id).limit(limit)


def waiting(context: RequestContext, limit: int) -> Sequence[int]:
    """Ids of calls that nobody has taken, the oldest first."""
    with reader(context) as session:
        return session.scalars(of_nobody(limit)).all()


@retried
def take(context: RequestContext, call_id: int, owner: str) -> Taken | None:
    """Take a call, for good. None where it is not to be had, or nobody waits for it any more."""
    mine = changing(Call).where(Call.id == call_id, *_open())
    with writer(context) as session:
        if not affected(session, mine.values(owner=owner)):
            return None
        call, bay = (
            session.execute(
                select(Call, Bay)
                .outerjoin(Bay, Bay.uuid == Call.bay_uuid)
                .where(Call.id == call_id)
                .options(
                    joinedload(Bay.baymodel),
                    joinedload(Bay.node_groups),
                    defer(Bay.placement, raiseload=True),
                )
            )
            .unique()
            .one()
        )
        if bay is not None:
            attributes.set_committed_value(bay, "node_groups", list(bay.node_groups))
        return Taken(call, bay)


@retried
def store_answer(context: RequestContext, call_id: int, text: str) -> bool:
    """Store the answer. False where nobody waits for it any more."""
    with writer(context) as session:
        return bool(affected(session, changing(Call).where(Call.id == call_id).values(answer=text)))


@retried
def purge(context: RequestContext) -> int:
    """Delete a batch of calls for which nobody waits any more, because who asked has gone. Returns how many."""
    with writer(context) as session:
        keys = session.scalars(select(Call.id).where(Call.expires_at < now()).limit(_BATCH)).all()
        if keys:
            session.execute(delete(Call).where(Call.id.in_(keys)))
    return len(keys)


def _open() -> tuple[ColumnElement[bool], ...]:
    """What is true of a call that somebody waits for and nobody has taken."""
    return (Call.owner.is_(None), Call.expires_at > now())
