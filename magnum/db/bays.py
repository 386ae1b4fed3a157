"""The store of bays and their node groups, as callers see them. The lifecycle writes them through ``db.operations``."""

import functools
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Integer, Select, bindparam, case, cast, func, select
from sqlalchemy.orm import Session, attributes, defer, joinedload, load_only

from magnum.common import errors, ids
from magnum.common.context import RequestContext
from magnum.db import paging
from magnum.db.models import MASTER, Bay, BayModel, NodeGroup
from magnum.db.paging import Page
from magnum.db.session import reader

S = TypeVar("S", bound=Select[Any])
T = TypeVar("T")


class BayNotFound(errors.NotFound):
    """No such bay in what the caller may see."""

    code = "BAY_NOT_FOUND"


_SORT_KEYS = paging.sortable(Bay, but=("ssh_public_key",))


def sort_keys() -> frozenset[str]:
    """What a list may be sorted by."""
    return _SORT_KEYS


def get(context: RequestContext, ident: str, *, all_projects: bool = False) -> Bay:
    """One bay by uuid or name, with its baymodel and node groups: one statement.

    Raises BayNotFound, or Conflict when several that the caller sees have that name.
    """
    statement = one(ids.is_uuid(ident), all_projects)
    with reader(context) as session:
        found = (
            session.scalars(statement, {"ident": ident, "project": context.project_id})
            .unique()
            .all()
        )
    return single(found, ident)


def single(found: Sequence[T], ident: str) -> T:
    """The only one of what was found by a bay's uuid or name. Raises BayNotFound, Conflict."""
    if not found:
        raise BayNotFound(f"Bay {ident} could not be found.")
    if len(found) > 1:
        raise errors.Conflict(f"Several bays are named {ident}, use the uuid.")
    return found[0]


@functools.cache
def one(by_uuid: bool, all_projects: bool) -> Select[Bay]:
    """The statement for one bay, by ``:ident`` and ``:project``. Built once: making it costs as much as running it."""
    statement = (
        select(Bay)
        .where((Bay.uuid if by_uuid else Bay.name) == bindparam("ident"))
        .options(joinedload(Bay.baymodel), joinedload(Bay.node_groups))
        .order_by(Bay.id)
    )
    return statement if all_projects else statement.where(Bay.project_id == bindparam("project"))


def exists(context: RequestContext, uuid: str) -> bool:
    """Whether a bay is there, in whatever project."""
    with reader(context) as session:
        return session.scalar(select(Bay.id).where(Bay.uuid == uuid)) is not None


def per_driver(context: RequestContext) -> dict[str, tuple[int, int]]:
    """How many bays each driver has: in all projects, and in the caller's own. One statement."""
    own = func.count(case((Bay.project_id == context.project_id, 1)))
    statement = select(Bay.driver, func.count(), own).group_by(Bay.driver)
    with reader(context) as session:
        return {driver: (all_, mine) for driver, all_, mine in session.execute(statement)}


def per_zone(context: RequestContext, project_id: str | None) -> dict[str, tuple[int, int]]:
    """How many bays have nodes in each availability zone: of everybody, and of one project. One statement."""
    own = func.count(case((Bay.project_id == project_id, 1)))
    statement = select(Bay.zone, func.count(), own).where(Bay.zone.is_not(None)).group_by(Bay.zone)
    totals: dict[str, tuple[int, int]] = {}
    with reader(context) as session:
        for zones, all_, mine in session.execute(statement):
            for zone in (zones or "").split(","):
                before = totals.get(zone, (0, 0))
                totals[zone] = (before[0] + all_, before[1] + mine)
    return totals


class BayLine(NamedTuple):
    """What a list shows of a bay; the counts are sums over its node groups."""

    uuid: str
    name: str | None
    baymodel_id: str
    keypair: str | None
    docker_volume_size: int | None
    labels: dict[str, Any]
    master_flavor_id: str | None
    flavor_id: str | None
    create_timeout: int | None
    status: str
    health_status: str | None
    stack_id: str | None
    floating_ip_enabled: bool
    driver: str
    driver_version: str
    template_version: str
    node_count: int
    master_count: int


def page(context: RequestContext, page: Page, *, all_projects: bool = False) -> list[BayLine]:
    """One page of a list: one statement whatever the length, and one more for a marker.

    Raises NotFound for an unknown marker, BadRequest for an unknown sort key.
    """
    columns = [getattr(Bay, name) for name in BayLine._fields if name in Bay.__table__.columns]
    counts = [_nodes(NodeGroup.role != MASTER), _nodes(NodeGroup.role == MASTER)]
    with reader(context) as session:
        statement = _paged(context, session, select(*columns, *counts), page, all_projects)
        return [BayLine._make(row) for row in session.execute(statement)]


def page_of_details(
    context: RequestContext, page: Page, *, all_projects: bool = False
) -> list[Bay]:
    """The same with all fields, node groups and the baymodel's labels: two statements, and one more for a marker."""
    statement = select(Bay).options(
        joinedload(Bay.baymodel).load_only(BayModel.labels, raiseload=True),
        defer(Bay.ssh_public_key, raiseload=True),
        defer(Bay.placement, raiseload=True),
    )
    with reader(context) as session:
        bays = session.scalars(_paged(context, session, statement, page, all_projects)).all()
        _attach_groups(session, bays)
    return list(bays)


def _paged(
    context: RequestContext, session: Session, statement: S, page: Page, all_projects: bool
) -> S:
    paging.checked(page, _SORT_KEYS)
    statement = paging.ordered(statement, Bay, page)
    if not all_projects:
        statement = statement.where(Bay.project_id == context.project_id)
    if page.marker is not None:
        marker = _marker(context, session, page, all_projects=all_projects)
        statement = statement.where(paging.after(Bay, page, marker))
    return statement


def _nodes(which: ColumnElement[bool]) -> ColumnElement[int]:
    """How many nodes a bay has in some of its groups, as a column beside it."""
    total = select(func.coalesce(func.sum(NodeGroup.node_count), 0))
    # A sum is a decimal to PostgreSQL and MariaDB.
    counted = total.where(NodeGroup.bay_id == Bay.uuid, which).correlate(Bay).scalar_subquery()
    return cast(counted, Integer)


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


def _attach_groups(session: Session, bays: Sequence[Bay]) -> None:
    """Load all their groups in one statement; the library's own loader takes one for each 500 bays."""
    groups: dict[str, list[NodeGroup]] = defaultdict(list)
    if bays:
        mine = NodeGroup.bay_id.in_([bay.uuid for bay in bays])
        for group in session.scalars(select(NodeGroup).where(mine).order_by(NodeGroup.id)):
            groups[group.bay_id].append(group)
    for bay in bays:
        attributes.set_committed_value(bay, "node_groups", groups[bay.uuid])
