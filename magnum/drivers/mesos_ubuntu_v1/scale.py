"""Which agents of a Mesos cluster may go: those without tasks first, and how many more Marathon's queue needs."""

from magnum.drivers.common.mesos.cluster import Agent, Masters, Node, Silent, nodes
from magnum.drivers.contract import WORKER, DriverError, Work

from .monitor import api, masters_hosts


class Scaler:
    """Asks the leading master and Marathon."""

    def removable(self, work: Work, count: int) -> tuple[str, ...]:
        """Ids of servers: nodes whose agent is gone first, then idle ones, then those with the fewest tasks."""
        try:
            known = nodes(work)
            with Masters(work) as masters:
                host, _ = masters.leader(masters_hosts(work, known))
                agents = {agent.node: agent for agent in masters.agents(host)}
        except (DriverError, Silent, OSError, ValueError):
            return ()
        workers = [node for node in known if node.role == WORKER]
        workers.sort(key=lambda node: _burden(node, agents.get(node.name)))
        return tuple(node.ident for node in workers[: max(0, count)])

    def missing(self, work: Work) -> int:
        """One more where Marathon has had to leave something waiting for lack of room; how many is not knowable."""
        place = api(work)
        if place is None:
            return 0
        try:
            with Masters(work) as masters:
                found = masters.get(*place, "/v2/queue")
                waiting = [one for one in found["queue"] if int(one.get("count") or 0) > 0]
        except (DriverError, Silent, OSError, ValueError, KeyError, TypeError, AttributeError):
            return 0
        return 1 if waiting else 0


def _burden(node: Node, agent: Agent | None) -> tuple[bool, int, float, str]:
    """What it would cost to lose a node; the newest name goes first where that is all the same."""
    if agent is None or not agent.active:
        return (False, 0, 0.0, node.name)
    return (True, agent.tasks, agent.used, node.name)
