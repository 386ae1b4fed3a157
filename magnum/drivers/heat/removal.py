"""Which nodes of a group go when there are to be fewer: those that were named, or that the cluster can best do without.

The driver's scaler is asked once for each update, and its answer is kept. Whatever becomes of it, the update goes on:
Heat chooses the nodes of which nothing is known. A name that means no node is another matter: no other node may go in
its place.
"""

import logging

from magnum.drivers import asking
from magnum.drivers.contract import WORKER, NodeGroup, Scaler, Work
from magnum.drivers.heat import groups
from magnum.drivers.heat.nodes import NodeUnknown
from magnum.drivers.heat.stack import StackView
from magnum.drivers.heat.template import TemplateDefinition

LOG = logging.getLogger(__name__)

#: A parameter of the templates: the nodes that go, as ids of servers; and the one of a request.
NODES = "nodes_to_remove"
#: A parameter of the templates: how many workers there are.
COUNT = "node_count"

#: Seconds that a scaler may take; by the contract it is back earlier.
_PATIENCE = 15.0


def leaving(
    definition: TemplateDefinition, scaler: Scaler | None, work: Work, view: StackView
) -> list[str]:
    """The nodes that go, as ids of servers; fewer than have to where not more are known.

    Raises NodeUnknown where another node would have to go for one that is named and not there.
    """
    group = _group(work)
    count = _surplus(group, view)
    if not (named := list(work.parameters.get(NODES) or ())):
        return _chosen(scaler, work, count) if count and scaler is not None else []
    members = definition.members(work, group.name, view.outputs or {})
    if members is None:  # Heat knows servers by id and number as well
        return named
    known = {**{ident: ident for ident in members.values()}, **members}
    found = list(dict.fromkeys(known[name] for name in named if name in known))
    if len(found) < count and (unknown := [name for name in named if name not in known]):
        raise NodeUnknown(f"Node group {group.name} has no node {', '.join(map(repr, unknown))}.")
    return found


def _group(work: Work) -> NodeGroup:
    """The group that an update is about; the default workers where it does not say."""
    name = work.parameters.get("nodegroup")
    found = [group for group in work.node_groups if group.name == name]
    return found[0] if found else work.group(WORKER)


def _surplus(group: NodeGroup, view: StackView) -> int:
    """How many nodes more the stack has than the group is to have; 0 where it has not."""
    if group.is_default:
        present = view.parameters.get(COUNT, "")
    else:
        others = {one.get("uuid"): one.get("node_count") for one in groups.shown(view.parameters)}
        present = str(others.get(group.uuid, ""))
    try:
        return max(0, int(present) - group.node_count)
    except ValueError:
        return 0


def _chosen(scaler: Scaler, work: Work, count: int) -> list[str]:
    def ask() -> list[str]:
        return [str(one) for one in scaler.removable(work, count)]

    ended = asking.within(_PATIENCE, ask, "scaler")  # it may hang, and has the lease of this thread
    if not ended.came_back:
        LOG.warning("Bay %s: the scaler does not come back.", work.bay.uuid)
    if isinstance(ended.answer, BaseException):
        what = type(ended.answer).__name__
        LOG.warning("Bay %s: which nodes may go is not known: %s", work.bay.uuid, what)
    return ended.answer[:count] if isinstance(ended.answer, list) else []
