"""The history of bays as callers see it: operations and events, by project and in pages. Nothing here is written.

Both outlive the bay. What the conductors need of operations is in :mod:`magnum.db.operations`.
"""

import functools
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased, defer, load_only

from magnum.common import errors, ids
from magnum.common.context import RequestContext
from magnum.db import bays, paging
from magnum.db.bays import BayNotFound
from magnum.db.models import UNFINISHED, Bay, Event, Operation
from magnum.db.paging import Page
from magnum.db.session import reader

#: What a list of operations may be sorted by, and a list of events.
OPERATION_SORT_KEYS: Final = frozenset(
    {
        *("id", "uuid", "verb", "state", "generation"),
        *("created_at", "started_at", "finished_at", "deadline"),
    }
)
EVENT_SORT_KEYS: Final = frozenset({"id"})

#: What only drivers and the lifecycle read.
_UNSHOWN = (defer(Operation.cursor, raiseload=True), defer(Operation.undo, raiseload=True))


class OperationNotFound(errors.NotFound):
    """No such operation in what the caller may see."""

    code = "OPERATION_NOT_FOUND"


class Subject(NamedTuple):
    """The bay that a history is about. It may have gone."""

    uuid: str
    project_id: str
    user_id: str


def subject(context: RequestContext, ident: str, *, all_projects: bool = False) -> Subject:
    """A bay by uuid or name; one that has gone by its uuid, as long as operations of it are kept.

    One statement, and one more for a bay that is not there. Raises BayNotFound, or Conflict when several that the
    caller sees have that name.
    """
    by_uuid = ids.is_uuid(ident)
    column = Bay.uuid if by_uuid else Bay.name
    present = select(Bay.uuid, Bay.project_id, Bay.user_id).where(column == ident)
    gone = select(Operation.bay_uuid, Operation.project_id, Operation.user_id).where(
        Operation.bay_uuid == ident
    )
    if not all_projects:
        present = present.where(Bay.project_id == context.project_id)
        gone = gone.where(Operation.project_id == context.project_id)
    with reader(context) as session:
        found = session.execute(present.order_by(Bay.id).limit(2)).all()
        if not found and by_uuid:
            found = session.execute(gone.order_by(Operation.id).limit(1)).all()
    if not found:
        raise BayNotFound(f"Bay {ident} could not be found.")
    if len(found) > 1:
        raise errors.Conflict(f"Several bays are named {ident}, use the uuid.")
    return Subject._make(found[0])


def operation(context: RequestContext, uuid: str, *, all_projects: bool = False) -> Operation:
    """One operation: one statement. Raises OperationNotFound."""
    statement = select(Operation).where(Operation.uuid == uuid).options(*_UNSHOWN)
    if not all_projects:
        statement = statement.where(Operation.project_id == context.project_id)
    with reader(context) as session:
        found = session.scalar(statement)
    if found is None:
        raise OperationNotFound(f"Operation {uuid} could not be found.")
    return found


def operations(context: RequestContext, of: Subject, page: Page) -> list[Operation]:
    """One page of a bay's operations: one statement, and one more for a marker.

    Raises OperationNotFound for an unknown marker, BadRequest for an unknown sort key.
    """
    paging.checked(page, OPERATION_SORT_KEYS)
    mine = (Operation.bay_uuid == of.uuid, Operation.project_id == of.project_id)
    statement = paging.ordered(select(Operation).where(*mine), Operation, page)
    with reader(context) as session:
        if page.marker is not None:
            marker = _marker(session, select(Operation).where(*mine), page)
            statement = statement.where(paging.after(Operation, page, marker))
        return list(session.scalars(statement.options(*_UNSHOWN)))


def _marker(session: Session, statement: Select[Operation], page: Page) -> Operation:
    columns = load_only(Operation.id, getattr(Operation, page.sort_key))
    found = session.scalar(statement.where(Operation.uuid == page.marker).options(columns))
    if found is None:
        raise OperationNotFound(f"Marker {page.marker} could not be found.", field="marker")
    return found


def followed(
    context: RequestContext, ident: str, *, all_projects: bool = False
) -> tuple[Bay, Operation | None]:
    """One bay as :func:`magnum.db.bays.get` has it, and what is being done about it: one statement.

    That is the operation at work, or else the first of those that wait; None where nothing is to be done. Raises what
    that function raises.
    """
    statement = _followed(ids.is_uuid(ident), all_projects)
    with reader(context) as session:
        given = {"ident": ident, "project": context.project_id}
        found = session.execute(statement, given).unique().all()
    bay, operation = bays.single(found, ident)
    return bay, operation


@functools.cache
def _followed(by_uuid: bool, all_projects: bool) -> Select[Any]:
    """Built once: making it anew costs as much as running it."""
    present = aliased(Operation)
    which = (
        select(present.id)
        .where(present.bay_uuid == Bay.uuid, present.state.in_(UNFINISHED))
        # Null is what waits behind another one.
        .order_by(present.next_run_at.is_(None), present.id)
        .limit(1)
        .correlate(Bay)
        .scalar_subquery()
    )
    return (
        bays.one(by_uuid, all_projects)
        .add_columns(Operation)
        .outerjoin(Operation, Operation.id == which)
        .options(*_UNSHOWN)
    )


def events(
    context: RequestContext, of: Subject, page: Page, operation_uuid: str | None = None
) -> list[Event]:
    """One page of a bay's timeline, or of one operation's part of it: one statement.

    The marker is the number of an event, kept or not: what is looked for is what came after it. So somebody who
    follows a bay is not stopped by events that have been purged behind him. Raises BadRequest for an unknown sort key.
    """
    paging.checked(page, EVENT_SORT_KEYS)
    statement = select(Event).where(Event.bay_uuid == of.uuid, Event.project_id == of.project_id)
    if operation_uuid is not None:
        statement = statement.where(Event.operation_uuid == operation_uuid)
    if page.marker is not None:
        number = int(page.marker)
        down = page.sort_dir == "desc"
        statement = statement.where(Event.id < number if down else Event.id > number)
    with reader(context) as session:
        return list(session.scalars(paging.ordered(statement, Event, page)))
