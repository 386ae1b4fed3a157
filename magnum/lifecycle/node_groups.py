"""Node groups: accepting that one comes, changes or goes, and what a pass writes of it.

To a driver all of that is an update of the bay: it brings the cluster to the groups that are in its work. The operation
names the group, and what becomes of it (``change``), so that its status can be told beside the bay's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from magnum.common import ids
from magnum.common.context import RequestContext
from magnum.db import operations, submissions
from magnum.db.models import Bay, NodeGroup, Operation, State
from magnum.db.operations import Outcome as Writing
from magnum.db.submissions import GroupChange
from magnum.drivers.contract import WORKER, Verb
from magnum.lifecycle import hints, statuses, submit

#: Parameters of an operation: the group's name, and one of the words below.
GROUP: Final = "nodegroup"
CHANGE: Final = "change"
#: What becomes of a group.
CREATE, UPDATE, DELETE = "create", "update", "delete"


@dataclass(frozen=True, slots=True)
class NewGroup:
    """A group that was asked for, with all its fields resolved and checked (contract 2.3)."""

    name: str
    node_count: int = 1
    min_node_count: int = 0
    max_node_count: int | None = None
    role: str = WORKER
    flavor_id: str | None = None
    image_id: str | None = None
    docker_volume_size: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    node_labels: Mapping[str, str] | None = None
    node_taints: Sequence[Mapping[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class AcceptedGroup:
    """A new group as it stands in the database, and the uuid of the operation that makes it."""

    group: NodeGroup
    operation: str


def create(context: RequestContext, bay: Bay, new: NewGroup, *, queue: bool) -> AcceptedGroup:
    """Accept a new group of a bay.

    :param queue: whether it may wait behind the bay's creation.

    Raises NodeGroupExists, WrongStatus.
    """
    taints = None if new.node_taints is None else [dict(taint) for taint in new.node_taints]
    group = NodeGroup(
        uuid=ids.new_uuid(),
        bay_id=bay.uuid,
        project_id=bay.project_id,
        name=new.name,
        role=new.role,
        is_default=False,
        node_count=new.node_count,
        min_node_count=new.min_node_count,
        max_node_count=new.max_node_count,
        flavor_id=new.flavor_id,
        image_id=new.image_id,
        docker_volume_size=new.docker_volume_size,
        labels=dict(new.labels),
        node_addresses=[],
        node_labels=None if new.node_labels is None else dict(new.node_labels),
        node_taints=taints,
        status=statuses.of_group(CREATE, State.PENDING),
    )
    operation = _submit(context, bay, group, CREATE, {}, queue=queue)
    return AcceptedGroup(group, operation)


def resize(
    context: RequestContext,
    bay: Bay,
    group: NodeGroup,
    node_count: int,
    nodes_to_remove: Sequence[str] = (),
    *,
    queue: bool,
) -> str | None:
    """Accept another number of nodes in a group, and return the operation's uuid.

    Nodes that are named go in any case, and others come in their place where that many are wanted. What is wanted
    already makes no operation, and None is returned; except where somebody else has changed the cluster.

    :param queue: whether it may wait behind the bay's creation.

    Raises WrongStatus, NodeGroupNotFound, and InvalidField for fewer or more nodes than the group may have.
    """
    submit.check_bounds(group, node_count)
    if group.node_count == node_count and not nodes_to_remove and not submit.deviates(bay):
        return None
    named = {"nodes_to_remove": list(nodes_to_remove)} if nodes_to_remove else {}
    values = {"node_count": node_count}
    return _submit(context, bay, group, UPDATE, values, queue=queue, **values, **named)


def mark(
    context: RequestContext, bay: Bay, group: NodeGroup, values: Mapping[str, Any], *, queue: bool
) -> str:
    """Accept other labels or taints of a group's nodes (``node_labels``, ``node_taints``). Raises as :func:`resize`."""
    return _submit(context, bay, group, UPDATE, values, queue=queue)


def remove(context: RequestContext, bay: Bay, group: NodeGroup, *, queue: bool) -> str:
    """Accept that a group goes, and return the operation's uuid. Asked again, before it has begun, it is the same one.

    Raises WrongStatus, NodeGroupNotFound.
    """
    values = {} if group.unwanted else {"unwanted": True}
    return _submit(context, bay, group, DELETE, values, queue=queue)


def _submit(
    context: RequestContext,
    bay: Bay,
    group: NodeGroup,
    change: str,
    values: Mapping[str, Any],
    *,
    queue: bool,
    **parameters: Any,
) -> str:
    operation = operations.new(
        context,
        bay.uuid,
        bay.project_id,
        Verb.UPDATE.value,
        timeout=submit.timeout(bay.create_timeout),
        **{GROUP: group.name, CHANGE: change},
        **parameters,
    )
    accepted = submissions.change_bay(
        context,
        operation,
        (*statuses.RESIZABLE, *statuses.AT_WORK) if queue else statuses.RESIZABLE,
        statuses.status(Verb.UPDATE, State.PENDING),
        {group.name: values} if values else {},
        group=GroupChange(
            group.name,
            statuses.of_group(change, State.PENDING),
            group if change == CREATE else None,
        ),
    )
    if accepted is None:
        raise submit.not_now(bay)
    if operation.id is not None:
        hints.look_at(operation.id)
    return accepted


# --- in a pass -------------------------------------------------------------------------------------------------------


def told(writing: Writing, operation: Operation, bay: Bay) -> Writing:
    """The writing with what it means for groups: the status of the one that it is about, and which are no more."""
    state = State(writing.operation["state"])
    if writing.bay_gone or operation.verb != Verb.UPDATE:
        return writing
    groups = {name: dict(values) for name, values in writing.groups.items()}
    about = next(
        (one for one in bay.node_groups if one.name == operation.parameters.get(GROUP)), None
    )
    if about is not None and not about.is_default and state in statuses.SHOWN:
        values = groups.setdefault(about.name, {})
        values["status"] = statuses.of_group(operation.parameters[CHANGE], state)
        if "status_reason" in writing.bay:
            values["status_reason"] = writing.bay["status_reason"]
    gone = [one.name for one in bay.node_groups if one.unwanted] if state is State.DONE else []
    return replace(writing, groups=groups, groups_gone=tuple(gone))
