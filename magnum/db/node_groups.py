"""The store of node groups, as callers see them: pages, one of a bay's, and its bounds.

What changes a cluster goes through :mod:`magnum.db.submissions`, as all work does; there the functions of the second
half are called, inside its transactions.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from oslo_utils import timeutils
from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from magnum.common import errors, ids
from magnum.common.context import RequestContext
from magnum.db import paging
from magnum.db.models import Bay, NodeGroup, Operation
from magnum.db.paging import Page
from magnum.db.queue import unfinished
from magnum.db.session import affected, changing, reader, retried, writer

IN_PROGRESS: Final = "_IN_PROGRESS"

_SORT_KEYS: Final = frozenset(
    {
        *("id", "uuid", "name", "role", "is_default", "status", "created_at", "updated_at"),
        *("node_count", "min_node_count", "max_node_count", "docker_volume_size"),
        *("flavor_id", "image_id", "stack_id", "project_id", "version"),
    }
)


class NodeGroupNotFound(errors.NotFound):
    """The bay has no such group."""

    code = "NODEGROUP_NOT_FOUND"


class NodeGroupExists(errors.Conflict):
    """The bay has a group of that name."""

    code = "NODEGROUP_EXISTS"


class OutOfBounds(errors.Conflict):
    """The number of nodes, its minimum and its maximum contradict each other."""

    code = "OUT_OF_BOUNDS"


def sort_keys() -> frozenset[str]:
    """What a list may be sorted by."""
    return _SORT_KEYS


def page(
    context: RequestContext, bay_uuid: str, page: Page, role: str | None = None
) -> list[NodeGroup]:
    """One page of a bay's groups, of one role or of all: one statement, and one more for a marker.

    Raises NodeGroupNotFound for an unknown marker, BadRequest for an unknown sort key.
    """
    paging.checked(page, _SORT_KEYS)
    mine = select(NodeGroup).where(NodeGroup.bay_id == bay_uuid)
    statement = paging.ordered(mine, NodeGroup, page)
    if role is not None:
        statement = statement.where(NodeGroup.role == role)
    with reader(context) as session:
        if page.marker is not None:
            marker = session.scalar(mine.where(NodeGroup.uuid == page.marker))
            if marker is None:
                raise NodeGroupNotFound(f"Marker {page.marker} could not be found.", field="marker")
            statement = statement.where(paging.after(NodeGroup, page, marker))
        return list(session.scalars(statement))


def of(bay: Bay, ident: str) -> NodeGroup:
    """A group of a bay by uuid or name. Raises NodeGroupNotFound."""
    by_uuid = ids.is_uuid(ident)
    for group in bay.node_groups:
        if (group.uuid if by_uuid else group.name) == ident:
            return group
    raise NodeGroupNotFound(f"Node group {ident} of bay {bay.uuid} could not be found.")


@retried
def set_bounds(context: RequestContext, uuid: str, least: int, most: int | None) -> None:
    """Store how few and how many nodes a group may have.

    Raises OutOfBounds where it has another number by now, NodeGroupNotFound where it has gone.
    """
    fits = [NodeGroup.node_count >= least]
    if most:
        fits.append(NodeGroup.node_count <= most)
    values = {
        "min_node_count": least,
        "max_node_count": most,
        "updated_at": timeutils.utcnow(),
    }
    with writer(context) as session:
        this = changing(NodeGroup).where(NodeGroup.uuid == uuid)
        if affected(session, this.where(*fits).values(**values)):
            return
        count = session.scalar(select(NodeGroup.node_count).where(NodeGroup.uuid == uuid))
    if count is None:
        raise NodeGroupNotFound(f"Node group {uuid} could not be found.")
    raise OutOfBounds(f"The group has {count} nodes, which is not within {least} and {most}")


# --- inside the transactions of others -------------------------------------------------------------------------------


def add(session: Session, group: NodeGroup) -> None:
    """Store a new group of a bay whose row is locked. Raises NodeGroupExists."""
    same = select(func.count()).where(
        NodeGroup.bay_id == group.bay_id,
        or_(NodeGroup.name == group.name, NodeGroup.uuid == group.uuid),
    )
    if session.scalar(same):
        raise NodeGroupExists(
            f"The bay has a node group named {group.name!r} already", field="/name"
        )
    session.add(group)
    session.flush()


def begun(session: Session, bay_uuid: str, name: str, status: str) -> dict[str, Any]:
    """Columns that tell that work on a group begins; none where it is in progress already, as a bay's status stays.

    Raises NodeGroupNotFound where the group has gone, WrongStatus where it is to go and something else is asked.
    """
    found = session.execute(
        select(NodeGroup.status, NodeGroup.unwanted, NodeGroup.is_default).where(
            NodeGroup.bay_id == bay_uuid, NodeGroup.name == name
        )
    ).one_or_none()
    if found is None:
        raise NodeGroupNotFound(f"Node group {name} could not be found.")
    if found.unwanted and not status.startswith("DELETE"):
        raise errors.WrongStatus(f"Node group {name} is being deleted.")
    if found.is_default or (found.status or "").endswith(IN_PROGRESS):
        return {}
    return {"status": status, "status_reason": None}


def forget(session: Session, bay_uuid: str, names: Collection[str]) -> None:
    """Remove those of a bay's groups that are not wanted, unless an operation that waits has to do with them."""
    undone: Sequence[Mapping[str, Any] | None] = session.scalars(
        select(Operation.undo).where(*unfinished(bay_uuid), Operation.undo.is_not(None))
    ).all()
    meant = {name for undo in undone if undo for name in undo["groups"]}
    going = set(names) - meant
    if going:
        session.execute(
            delete(NodeGroup).where(
                NodeGroup.bay_id == bay_uuid,
                NodeGroup.name.in_(going),
                NodeGroup.unwanted.is_(True),
            )
        )
