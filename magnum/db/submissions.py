"""The store's side of accepting work: a bay's creation, change, deletion and check, and taking a change back.

Each is one transaction. It locks the bay's row first, as all writers do, so that two of them never wait for each
other in a circle. A bay's operations form a queue in the order of their ids; ``next_run_at`` is null for all but the
first (``design.md``, section 4).
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from oslo_utils import timeutils
from sqlalchemy import case, exists, func, select
from sqlalchemy.orm import Session, attributes

from magnum.common.context import RequestContext
from magnum.db import node_groups, projects
from magnum.db.clock import now
from magnum.db.models import Base, Bay, NodeGroup, Operation, State
from magnum.db.queue import (
    CHECK,
    CREATE,
    DELETE,
    begin_next,
    cancel_all,
    cancelled,
    change_groups,
    free,
    of_bay,
    timeline,
    unfinished,
)
from magnum.db.session import affected, changing, reader, retried, writer


def create_bay(
    context: RequestContext, bay: Bay, groups: Sequence[NodeGroup], operation: Operation, limit: int
) -> Bay:
    """Store a bay, its groups and the operation that creates it, within the project's quota.

    :param limit: bays a project may have where it has no quota of its own; -1 for any number.

    Raises QuotaExceeded.
    """
    while True:
        try:
            _create_bay(context, bay, groups, operation, limit)
            break
        except _NoProjectError:
            projects.ensure(context, bay.project_id)
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


@dataclass(frozen=True, slots=True)
class GroupChange:
    """That an operation is about one node group: its name, its status meanwhile, and its row where it is new."""

    name: str
    status: str
    new: NodeGroup | None = None


class _TwinError(Exception):
    """The same was asked for already and has not begun. Rolls the transaction back; never leaves this module."""


def change_bay(
    context: RequestContext,
    operation: Operation,
    statuses: Sequence[str],
    status: str,
    group_values: Mapping[str, Mapping[str, Any]],
    bay_values: Mapping[str, Any] = MappingProxyType({}),
    group: GroupChange | None = None,
) -> str | None:
    """Store a change of a bay and of some of its groups (columns by group name), with the operation that does it.

    The bay gets ``status`` unless its status is that of something in progress, behind which this waits. Returns the
    operation's uuid; that of the last one in the queue where that has not begun and is the same without any change
    between the two. Returns None, and stores nothing, where the bay has gone or its status is none of ``statuses``.

    :param group: the one that it is all about, where it is about one. Then it also raises NodeGroupExists,
        NodeGroupNotFound, and WrongStatus where the group is to go.
    """
    try:
        return _change_bay(context, operation, statuses, status, group_values, bay_values, group)
    except _TwinError as twin:
        return str(twin)


@retried
def _change_bay(
    context: RequestContext,
    operation: Operation,
    statuses: Sequence[str],
    status: str,
    group_values: Mapping[str, Mapping[str, Any]],
    bay_values: Mapping[str, Any],
    group: GroupChange | None,
) -> str | None:
    _unnumbered(operation, *([group.new] if group and group.new else ()))
    with writer(context) as session:
        changed = affected(
            session,
            of_bay(operation.bay_uuid)
            .where(Bay.status.in_(statuses))
            .values(generation=Bay.generation + 1, updated_at=timeutils.utcnow()),
        )
        if not changed:
            return None
        last = session.scalar(
            select(Operation)
            .where(*unfinished(operation.bay_uuid))
            .order_by(Operation.id.desc())
            .limit(1)
        )
        is_new = bool(group_values or bay_values or (group and group.new))
        if last is not None and not is_new and _same(last, operation):
            raise _TwinError(last.uuid)
        if group is not None and group.new is not None:
            node_groups.add(session, group.new)
        elif group is not None:
            begun = node_groups.begun(session, operation.bay_uuid, group.name, group.status)
            group_values = {
                **group_values,
                group.name: {**group_values.get(group.name, {}), **begun},
            }
        columns = (getattr(Bay, name) for name in bay_values)
        before = session.execute(
            select(Bay.generation, Bay.status, Bay.status_reason, *columns).where(
                Bay.uuid == operation.bay_uuid
            )
        ).one()
        operation.generation = before.generation
        operation.undo = {
            "generation": before.generation - 1,
            "status": before.status,
            "status_reason": before.status_reason,
            "groups": _as_they_are(session, operation.bay_uuid, group_values),
            "bay": {name: getattr(before, name) for name in bay_values},
        }
        if group is not None and group.new is not None:
            operation.undo["groups"][group.name] = {"unwanted": True}
        change_groups(session, operation.bay_uuid, group_values)
        if bay_values:
            session.execute(of_bay(operation.bay_uuid).values(**bay_values))
        operation.next_run_at = now() if last is None else None
        if not before.status.endswith("_IN_PROGRESS"):
            session.execute(
                of_bay(operation.bay_uuid).values(status=status, status_reason=None, faults=None)
            )
        session.add_all([operation, _accepted(operation)])
    return operation.uuid


def _same(last: Operation, new: Operation) -> bool:
    return (
        last.state == State.PENDING
        and last.started_at is None
        and last.verb == new.verb
        and last.parameters == new.parameters
    )


@retried
def delete_bay(context: RequestContext, operation: Operation, status: str) -> str | None:
    """Store the deletion of a bay, overtaking all else that is asked of it.

    What is not being worked on at this moment is cancelled; what is, ends as cancelled with its present pass, and the
    deletion begins then. A deletion that is under way already is made due and stands for this one; where this one is
    forced and that one is not, it becomes so, with this one's time. Returns the uuid of the operation that deletes the
    bay, None where the bay has gone.
    """
    _unnumbered(operation)
    with writer(context) as session:
        changed = affected(
            session,
            of_bay(operation.bay_uuid).values(
                status=status,
                status_reason=None,
                generation=Bay.generation + 1,
                updated_at=timeutils.utcnow(),
            ),
        )
        if not changed:
            return None
        waiting = unfinished(operation.bay_uuid)
        earlier = session.scalar(select(Operation).where(*waiting, Operation.verb == DELETE))
        operation.generation = _generation(session, operation.bay_uuid)
        if earlier is not None:
            session.execute(
                changing(Operation)
                .where(Operation.id == earlier.id)
                .values(**_joined(earlier, operation))
            )
            if operation.parameters != earlier.parameters:
                session.add(timeline(earlier, "ACCEPTED", "The request to delete it was repeated."))
            return earlier.uuid
        cancel_all(session, operation.bay_uuid, "The {verb} was overtaken by the bay's deletion.")
        worked_on = session.scalar(select(exists().where(*waiting)))
        operation.next_run_at = None if worked_on else now()
        session.add_all([operation, _accepted(operation)])
    return operation.uuid


def _joined(earlier: Operation, later: Operation) -> dict[str, Any]:
    """What a deletion that is under way takes over from one that was asked for later."""
    values: dict[str, Any] = {
        "generation": later.generation,
        "next_run_at": case((Operation.next_run_at.is_(None), None), else_=now()),
        "wakes": Operation.wakes + 1,
    }
    if later.parameters.get("force") and not earlier.parameters.get("force"):
        values |= {
            "parameters": {**earlier.parameters, **later.parameters},
            "timeout": later.timeout,
            "deadline": now(later.timeout),
            "overdue": 0,
        }
    return values


@retried
def check_bay(context: RequestContext, operation: Operation, quiet: float) -> bool:
    """Store the check of a bay at which nobody works, and which was not observed for ``quiet`` seconds.

    Returns False, and stores nothing, for any other.
    """
    _unnumbered(operation)
    with writer(context) as session:
        idle = of_bay(operation.bay_uuid).where(
            ~exists().where(*unfinished(operation.bay_uuid)),
            func.coalesce(Bay.observed_at, Bay.created_at) <= now(-quiet),
        )
        # The bay's row is locked by an UPDATE that changes nothing; submissions of all kinds wait here.
        if not affected(session, idle.values(generation=Bay.generation)):
            return False
        bay = session.execute(
            select(Bay.generation, Bay.project_id).where(Bay.uuid == operation.bay_uuid)
        ).one()
        operation.generation, operation.project_id = bay.generation, bay.project_id
        operation.next_run_at = now()
        session.add_all([operation, _accepted(operation)])
    return True


@retried
def cancel(context: RequestContext, operation_uuid: str) -> bool:
    """Take back a change that nobody has begun with. Its place in the queue closes, and its effect on the bay goes.

    What later changes of the queue replaced stays theirs; otherwise the bay is wanted as it was before. Returns False,
    and stores nothing, where the operation is not there, has begun, or is no change.
    """
    with reader(context) as session:
        found = session.scalar(select(Operation).where(Operation.uuid == operation_uuid))
    if found is None or found.undo is None:
        return False
    with writer(context) as session:
        session.execute(of_bay(found.bay_uuid).values(generation=Bay.generation))
        operation = session.scalar(
            select(Operation)
            .where(Operation.id == found.id)
            .execution_options(populate_existing=True)
        )
        taken = affected(
            session,
            changing(Operation)
            .where(Operation.id == found.id, Operation.state == State.PENDING, free())
            .values(**cancelled()),
        )
        if operation is None or operation.undo is None or not taken:
            return False
        rest = session.scalars(
            select(Operation).where(*unfinished(found.bay_uuid)).order_by(Operation.id)
        ).all()
        _undo(session, operation, rest)
        session.add(timeline(operation, "CANCELLED", f"The {operation.verb} was taken back."))
        if operation.next_run_at is not None:
            begin_next(session, operation)
    return True


def _undo(session: Session, operation: Operation, rest: Sequence[Operation]) -> None:
    """Restore what a cancelled change replaced, or hand it on to the next later change of the same.

    :param rest: what is left unfinished of the bay, oldest first.
    """
    undo: dict[str, Any] = dict(operation.undo or {})
    later = [other for other in rest if other.id > operation.id and other.undo is not None]
    handed: dict[int, dict[str, Any]] = {
        other.id: copy.deepcopy(other.undo or {}) for other in later
    }
    if later:
        first = handed[later[0].id]
        first |= {name: undo[name] for name in ("generation", "status", "status_reason")}
    else:
        session.execute(of_bay(operation.bay_uuid).values(generation=undo["generation"]))
    for name, values in undo["groups"].items():
        heirs = [one["groups"][name] for one in handed.values() if name in one["groups"]]
        if values.get("unwanted"):
            _hand_on_absence(heirs)
            change_groups(session, operation.bay_uuid, {name: {"unwanted": True}})
        if own := _handed_on(values, heirs):
            change_groups(session, operation.bay_uuid, {name: own})
    # A change of the release before has nothing of the bay itself.
    heirs = [one["bay"] for one in handed.values() if one.get("bay")]
    if own := _handed_on(undo.get("bay", {}), heirs):
        session.execute(of_bay(operation.bay_uuid).values(**own))
    for ident, values in handed.items():
        session.execute(changing(Operation).where(Operation.id == ident).values(undo=values))
    # A group that would have been made by it has never been there.
    made = [name for name, values in undo["groups"].items() if values.get("unwanted")]
    if made:
        node_groups.forget(session, operation.bay_uuid, made)
    at_work = any(other.verb != CHECK for other in rest)
    if not at_work and not undo["status"].endswith("_IN_PROGRESS"):
        # Otherwise the change put no status in the place of another: what went before it has left its own.
        restored = {name: undo[name] for name in ("status", "status_reason")}
        session.execute(of_bay(operation.bay_uuid).values(**restored))


def _handed_on(values: Mapping[str, Any], heirs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Hand each column on to the first heir that has it, and return what none of them has."""
    own = {}
    for column, value in values.items():
        heir = next((one for one in heirs if column in one), None)
        if heir is None:
            own[column] = value
        else:
            heir[column] = value
    return own


def _hand_on_absence(heirs: Sequence[dict[str, Any]]) -> None:
    """A group that would have been made is there before none of the later changes of it, up to one that takes it away.

    So whichever of them is taken back last finds that nothing is left of it.
    """
    for heir in heirs:
        is_end = "unwanted" in heir
        heir["unwanted"] = True
        if is_end:
            return


def _as_they_are(
    session: Session, bay_uuid: str, group_values: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The present values of columns that are about to change, by group name."""
    groups: Iterable[NodeGroup] = session.scalars(
        select(NodeGroup).where(NodeGroup.bay_id == bay_uuid, NodeGroup.name.in_(group_values))
    )
    return {
        group.name: {column: getattr(group, column) for column in group_values[group.name]}
        for group in groups
    }


def _generation(session: Session, bay_uuid: str) -> int:
    return session.execute(select(Bay.generation).where(Bay.uuid == bay_uuid)).scalar_one()


def _unnumbered(*records: Base) -> None:
    """Make records fit to be stored: an earlier try that was rolled back may have left its counters in them."""
    for record in records:
        attributes.set_committed_value(record, "id", None)


_REQUESTS = {
    CREATE: "The request to create the bay was accepted.",
    DELETE: "The request to delete the bay was accepted.",
    CHECK: "The bay is looked at.",
}


def _accepted(operation: Operation) -> Any:
    text = _REQUESTS.get(
        operation.verb, f"The request to {operation.verb.replace('_', ' ')} the bay was accepted."
    )
    if (group := operation.parameters.get("nodegroup")) is not None:
        text = f"The request to {operation.parameters['change']} node group {group} was accepted."
    return timeline(operation, "ACCEPTED", text)
