"""The store of bays and their node groups, as callers see them. The lifecycle writes them through ``db.operations``."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, attributes, defer, joinedload, load_only, selectinload

from magnum.common import errors, ids
from magnum.common.context import RequestContext
from magnum.db import paging
from magnum.db.models import Bay, NodeGroup
from magnum.db.paging import Page
from magnum.db.session import reader


class BayNotFound(errors.NotFound):
    """No such bay in what the caller may see."""

    code = "BAY_NOT_FOUND"


_SORT_KEYS = frozenset(Bay.__table__.columns.keys()) - {
    "labels",
    "health_status_reason",
    "ssh_public_key",
}


def sort_keys() -> frozenset[str]:
    """What a list may be sorted by."""
    return _SORT_KEYS


def get(context: RequestContext, ident: str, *, all_projects: bool = False) -> Bay:
    """One bay by uuid or name, with its baymodel and node groups: two statements.

    Raises BayNotFound, or Conflict when several that the caller sees have that name.
    """
    column = Bay.uuid if ids.is_uuid(ident) else Bay.name
    statement = (
        select(Bay)
        .where(column == ident)
        .options(joinedload(Bay.baymodel), selectinload(Bay.node_groups))
        .limit(2)
    )
    if not all_projects:
        statement = statement.where(Bay.project_id == context.project_id)
    with reader(context) as session:
        found = session.scalars(statement).all()
    if not found:
        raise BayNotFound(f"Bay {ident} could not be found.")
    if len(found) > 1:
        raise errors.Conflict(f"Several bays are named {ident}, use the uuid.")
    return found[0]


def page(
    context: RequestContext, page: Page, *, detail: bool, all_projects: bool = False
) -> list[Bay]:
    """One page of a list, with node groups, and with baymodels where ``detail`` is asked.

    Two statements whatever the length, and one more for a marker. Raises NotFound for an unknown marker, BadRequest
    for an unknown sort key.
    """
    paging.checked(page, _SORT_KEYS)
    statement = paging.ordered(select(Bay), Bay, page).options(
        defer(Bay.ssh_public_key, raiseload=True)
    )
    if detail:
        statement = statement.options(joinedload(Bay.baymodel))
    if not all_projects:
        statement = statement.where(Bay.project_id == context.project_id)
    with reader(context) as session:
        if page.marker is not None:
            marker = _marker(context, session, page, all_projects=all_projects)
            statement = statement.where(paging.after(Bay, page, marker))
        bays = session.scalars(statement).all()
        _attach_groups(session, bays, detail=detail)
    return list(bays)


def _marker(context: RequestContext, session: Session, page: Page, *, all_projects: bool) -> Bay:
    statement = (
        select(Bay)
        .where(Bay.uuid == page.marker)
        .options(load_only(Bay.id, getattr(Bay, page.sort_key)))
    )
    if not all_projects:
        statement = statement.where(Bay.project_id == context.project_id)
    if (marker := session.scalar(statement)) is None:
        raise BayNotFound(f"Marker {page.marker} could not be found.", field="marker")
    return marker


def _attach_groups(session: Session, bays: Sequence[Bay], *, detail: bool) -> None:
    """Load all their groups in one statement; the library's own loader takes one for each 500 bays."""
    statement = (
        select(NodeGroup)
        .where(NodeGroup.bay_id.in_([bay.uuid for bay in bays]))
        .order_by(NodeGroup.id)
    )
    if not detail:
        statement = statement.options(
            load_only(NodeGroup.bay_id, NodeGroup.role, NodeGroup.node_count, raiseload=True)
        )
    groups: dict[str, list[NodeGroup]] = defaultdict(list)
    if bays:
        for group in session.scalars(statement):
            groups[group.bay_id].append(group)
    for bay in bays:
        attributes.set_committed_value(bay, "node_groups", groups[bay.uuid])
