"""The store of operations: submission, the claim with lease and fence, and the outcome of a pass.

Each function is one transaction. Those that touch both a bay and its operations lock the bay's row first, so that two
of them never wait for each other in a circle (``design.md``, section 4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from oslo_utils import timeutils
from sqlalchemy import ColumnElement, Update, and_, case, delete, exists, func, or_, select
from sqlalchemy.orm import Session, aliased, attributes, joinedload

from magnum.common import ids
from magnum.common.context import RequestContext
from magnum.db import projects
from magnum.db.clock import now
from magnum.db.models import UNFINISHED, Base, Bay, Event, NodeGroup, Operation, State
from magnum.db.session import affected, changing, reader, retried, writer

DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed operation with its bay.

    ``overtaken`` says that a deletion of the bay waits behind it, ``seconds_left`` is the time to its deadline on the
    database's clock. The bay is None when it has gone, which only a lost race can bring about.
    """

    operation: Operation
    bay: Bay | None
    overtaken: bool
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a pass writes. ``operation`` and ``bay`` are columns to set; ``groups`` are columns by group name.

    ``next_in`` is the time in seconds until the next pass, None for never. ``event`` is (code, text) of one line of
    the timeline. ``bay_gone`` removes the bay with its groups, and gives its place in the quota back.
    """

    operation: Mapping[str, Any]
    next_in: float | None
    bay: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    event: tuple[str, str] | None = None
    bay_gone: bool = False


# --- submission ------------------------------------------------------------------------------------------------------


def create_bay(
    context: RequestContext, bay: Bay, groups: Sequence[NodeGroup], operation: Operation, limit: int
) -> Bay:
    """Store a bay, its groups and the operation that creates it, within the project's quota.

    :param limit: bays a project may have where it has no quota of its own; -1 for any number.

    Raises QuotaExceeded.
    """
    try:
        _create_bay(context, bay, groups, operation, limit)
    except _NoProjectError:
        projects.ensure(context, bay.project_id)
        _create_bay(context, bay, groups, operation, limit)
    attributes.set_committed_value(bay, "node_groups", list(groups))
    return bay


class _NoProjectError(Exception):
    """The project has no row yet. Rolls the transaction back; never leaves this module."""


@retried
def _create_bay(
    context: RequestContext, bay: Bay, groups: Sequence[NodeGroup], operation: Operation, limit: int
) -> None:
    _unnumbered(bay, *groups, operation)
    with writer(context) as session:
        session.add(bay)
        session.flush()
        operation.next_run_at = now()
        session.add_all([*groups, operation, _accepted(operation)])
        session.flush()
        # Last, because the project's row is what all its requests wait for.
        if not projects.reserve(session, bay.project_id, limit):
            raise _NoProjectError


@retried
def change_bay(
    context: RequestContext,
    operation: Operation,
    statuses: Sequence[str],
    bay_values: Mapping[str, Any],
    group_values: Mapping[str, Mapping[str, Any]],
) -> bool:
    """Store a change of a bay and of some of its groups (columns by group name) with the operation that does it.

    Returns False, and stores nothing, where the bay has gone or its status is none of ``statuses``.
    """
    _unnumbered(operation)
    with writer(context) as session:
        changed = affected(
            session,
            _of_bay(operation.bay_uuid)
            .where(Bay.status.in_(statuses))
            .values(**bay_values, generation=Bay.generation + 1, updated_at=timeutils.utcnow()),
        )
        if not changed:
            return False
        _change_groups(session, operation.bay_uuid, group_values)
        operation.generation = _generation(session, operation.bay_uuid)
        first = not session.scalar(select(exists().where(*_unfinished(operation.bay_uuid))))
        operation.next_run_at = now() if first else None
        session.add_all([operation, _accepted(operation)])
    return True


@retried
def delete_bay(context: RequestContext, operation: Operation, status: str) -> str | None:
    """Store the deletion of a bay, overtaking all else that is asked of it.

    What is not being worked on at this moment is cancelled; what is, ends as cancelled with its present pass, and the
    deletion begins then. A deletion that is under way already is made due and stands for this one. Returns the uuid of
    the operation that deletes the bay, None where the bay has gone.
    """
    _unnumbered(operation)
    with writer(context) as session:
        changed = affected(
            session,
            _of_bay(operation.bay_uuid).values(
                status=status,
                status_reason=None,
                generation=Bay.generation + 1,
                updated_at=timeutils.utcnow(),
            ),
        )
        if not changed:
            return None
        unfinished = _unfinished(operation.bay_uuid)
        earlier = session.scalar(
            select(Operation.uuid).where(*unfinished, Operation.verb == DELETE)
        )
        generation = _generation(session, operation.bay_uuid)
        if earlier is not None:
            session.execute(
                changing(Operation)
                .where(Operation.uuid == earlier)
                .values(
                    generation=generation,
                    next_run_at=case((Operation.next_run_at.is_(None), None), else_=now()),
                )
            )
            return earlier
        session.execute(changing(Operation).where(*unfinished, _free()).values(**_cancelled()))
        worked_on = session.scalar(select(exists().where(*unfinished)))
        operation.generation = generation
        operation.next_run_at = None if worked_on else now()
        session.add_all([operation, _accepted(operation)])
    return operation.uuid


# --- the claim -------------------------------------------------------------------------------------------------------


def due(context: RequestContext, limit: int) -> list[int]:
    """Ids of operations that somebody should look at now, the longest waiting first. One statement."""
    statement = (
        select(Operation.id)
        .where(Operation.next_run_at <= now(), _free())
        .order_by(Operation.next_run_at)
        .limit(limit)
    )
    with reader(context) as session:
        return list(session.scalars(statement))


@retried
def claim(context: RequestContext, operation_id: int, owner: str, lease: float) -> Claim | None:
    """Take an operation for ``lease`` seconds, if it is due and nobody holds it. None where it is not to be had."""
    begun = Operation.started_at.is_not(None)
    with writer(context) as session:
        taken = affected(
            session,
            changing(Operation)
            .where(Operation.id == operation_id, Operation.next_run_at <= now(), _free())
            .values(
                owner=owner,
                lease_until=now(lease),
                fence=Operation.fence + 1,
                started_at=func.coalesce(Operation.started_at, now()),
                deadline=case((begun, Operation.deadline), else_=now(Operation.timeout)),
                overdue=case(
                    (and_(begun, Operation.deadline <= now()), Operation.overdue + 1),
                    else_=Operation.overdue,
                ),
                state=case(
                    (Operation.state == State.PENDING, State.RUNNING.value), else_=Operation.state
                ),
            ),
        )
        if not taken:
            return None
        return _load(session, operation_id)


def _load(session: Session, operation_id: int) -> Claim:
    other = aliased(Operation)
    overtaken = exists().where(
        other.bay_uuid == Operation.bay_uuid,
        other.id != Operation.id,
        other.verb == DELETE,
        other.state.in_(UNFINISHED),
    )
    operation, bay, is_overtaken, moment = session.execute(
        select(Operation, Bay, overtaken, now())
        .outerjoin(Bay, Bay.uuid == Operation.bay_uuid)
        .where(Operation.id == operation_id)
        .options(joinedload(Bay.baymodel)),
    ).one()
    if bay is not None:
        groups = session.scalars(
            select(NodeGroup).where(NodeGroup.bay_id == bay.uuid).order_by(NodeGroup.id)
        ).all()
        attributes.set_committed_value(bay, "node_groups", list(groups))
    left = (operation.deadline - moment).total_seconds()
    return Claim(operation, bay, bool(is_overtaken), left)


@retried
def renew(context: RequestContext, owner: str, operation_ids: Sequence[int], lease: float) -> None:
    """Hold on to operations that this owner has, for another ``lease`` seconds."""
    with writer(context) as session:
        session.execute(
            changing(Operation)
            .where(Operation.id.in_(operation_ids), Operation.owner == owner)
            .values(lease_until=now(lease))
        )


class _FenceLostError(Exception):
    """Somebody else has claimed the operation meanwhile. Rolls the transaction back; never leaves this module."""


def write(context: RequestContext, claimed: Operation, outcome: Outcome) -> bool:
    """Store what a pass brought about and give the claim back. False, and nothing stored, where the fence was lost.

    The bay's status and its reason are written only by the newest request: a deletion or a change that came in while
    this pass ran keeps the status it set.
    """
    try:
        _write(context, claimed, outcome)
    except _FenceLostError:
        return False
    return True


@retried
def _write(context: RequestContext, claimed: Operation, outcome: Outcome) -> None:
    finished = outcome.operation.get("state") not in (None, *UNFINISHED)
    with writer(context) as session:
        if outcome.bay_gone:
            _remove_bay(session, claimed)
        elif outcome.bay or finished:
            session.execute(_of_bay(claimed.bay_uuid).values(**_bay_values(claimed, outcome)))
        kept = affected(
            session,
            _mine(claimed).values(
                **outcome.operation,
                owner=None,
                lease_until=None,
                next_run_at=None if outcome.next_in is None else now(outcome.next_in),
                finished_at=now() if finished else None,
            ),
        )
        if not kept:
            raise _FenceLostError
        _change_groups(session, claimed.bay_uuid, outcome.groups)
        if outcome.event is not None:
            session.add(_event(claimed, *outcome.event))
        if finished:
            _begin_next(session, claimed)


@retried
def purge(context: RequestContext, days: int, batch: int = 500) -> int:
    """Delete a batch of operations and events that are older than ``days`` and whose bay is gone. Returns how many."""
    removed = 0
    limit = now(-days * 86400)
    with writer(context) as session:
        for model, old in (
            (Operation, Operation.finished_at < limit),
            (Event, Event.created_at < limit),
        ):
            gone = ~exists().where(Bay.uuid == model.bay_uuid)
            keys = session.scalars(select(model.id).where(old, gone).limit(batch)).all()
            if keys:
                session.execute(delete(model).where(model.id.in_(keys)))
            removed += len(keys)
    return removed


# --- parts of statements ---------------------------------------------------------------------------------------------


def _free() -> ColumnElement[bool]:
    return or_(Operation.lease_until.is_(None), Operation.lease_until < now())


def _unfinished(bay_uuid: str) -> tuple[ColumnElement[bool], ...]:
    return (Operation.bay_uuid == bay_uuid, Operation.state.in_(UNFINISHED))


def _mine(claimed: Operation) -> Update:
    return changing(Operation).where(Operation.id == claimed.id, Operation.fence == claimed.fence)


def _of_bay(uuid: str) -> Update:
    return changing(Bay).where(Bay.uuid == uuid)


def _generation(session: Session, bay_uuid: str) -> int:
    return session.execute(select(Bay.generation).where(Bay.uuid == bay_uuid)).scalar_one()


def _unnumbered(*records: Base) -> None:
    """Make records fit to be stored: an earlier try that was rolled back may have left its counters in them."""
    for record in records:
        attributes.set_committed_value(record, "id", None)


def _bay_values(claimed: Operation, outcome: Outcome) -> dict[str, Any]:
    values = dict(outcome.bay)
    for name in ("status", "status_reason"):
        if name in values:
            newest = Bay.generation == claimed.generation
            values[name] = case((newest, values[name]), else_=getattr(Bay, name))
    # Never empty: at an operation's end this row's lock keeps submissions out while the next one is chosen.
    return values or {"generation": Bay.generation}


def _cancelled() -> dict[str, Any]:
    return {
        "state": State.CANCELLED,
        "fence": Operation.fence + 1,
        "owner": None,
        "lease_until": None,
        "next_run_at": None,
        "finished_at": now(),
    }


def _change_groups(
    session: Session, bay_uuid: str, groups: Mapping[str, Mapping[str, Any]]
) -> None:
    for name, values in groups.items():
        session.execute(
            changing(NodeGroup)
            .where(and_(NodeGroup.bay_id == bay_uuid, NodeGroup.name == name))
            .values(**values)
        )


def _remove_bay(session: Session, claimed: Operation) -> None:
    session.execute(delete(NodeGroup).where(NodeGroup.bay_id == claimed.bay_uuid))
    gone = affected(session, delete(Bay).where(Bay.uuid == claimed.bay_uuid))
    if gone:
        projects.release(session, claimed.project_id)


def _begin_next(session: Session, ended: Operation) -> None:
    """Make the operation due that waits longest behind the ended one; a deletion goes before all others."""
    waiting = (
        select(Operation.id)
        .where(*_unfinished(ended.bay_uuid), Operation.next_run_at.is_(None))
        .order_by(case((Operation.verb == DELETE, 0), else_=1), Operation.id)
        .limit(1)
    )
    if (following := session.scalar(waiting)) is not None:
        session.execute(
            changing(Operation).where(Operation.id == following).values(next_run_at=now())
        )


def _event(operation: Operation, code: str, text: str) -> Event:
    return Event(
        bay_uuid=operation.bay_uuid,
        operation_uuid=operation.uuid,
        project_id=operation.project_id,
        code=code,
        text=text,
        created_at=timeutils.utcnow(),
    )


def _accepted(operation: Operation) -> Event:
    return _event(operation, "ACCEPTED", f"The request to {operation.verb} the bay was accepted.")


def new(
    context: RequestContext,
    bay_uuid: str,
    project_id: str,
    verb: str,
    timeout: timedelta,
    **parameters: Any,
) -> Operation:
    """A fresh operation, to be handed to one of the submitting functions."""
    moment = timeutils.utcnow()
    return Operation(
        uuid=ids.new_uuid(),
        bay_uuid=bay_uuid,
        project_id=project_id,
        user_id=context.user_id or "",
        request_id=context.request_id,
        verb=verb,
        parameters=parameters,
        generation=1,
        state=State.PENDING,
        timeout=int(timeout.total_seconds()),
        deadline=moment + timeout,
        created_at=moment,
    )
