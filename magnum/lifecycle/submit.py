"""Accepting work: what is asked of a bay becomes rows in one transaction, and then a hint to the conductors.

After these functions return, nothing can lose the request any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from magnum.common import errors, ids
from magnum.common.context import RequestContext
from magnum.conf import CONF
from magnum.db import bays, operations, submissions
from magnum.db.bays import BayNotFound
from magnum.db.models import Bay, BayModel, NodeGroup, Operation, State
from magnum.drivers.contract import MASTER, WORKER, Driver, StackChanged, Verb
from magnum.lifecycle import handed, hints, refusals, statuses


class InTheWay(errors.Conflict):
    """Another operation of the bay has to end first; the text names it."""

    code = "OPERATION_IN_THE_WAY"


class NotCancellable(errors.Conflict):
    """The operation cannot be taken back, or not any more."""

    code = "NOT_CANCELLABLE"


#: The label that says how few nodes the default group of workers may have.
FEWEST = "min_node_count"

#: Names of the two groups that every bay has (contract 2.3).
DEFAULT_MASTER = "default-master"
DEFAULT_WORKER = "default-worker"


@dataclass(frozen=True, slots=True)
class NewBay:
    """A bay that was asked for, with all its fields resolved and checked (contract 2.2).

    ``image_id`` is the image's id or name as the nodes shall boot it. ``create_timeout`` is in minutes. ``placement``
    is how the driver was chosen, as it is to be shown. ``hints`` are the request's wishes for the cluster's place.
    """

    name: str
    baymodel: BayModel
    driver: Driver
    node_count: int = 1
    master_count: int = 1
    keypair: str | None = None
    ssh_public_key: str | None = None
    create_timeout: int | None = None
    discovery_url: str | None = None
    docker_volume_size: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    flavor_id: str | None = None
    master_flavor_id: str | None = None
    fixed_network: str | None = None
    fixed_subnet: str | None = None
    floating_ip_enabled: bool = True
    master_lb_enabled: bool = False
    placement: Mapping[str, Any] | None = None
    hints: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A new bay as it stands in the database, with its groups, and the uuid of the operation that creates it."""

    bay: Bay
    operation: str


def create_bay(context: RequestContext, new: NewBay) -> Accepted:
    """Accept a new bay of the caller's project.

    Raises QuotaExceeded, Refused with what the driver says against it, and InvalidField for a label that no bay can
    have.
    """
    bay = _bay(context, new)
    groups = _default_groups(bay, new)
    refusals.check(new.driver, handed.asked(bay, new.baymodel, groups))
    operation = operations.new(
        context, bay.uuid, bay.project_id, Verb.CREATE.value, timeout=timeout(new.create_timeout)
    )
    stored = submissions.create_bay(
        context, bay, groups, operation, CONF.quotas.max_clusters_per_project
    )
    hints.look_at(operation.id)
    return Accepted(stored, operation.uuid)


def update_bay(
    context: RequestContext,
    bay: Bay,
    node_count: int,
    *,
    labels: Mapping[str, str] | None = None,
    rollback: bool = False,
    queue: bool = False,
) -> str | None:
    """Accept another number of nodes in the default worker group, or other labels, and return the operation's uuid.

    What is wanted already makes no operation, and None is returned; except where the cluster is known to have been
    changed by somebody else, which the operation then mends.

    :param labels: what the bay's labels are to be; None where they stay.
    :param rollback: whether a failed change is to be taken back (contract 2.2, ``?rollback=``).
    :param queue: whether the change may wait behind the creation or other changes of the bay.

    Raises WrongStatus while the bay's status does not allow it, or when it has gone meanwhile, and InvalidField for
    fewer or more nodes than the group may have.
    """
    workers = next(group for group in bay.node_groups if group.is_default and group.role == WORKER)
    check_bounds(workers, node_count)
    changed = {} if labels is None else _changed_labels(bay.labels, labels)
    if workers.node_count == node_count and not changed and not deviates(bay):
        return None
    operation = operations.new(
        context,
        bay.uuid,
        bay.project_id,
        Verb.UPDATE.value,
        timeout=timeout(bay.create_timeout),
        rollback=rollback,
        node_count=node_count,
        **({"labels": changed} if changed else {}),
    )
    groups: dict[str, dict[str, Any]] = {workers.name: {"node_count": node_count}}
    if changed:
        for group in bay.node_groups:
            if group.is_default:
                groups.setdefault(group.name, {})["labels"] = dict(labels or {})
    accepted = submissions.change_bay(
        context,
        operation,
        statuses.may_begin(Verb.UPDATE) if queue else statuses.SETTLED,
        statuses.status(Verb.UPDATE, State.PENDING),
        groups,
        {"labels": dict(labels or {})} if changed else {},
    )
    if accepted is None:
        raise not_now(bay)
    hints.look_at(operation.id)
    return accepted


def not_now(bay: Bay) -> errors.WrongStatus:
    """What is said of a change that the bay's status does not allow."""
    return errors.WrongStatus(
        f"The bay cannot be changed while its status is {bay.status}. Wait until it is settled."
    )


def deviates(bay: Bay) -> bool:
    """Whether somebody else is known to have changed the cluster; then what is wanted already is work, too."""
    return (bay.status_reason or "").startswith(StackChanged.code)


def check_bounds(group: NodeGroup, node_count: int) -> None:
    """Raise InvalidField for fewer or more nodes than a group may have; no maximum, or 0, means any number."""
    most = group.max_node_count
    if node_count < group.min_node_count or (most and node_count > most):
        raise errors.InvalidField(
            f"Node group {group.name} may have {group.min_node_count} nodes at least"
            f" and {most or 'any number'} at most, not {node_count}",
            field="/node_count",
        )


def _changed_labels(present: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str | None]:
    """What is other than now; None for what goes."""
    names = sorted(present.keys() | wanted.keys())
    return {name: wanted.get(name) for name in names if wanted.get(name) != present.get(name)}


def act(context: RequestContext, bay: Bay, verb: Verb, parameters: Mapping[str, Any]) -> str:
    """Accept one of the verbs that change nothing of a bay's specification, and return the operation's uuid.

    It waits behind what is under way. The same asked for twice, before the first has begun, is one operation.

    Raises WrongStatus or InTheWay where the bay's state does not allow it, BayNotFound when it has gone.
    """
    if verb is Verb.CHECK:
        return _check(context, bay)
    operation = operations.new(
        context,
        bay.uuid,
        bay.project_id,
        verb.value,
        timeout=timeout(bay.create_timeout),
        **parameters,
    )
    status = statuses.status(verb, State.PENDING)
    accepted = submissions.change_bay(context, operation, statuses.may_begin(verb), status, {})
    if accepted is None:
        raise _in_the_way(context, bay, verb)
    if operation.id is not None:
        hints.look_at(operation.id)
    return accepted


def _check(context: RequestContext, bay: Bay) -> str:
    """A look changes nothing, so it does not wait: it makes sense only of a bay at which nobody works."""
    operation = _new_check(context, bay.uuid)
    if submissions.check_bay(context, operation, quiet=0):
        hints.look_at(operation.id)
        return operation.uuid
    under_way = operations.unfinished_of(context, bay.uuid)
    if under_way is not None and under_way.verb == Verb.CHECK:
        return under_way.uuid
    raise _in_the_way(context, bay, Verb.CHECK)


def _new_check(context: RequestContext, bay_uuid: str) -> Operation:
    return operations.new(
        context, bay_uuid, "", Verb.CHECK.value, timeout=timeout(CONF.lifecycle.force_deadline)
    )


def _in_the_way(context: RequestContext, bay: Bay, verb: Verb) -> errors.MagnumError:
    """Why a verb cannot begin on a bay."""
    seen = bays.get(context, bay.uuid, all_projects=True)
    under_way = operations.unfinished_of(context, bay.uuid)
    if under_way is not None:
        return InTheWay(
            f"A {_words(verb)} cannot begin now: operation {under_way.uuid} ({under_way.verb}) of the bay"
            " is in the way."
        )
    return errors.WrongStatus(
        f"A {_words(verb)} of the bay cannot begin in status {seen.status}."
        + (" Delete it and create it anew." if seen.status == "CREATE_FAILED" else "")
    )


def _words(verb: Verb) -> str:
    return verb.replace("_", " ")


def delete_bay(context: RequestContext, bay: Bay, *, force: bool = False) -> str:
    """Accept the deletion of a bay, from any status, and return the uuid of the operation that does it.

    :param force: end it even if something is left in the cloud, and list that in the operation.

    Raises BayNotFound when it has gone.
    """
    operation = operations.new(
        context,
        bay.uuid,
        bay.project_id,
        Verb.DELETE.value,
        timeout=timeout(CONF.lifecycle.force_deadline if force else None),
        **({"force": True} if force else {}),
    )
    status = statuses.status(Verb.DELETE, State.PENDING)
    accepted = submissions.delete_bay(context, operation, status)
    if accepted is None:
        raise BayNotFound(f"Bay {bay.uuid} could not be found.")
    if operation.id is not None:
        hints.look_at(operation.id)
    return accepted


def check_bay(context: RequestContext, bay_uuid: str, quiet: float) -> int | None:
    """Have a bay looked at at which nobody works, because the cloud said that somebody else has touched its cluster.

    :param quiet: seconds for which it must not have been observed; see ``[lifecycle] check_quiet``.

    Returns the operation's id, None where there is no such bay or nothing to do.
    """
    operation = _new_check(context, bay_uuid)
    return operation.id if submissions.check_bay(context, operation, quiet) else None


def cancel(context: RequestContext, operation: Operation) -> None:
    """Take back a change that has not begun. What it changed of the bay's specification is as it was before.

    Raises NotCancellable where it has begun or ended, or is one that cannot be taken back.
    """
    match operation.verb:
        case Verb.CREATE:
            raise NotCancellable("A creation cannot be taken back. Delete the bay instead.")
        case Verb.DELETE:
            raise NotCancellable("A deletion cannot be taken back.")
    if not submissions.cancel(context, operation.uuid):
        raise NotCancellable(
            f"The {operation.verb} has begun or ended. Only what has not begun can be cancelled."
        )


def timeout(minutes: int | None) -> timedelta:
    """The time that an operation has: every one has one; none or 0 minutes means the operator's default (promise 1)."""
    return timedelta(minutes=minutes or CONF.lifecycle.default_deadline)


def _bay(context: RequestContext, new: NewBay) -> Bay:
    return Bay(
        uuid=ids.new_uuid(),
        name=new.name,
        project_id=context.project_id,
        user_id=context.user_id,
        baymodel_id=new.baymodel.uuid,
        keypair=new.keypair,
        ssh_public_key=new.ssh_public_key,
        create_timeout=new.create_timeout,
        discovery_url=new.discovery_url,
        docker_volume_size=new.docker_volume_size,
        labels=dict(new.labels),
        flavor_id=new.flavor_id,
        master_flavor_id=new.master_flavor_id,
        fixed_network=new.fixed_network,
        fixed_subnet=new.fixed_subnet,
        floating_ip_enabled=new.floating_ip_enabled,
        master_lb_enabled=new.master_lb_enabled,
        driver=new.driver.name,
        driver_version=new.driver.version,
        template_version=new.driver.template_version,
        placement=None if new.placement is None else dict(new.placement),
        hints=dict(new.hints) if new.hints else None,
        generation=1,
        status=statuses.status(Verb.CREATE, State.PENDING),
    )


def _default_groups(bay: Bay, new: NewBay) -> list[NodeGroup]:
    def group(name: str, role: str, count: int, least: int, flavor: str | None) -> NodeGroup:
        return NodeGroup(
            uuid=ids.new_uuid(),
            bay_id=bay.uuid,
            project_id=bay.project_id,
            name=name,
            role=role,
            is_default=True,
            node_count=count,
            min_node_count=least,
            flavor_id=flavor,
            image_id=new.baymodel.image_id,
            docker_volume_size=new.docker_volume_size,
            labels=dict(new.labels),
        )

    return [
        group(DEFAULT_MASTER, MASTER, new.master_count, 1, new.master_flavor_id),
        group(DEFAULT_WORKER, WORKER, new.node_count, _fewest(new), new.flavor_id),
    ]


def _fewest(new: NewBay) -> int:
    """How few workers the bay may have, by a label (contract 5.1). Raises InvalidField."""
    text = new.labels.get(FEWEST, "0")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise errors.InvalidField(
            f"The label {FEWEST} must be a whole number, not {text!r}", field=f"/labels/{FEWEST}"
        )
    if int(text) > new.node_count:
        raise errors.InvalidField(
            f"The label {FEWEST} asks for {text} nodes at least, node_count for {new.node_count}",
            field="/node_count",
        )
    return int(text)
