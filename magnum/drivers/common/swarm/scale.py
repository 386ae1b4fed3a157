"""Scaling a Swarm: which workers may go, idle ones first, and how many more are needed."""

import logging
import math
import time
from collections import Counter
from collections.abc import Sequence

from magnum.drivers.common.cluster_api import ClusterUnavailable
from magnum.drivers.common.servers import Servers, of_the_group, servers_of
from magnum.drivers.common.swarm.cluster import Swarm, SwarmNode, Task
from magnum.drivers.contract import WORKER, Work
from magnum.drivers.heat.nodes import Server

LOG = logging.getLogger(__name__)

#: Seconds for the Swarm; what is left of the contract's ten is for Nova.
SECONDS = 7.0
#: Seconds between two looks whether the tasks have moved.
PAUSE = 0.5
#: What Swarm says of a task for which no node has room.
_NO_ROOM = "insufficient resources"


class SwarmScaler:
    """``Scaler`` of the contract. Those that are to go are drained, so that what runs on them moves before they do."""

    def removable(self, work: Work, count: int) -> tuple[str, ...]:
        """First servers that are in no Swarm or down, then those with the fewest tasks. Drains what it names.

        Asked again, it names the same ones: they bear a label. A global service's tasks do not count, they run on
        every node. Waits some seconds for the others to have moved.
        """
        if count <= 0:
            return ()
        servers = servers_of(work)
        if servers is None:
            return ()
        try:
            swarm = Swarm.at(work, SECONDS)
            nodes = [node for node in swarm.nodes() if node.role == WORKER]
            chosen = choose(of_the_group(servers, work), nodes, swarm.tasks(), count)
            names = {server.name for server in chosen}
            leaving = [node for node in nodes if node.name in names and not node.trouble]
            for node in leaving:
                if not node.is_leaving:
                    swarm.mark(node, leaving=True)
            _wait_until_idle(swarm, {node.ident for node in leaving})
        except ClusterUnavailable as error:
            LOG.info("Bay %s: which workers may go is not known: %s", work.bay.uuid, error)
            return ()
        return tuple(server.ident for server in chosen)

    def missing(self, work: Work) -> int:
        """For tasks that find no room: the workers of the largest kind that would hold what they reserve."""
        try:
            swarm = Swarm.at(work, SECONDS)
            return needed([node for node in swarm.nodes() if node.role == WORKER], swarm.tasks())
        except ClusterUnavailable:
            return 0


def choose(
    servers: Servers, nodes: Sequence[SwarmNode], tasks: Sequence[Task], count: int
) -> tuple[Server, ...]:
    """The workers' servers that may go, the first to go first."""
    known = {node.name: node for node in nodes}
    busy = Counter(task.node for task in tasks if not task.everywhere)

    def worth(server: Server) -> tuple[int, int, int, int]:
        node = known.get(server.name)
        number = int(server.name.rpartition("-")[2]) if server.name[-1:].isdigit() else 0
        if node is None or node.trouble:
            return (0, 0, 0, -number)
        return (1, 0 if node.is_leaving else 1, busy[node.ident], -number)

    workers = [server for server in servers.values() if server.role == WORKER]
    return tuple(sorted(workers, key=worth)[:count])


def needed(nodes: Sequence[SwarmNode], tasks: Sequence[Task]) -> int:
    """How many workers more."""
    waiting = [task for task in tasks if task.is_pending and _NO_ROOM in task.trouble]
    if not waiting or not nodes:
        return len(waiting[:1])
    cpus = max(node.cpus for node in nodes) or math.inf
    memory = max(node.memory for node in nodes) or math.inf
    fitting = [task for task in waiting if task.cpus <= cpus and task.memory <= memory]
    parts = (
        sum(task.cpus for task in fitting) / cpus,
        sum(task.memory for task in fitting) / memory,
    )
    return max(math.ceil(max(parts)), 1 if fitting else 0)


def _wait_until_idle(swarm: Swarm, idents: set[str]) -> None:
    """Until nothing is left on these nodes and what was there runs elsewhere, or there is no more time."""
    while idents and swarm.seconds_left > 2 * PAUSE:
        tasks = [task for task in swarm.tasks() if not task.everywhere]
        if not any(task.node in idents or task.is_pending for task in tasks):
            return
        time.sleep(PAUSE)


def tidy(work: Work, seconds: float) -> None:
    """After a scaling: remove workers whose servers are gone, and have those that stayed work again. Best effort."""
    try:
        servers = servers_of(work)
        swarm = Swarm.at(work, seconds)
        for node in swarm.nodes():
            if node.role != WORKER or servers is None or not node.is_of(work.bay.uuid):
                continue
            if node.name not in servers:
                swarm.forget(node)
            elif node.is_leaving:
                swarm.mark(node, leaving=False)
    except ClusterUnavailable as error:
        LOG.info("Bay %s: the Swarm could not be tidied up: %s", work.bay.uuid, error)
