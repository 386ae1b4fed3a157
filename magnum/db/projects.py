"""The store of what is known of projects: how many bays each holds, and whether the service granted itself roles."""

from oslo_db import exception as db_exception
from sqlalchemy import func, literal, or_, select
from sqlalchemy.orm import Session

from magnum.common import errors
from magnum.common.context import RequestContext
from magnum.db.models import Project, Quota
from magnum.db.session import affected, changing, reader, retried, writer

#: The one resource that has a quota (contract 2.8).
CLUSTER = "Cluster"


def reserve(session: Session, project_id: str, default_limit: int) -> bool:
    """Count one more bay of a project, inside the caller's transaction, if its quota has room.

    The limit is the project's own row of quotas, else ``default_limit``; below zero means no limit. Returns False
    where the project had no row yet: :func:`ensure` makes one, or another request just did. Raises QuotaExceeded.
    """
    own = (
        select(Quota.hard_limit)
        .where(Quota.project_id == project_id, Quota.resource == CLUSTER)
        .scalar_subquery()
    )
    limit = func.coalesce(own, literal(default_limit))
    has_room = or_(limit < 0, Project.bays < limit)
    counted = affected(
        session,
        changing(Project)
        .where(Project.project_id == project_id, has_room)
        .values(bays=Project.bays + 1),
    )
    if counted:
        return True
    # Only a row that is there and full is a refusal: it may have come to be since the statement before.
    if session.scalar(select(has_room).where(Project.project_id == project_id)) in (None, True):
        return False
    raise errors.QuotaExceeded(
        "The project's quota of bays is used up. Delete a bay or ask for more."
    )


def release(session: Session, project_id: str) -> None:
    """Count one bay less, inside the caller's transaction."""
    session.execute(
        changing(Project)
        .where(Project.project_id == project_id, Project.bays > 0)
        .values(bays=Project.bays - 1)
    )


def ensure(context: RequestContext, project_id: str) -> None:
    """Make the project's row if there is none."""
    try:
        with writer(context) as session:
            session.add(Project(project_id=project_id, bays=0, granted=False))
    except db_exception.DBDuplicateEntry:
        pass  # somebody else made it at the same moment, which is as good


@retried
def mark_granted(context: RequestContext, project_id: str) -> None:
    """Remember that the roles are granted."""
    with writer(context) as session:
        session.execute(
            changing(Project).where(Project.project_id == project_id).values(granted=True)
        )


def abandoned(context: RequestContext) -> list[str]:
    """Projects without bays where the service still holds its roles."""
    statement = select(Project.project_id).where(Project.bays == 0, Project.granted.is_(True))
    with reader(context) as session:
        return list(session.scalars(statement))


@retried
def mark_revoked(context: RequestContext, project_id: str) -> bool:
    """Remember that the roles are taken back, if the project still has no bay. True for the one caller who did it."""
    with writer(context) as session:
        changed = affected(
            session,
            changing(Project)
            .where(Project.project_id == project_id, Project.bays == 0, Project.granted.is_(True))
            .values(granted=False),
        )
    return bool(changed)
