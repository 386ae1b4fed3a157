"""Accepting that a bay moves to another baymodel: to its image, its labels, and what else nodes take from it."""

from collections.abc import Mapping
from typing import Any

from magnum.common.context import RequestContext
from magnum.db import operations, submissions
from magnum.db.models import Bay, BayModel, NodeGroup, State
from magnum.drivers.contract import Verb
from magnum.lifecycle import hints, statuses, submit


def labels(bay: Bay, baymodel: BayModel) -> dict[str, str]:
    """The labels that a bay has after it: those of the new baymodel, and over them what the bay has of its own."""
    before = bay.baymodel.labels
    own = {name: value for name, value in bay.labels.items() if before.get(name) != value}
    return {**baymodel.labels, **own}


def upgrade(
    context: RequestContext,
    bay: Bay,
    baymodel: BayModel,
    *,
    group: NodeGroup | None,
    batch_size: int,
    queue: bool,
) -> str:
    """Accept it, and return the operation's uuid.

    :param group: the only one whose nodes are meant; None for all.
    :param batch_size: how many nodes may be worked on at a time.
    :param queue: whether it may wait behind the creation or other changes of the bay.

    Raises WrongStatus.
    """
    about = {} if group is None else {"nodegroup": group.name, "change": "upgrade"}
    operation = operations.new(
        context,
        bay.uuid,
        bay.project_id,
        Verb.UPGRADE.value,
        timeout=submit.timeout(bay.create_timeout),
        baymodel_id=baymodel.uuid,
        batch_size=batch_size,
        **about,
    )
    accepted = submissions.change_bay(
        context,
        operation,
        statuses.may_begin(Verb.UPDATE) if queue else statuses.SETTLED,
        statuses.status(Verb.UPGRADE, State.PENDING),
        _groups(bay, baymodel, group),
        _of_bay(bay, baymodel),
    )
    if accepted is None:
        raise submit.not_now(bay)
    if operation.id is not None:
        hints.look_at(operation.id)
    return accepted


def _of_bay(bay: Bay, baymodel: BayModel) -> dict[str, Any]:
    """Columns of the bay. Its flavors and network stay: nodes cannot be moved."""
    return {"baymodel_id": baymodel.uuid, "labels": labels(bay, baymodel)}


def _groups(
    bay: Bay, baymodel: BayModel, group: NodeGroup | None
) -> Mapping[str, Mapping[str, Any]]:
    """Columns of its groups. One that has an image of its own keeps it."""
    before, new = bay.baymodel.image_id, labels(bay, baymodel)
    changed: dict[str, dict[str, Any]] = {}
    for one in bay.node_groups:
        if group is not None and one.uuid != group.uuid:
            continue
        values: dict[str, Any] = {}
        if one.image_id == before and baymodel.image_id != before:
            values["image_id"] = baymodel.image_id
        if one.labels == bay.labels and new != bay.labels:
            values["labels"] = new
        if values:
            changed[one.name] = values
    return changed
