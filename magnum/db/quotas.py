"""The store of projects' own quotas (contract 2.8), and the count of what they hold (contract 2.9)."""

from oslo_utils import timeutils
from sqlalchemy import delete as sql_delete
from sqlalchemy import func, select

from magnum.common import errors
from magnum.common.context import RequestContext
from magnum.db import paging
from magnum.db.models import Bay, NodeGroup, Quota
from magnum.db.paging import Page
from magnum.db.session import affected, changing, reader, retried, writer

_SORT_KEYS = frozenset(Quota.__table__.columns.keys())


class QuotaNotFound(errors.NotFound):
    """The project has no quota of its own for this resource."""

    code = "QUOTA_NOT_FOUND"


def sort_keys() -> frozenset[str]:
    """What a list may be sorted by."""
    return _SORT_KEYS


def page(context: RequestContext, page: Page, *, all_projects: bool = False) -> list[Quota]:
    """One page of a list; its marker is a quota's number. Raises QuotaNotFound for an unknown marker."""
    paging.checked(page, _SORT_KEYS)
    statement = paging.ordered(select(Quota), Quota, page)
    if not all_projects:
        statement = statement.where(Quota.project_id == context.project_id)
    with reader(context) as session:
        if page.marker is not None:
            marker = session.get(Quota, int(page.marker))
            if marker is None or not (all_projects or marker.project_id == context.project_id):
                raise QuotaNotFound(f"Quota {page.marker} could not be found.")
            statement = statement.where(paging.after(Quota, page, marker))
        return list(session.scalars(statement))


def find(context: RequestContext, project_id: str, resource: str) -> Quota | None:
    """A project's own quota, None where it has none."""
    statement = select(Quota).where(Quota.project_id == project_id, Quota.resource == resource)
    with reader(context) as session:
        return session.scalars(statement).one_or_none()


def create(context: RequestContext, project_id: str, resource: str, hard_limit: int) -> Quota:
    """A new quota. Raises oslo.db's DBDuplicateEntry where the project has one for this resource."""
    quota = Quota(project_id=project_id, resource=resource, hard_limit=hard_limit)
    with writer(context) as session:
        session.add(quota)
        session.flush()
    return quota


@retried
def change(context: RequestContext, project_id: str, resource: str, hard_limit: int) -> Quota:
    """Set a quota's limit. Raises QuotaNotFound."""
    with writer(context) as session:
        found = session.scalars(
            select(Quota)
            .where(Quota.project_id == project_id, Quota.resource == resource)
            .with_for_update()
        ).one_or_none()
        if found is None:
            raise _missing(project_id, resource)
        session.execute(
            changing(Quota)
            .where(Quota.id == found.id)
            .values(hard_limit=hard_limit, updated_at=timeutils.utcnow())
        )
        session.refresh(found)
    return found


@retried
def remove(context: RequestContext, project_id: str, resource: str) -> None:
    """Remove a quota: the configured one holds again. Raises QuotaNotFound."""
    statement = sql_delete(Quota).where(Quota.project_id == project_id, Quota.resource == resource)
    with writer(context) as session:
        if not affected(session, statement):
            raise _missing(project_id, resource)


def _missing(project_id: str, resource: str) -> QuotaNotFound:
    return QuotaNotFound(f"Project {project_id} has no quota for {resource}.")


def held(context: RequestContext, project_id: str | None) -> tuple[int, int]:
    """How many bays, and how many nodes in them, masters too; of all projects where none is named. One statement."""
    bays = select(func.count()).select_from(Bay)
    nodes = select(func.coalesce(func.sum(NodeGroup.node_count), 0))
    if project_id is not None:
        bays = bays.where(Bay.project_id == project_id)
        nodes = nodes.where(NodeGroup.project_id == project_id)
    with reader(context) as session:
        row = session.execute(select(bays.scalar_subquery(), nodes.scalar_subquery())).one()
    return int(row[0]), int(row[1])
