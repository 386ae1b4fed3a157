"""The store of operations: the claim with lease and fence, the outcome of a pass, and being woken.

Each function is one transaction. Those that touch both a bay and its operations lock the bay's row first, so that two
of them never wait for each other in a circle (``design.md``, section 4). How operations come to be is written in
:mod:`magnum.db.submissions`.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from oslo_utils import timeutils
from sqlalchemy import (
    Executable,
    Update,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    select,
)
from sqlalchemy.orm import Session, aliased, attributes, defer, joinedload

from magnum.common import ids
from magnum.common.context import RequestContext
from magnum.db import node_groups, projects
from magnum.db.clock import now
from magnum.db.models import UNFINISHED, Bay, BayModel, Event, NodeGroup, Operation, Secret, State
from magnum.db.queue import (
    CREATE,
    DELETE,
    begin_next,
    cancel_all,
    change_groups,
    free,
    of_bay,
    timeline,
    to_look_at,
    unfinished,
)
from magnum.db.session import affected, changing, reader, retried, writer


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed operation with its bay.

    ``overtaken`` says that a deletion of the bay waits behind it, ``seconds_left`` is the time to its deadline on the
    database's clock. ``since_last`` is the time in seconds since an earlier operation of the bay, which somebody had
    begun with, ended; None where there is none. The bay is None when it has gone, which only a lost race can bring
    about. ``lease`` is the time in seconds that the claim is for.
    """

    operation: Operation
    bay: Bay | None
    overtaken: bool
    seconds_left: float
    since_last: float | None = None
    lease: float = 0.0

    @property
    def woken(self) -> bool:
        """Whether the cloud has told us something that no pass has acted on."""
        return self.operation.wakes > self.operation.wakes_seen


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a pass writes. ``operation`` and ``bay`` are columns to set; ``groups`` are columns by group name.

    ``next_in`` is the time in seconds until the next pass, None for never. ``event`` is (code, text) of one line of
    the timeline. ``groups_gone`` are the names of groups of which nothing is left, and whose rows go unless somebody
    wants them meanwhile. ``bay_gone`` removes the bay with its groups, and gives its place in the quota back.
    """

    operation: Mapping[str, Any]
    next_in: float | None
    bay: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    event: tuple[str, str] | None = None
    groups_gone: tuple[str, ...] = ()
    bay_gone: bool = False


# --- the claim -------------------------------------------------------------------------------------------------------


def due(context: RequestContext, limit: int) -> list[int]:
    """Ids of operations that somebody should look at now, the longest waiting first. One statement."""
    with reader(context) as session:
        return list(session.scalars(to_look_at(limit)))


@retried
def claim(context: RequestContext, operation_id: int, owner: str, lease: float) -> Claim | None:
    """Take an operation for ``lease`` seconds, if it is due and nobody holds it. None where it is not to be had.

    Close to its deadline it is held for two thirds of that, so that even if its holder hangs somebody else can end it
    within a lease of its deadline. A holder that did not come back by then has had the last look.
    """
    begun = Operation.started_at.is_not(None)
    overdue = and_(begun, Operation.deadline <= now())
    close = and_(begun, Operation.deadline <= now(_close(lease)))
    with writer(context) as session:
        taken = affected(
            session,
            changing(Operation)
            .where(Operation.id == operation_id, Operation.next_run_at <= now(), free())
            # In this order: MariaDB lets an assignment see what those before it have set.
            .ordered_values(
                (
                    Operation.overdue,
                    case(
                        (and_(overdue, Operation.owner.is_not(None)), Operation.overdue + 2),
                        (overdue, Operation.overdue + 1),
                        else_=Operation.overdue,
                    ),
                ),
                (Operation.lease_until, case((close, now(_short(lease))), else_=now(lease))),
                (
                    Operation.deadline,
                    case((begun, Operation.deadline), else_=now(Operation.timeout)),
                ),
                (Operation.started_at, func.coalesce(Operation.started_at, now())),
                (Operation.owner, owner),
                (Operation.fence, Operation.fence + 1),
                (
                    Operation.state,
                    case(
                        (Operation.state == State.PENDING, State.RUNNING.value),
                        else_=Operation.state,
                    ),
                ),
            ),
        )
        if not taken:
            return None
        return _load(session, operation_id, lease)


def _close(lease: float) -> float:
    """So many seconds before its deadline an operation is held for a shorter time, and not renewed any more."""
    return lease / 3


def _short(lease: float) -> float:
    return lease * 2 / 3


def renewable(seconds_left: float, lease: float) -> bool:
    """Whether a claim may be renewed when so much time is left to the operation's deadline."""
    return seconds_left > _close(lease)


def _load(session: Session, operation_id: int, lease: float) -> Claim:
    operation, bay, is_overtaken, moment = session.execute(
        _of_a_claim(), {"ident": operation_id}
    ).one()
    if bay is not None:
        groups = session.scalars(
            select(NodeGroup).where(NodeGroup.bay_id == bay.uuid).order_by(NodeGroup.id)
        ).all()
        attributes.set_committed_value(bay, "node_groups", list(groups))
        if bay.generation > operation.generation:
            _as_of(session, operation, bay, groups)
    left = (operation.deadline - moment).total_seconds()
    ended = _last_end(session, operation) if bay is not None and bay.stack_id is None else None
    since = None if ended is None else (moment - ended).total_seconds()
    held_for = lease if renewable(left, lease) else _short(lease)
    return Claim(operation, bay, bool(is_overtaken), left, since, held_for)


@functools.cache
def _of_a_claim() -> Executable:
    """The statement for all that a pass is about. Built once: making it anew costs as much as running it."""
    other = aliased(Operation)
    overtaken = exists().where(
        other.bay_uuid == Operation.bay_uuid,
        other.id != Operation.id,
        other.verb == DELETE,
        other.state.in_(UNFINISHED),
    )
    return (
        select(Operation, Bay, overtaken, now())
        .outerjoin(Bay, Bay.uuid == Operation.bay_uuid)
        .where(Operation.id == bindparam("ident"))
        .options(joinedload(Bay.baymodel), defer(Bay.placement, raiseload=True))
    )


def _as_of(session: Session, operation: Operation, bay: Bay, groups: Sequence[NodeGroup]) -> None:
    """Show bay and groups as the operation wants them: without what changes that wait behind it have put there.

    They may be taken back before they begin, and must not have been done then.
    """
    later = session.scalars(
        select(Operation.undo)
        .where(
            *unfinished(operation.bay_uuid),
            Operation.id > operation.id,
            Operation.undo.is_not(None),
        )
        .order_by(Operation.id.desc())
    )
    by_name = {group.name: group for group in groups}
    for undo in later:
        for name, values in (undo or {})["groups"].items():
            for column, value in values.items():
                attributes.set_committed_value(by_name[name], column, value)
        for column, value in (undo or {}).get("bay", {}).items():
            attributes.set_committed_value(bay, column, value)
    if bay.baymodel_id != bay.baymodel.uuid:
        before = session.scalar(select(BayModel).where(BayModel.uuid == bay.baymodel_id))
        attributes.set_committed_value(bay, "baymodel", before)


def _last_end(session: Session, operation: Operation) -> datetime | None:
    """When the last operation before a deletion ended that somebody had begun with."""
    if operation.verb != DELETE:
        return None
    return session.scalar(
        select(func.max(Operation.finished_at)).where(
            Operation.bay_uuid == operation.bay_uuid,
            Operation.id < operation.id,
            Operation.started_at.is_not(None),
        )
    )


def unfinished_of(context: RequestContext, bay_uuid: str) -> Operation | None:
    """The operation that a bay is at, or that comes next; a deletion before all others. None where all have ended."""
    statement = (
        select(Operation)
        .where(*unfinished(bay_uuid))
        .order_by(case((Operation.verb == DELETE, 0), else_=1), Operation.id)
        .limit(1)
    )
    with reader(context) as session:
        return session.scalar(statement)


@retried
def renew(
    context: RequestContext, owner: str, operation_ids: Sequence[int], lease: float
) -> frozenset[int]:
    """Hold on to operations for another ``lease`` seconds. Returns the ids of those that this owner still has."""
    mine = (Operation.id.in_(operation_ids), Operation.owner == owner)
    with writer(context) as session:
        session.execute(changing(Operation).where(*mine).values(lease_until=now(lease)))
        return frozenset(session.scalars(select(Operation.id).where(*mine)))


@retried
def wake(context: RequestContext, bay_uuid: str) -> list[int]:
    """The cloud says that something about a bay has come to an end: make its operation due. Returns the ids of those.

    The wake is counted, so that a pass that runs at this moment is followed by another one.
    """
    at_work = (
        Operation.bay_uuid == bay_uuid,
        Operation.state.in_((State.RUNNING, State.BLOCKED)),
        Operation.next_run_at.is_not(None),
    )
    with writer(context) as session:
        woken = affected(
            session,
            changing(Operation)
            .where(*at_work)
            .values(wakes=Operation.wakes + 1, next_run_at=now()),
        )
        if not woken:
            return []
        return list(session.scalars(select(Operation.id).where(*at_work)))


class _FenceLostError(Exception):
    """Somebody else has claimed the operation meanwhile. Rolls the transaction back; never leaves this module."""


def write(context: RequestContext, claimed: Operation, outcome: Outcome) -> bool:
    """Store what a pass brought about and give the claim back. False, and nothing stored, where the fence was lost.

    A deletion that came in while this pass ran keeps the status it set. Behind a creation that failed nothing has a
    chance, so what waits there is cancelled.
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
            session.execute(of_bay(claimed.bay_uuid).values(**_bay_values(claimed, outcome)))
        later = None if outcome.next_in is None else now(outcome.next_in)
        kept = affected(
            session,
            _mine(claimed).values(
                **outcome.operation,
                owner=None,
                lease_until=None,
                wakes_seen=claimed.wakes,
                next_run_at=case((Operation.wakes > claimed.wakes, now()), else_=later)
                if later is not None
                else None,
                finished_at=now() if finished else None,
            ),
        )
        if not kept:
            raise _FenceLostError
        change_groups(session, claimed.bay_uuid, outcome.groups)
        if outcome.groups_gone:
            node_groups.forget(session, claimed.bay_uuid, outcome.groups_gone)
        if outcome.event is not None:
            session.add(timeline(claimed, *outcome.event))
        if finished:
            if claimed.verb == CREATE and outcome.operation["state"] == State.FAILED:
                text = "The {verb} is not begun, because the bay's creation failed."
                behind = (Operation.verb != DELETE, Operation.id != claimed.id)
                cancel_all(session, claimed.bay_uuid, text, *behind)
            begin_next(session, claimed)


@retried
def purge(context: RequestContext, days: int, batch: int = 500) -> int:
    """Delete a batch of finished operations, and of events, that are older than ``days``. Returns how many."""
    removed = 0
    limit = now(-days * 86400)
    with writer(context) as session:
        for model, old in (
            (Operation, Operation.finished_at < limit),
            (Event, Event.created_at < limit),
        ):
            keys = session.scalars(select(model.id).where(old).limit(batch)).all()
            if keys:
                session.execute(delete(model).where(model.id.in_(keys)))
            removed += len(keys)
    return removed


# --- parts of statements ---------------------------------------------------------------------------------------------


def _mine(claimed: Operation) -> Update:
    return changing(Operation).where(Operation.id == claimed.id, Operation.fence == claimed.fence)


def _bay_values(claimed: Operation, outcome: Outcome) -> dict[str, Any]:
    values = dict(outcome.bay)
    if claimed.verb != DELETE:
        going = exists().where(*unfinished(claimed.bay_uuid), Operation.verb == DELETE)
        for name in ("status", "status_reason"):
            if name in values:
                values[name] = case((going, getattr(Bay, name)), else_=values[name])
    # Never empty: at an operation's end this row's lock keeps submissions out while the next one is chosen.
    return values or {"generation": Bay.generation}


def _remove_bay(session: Session, claimed: Operation) -> None:
    session.execute(delete(NodeGroup).where(NodeGroup.bay_id == claimed.bay_uuid))
    session.execute(delete(Secret).where(Secret.bay_uuid == claimed.bay_uuid))
    gone = affected(session, delete(Bay).where(Bay.uuid == claimed.bay_uuid))
    if gone:
        projects.release(session, claimed.project_id)


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
