"""Scaling a Kubernetes cluster: which workers may go, idle ones first, and how many more are needed."""

import logging
import math
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from magnum.drivers.common.cluster_api import ClusterUnavailable
from magnum.drivers.common.kubernetes.cluster import Cluster
from magnum.drivers.common.kubernetes.objects import Node, Pod, Resources
from magnum.drivers.common.servers import Servers, of_the_group, servers_of
from magnum.drivers.contract import WORKER, Work
from magnum.drivers.heat.nodes import Server

LOG = logging.getLogger(__name__)

#: Seconds for the cluster; what is left of the contract's ten is for Nova.
SECONDS = 7.0
#: Seconds between two looks whether the pods have moved.
PAUSE = 0.5


class KubernetesScaler:
    """``Scaler`` of the contract. Those that are to go are drained, so that what runs on them moves before they do."""

    def removable(self, work: Work, count: int) -> tuple[str, ...]:
        """First servers that are not ready nodes, then those with the fewest pods. Drains what it names.

        Asked again, it names the same ones: they are marked. Pods of daemon sets and static ones do not count. Waits
        some seconds for the others to have gone.
        """
        if count <= 0 or (servers := servers_of(work)) is None:
            return ()
        try:
            cluster = Cluster.at(work, SECONDS)
            nodes, pods = cluster.nodes(), cluster.pods()
            chosen = choose(of_the_group(servers, work), nodes, pods, count)
            names = {server.name for server in chosen}
            drain(cluster, [node for node in nodes if node.name in names and node.ready], pods)
        except ClusterUnavailable as error:
            LOG.info("Bay %s: which workers may go is not known: %s", work.bay.uuid, error)
            return ()
        return tuple(server.ident for server in chosen)

    def missing(self, work: Work) -> int:
        """For pods that find no room: the workers like those there are that would hold what they ask for."""
        if (servers := servers_of(work)) is None:
            return 0
        workers = {name for name, server in servers.items() if server.role == WORKER}
        try:
            cluster = Cluster.at(work, SECONDS)
            nodes = [node for node in cluster.nodes() if node.name in workers]
            return needed(nodes, cluster.pods())
        except ClusterUnavailable:
            return 0


def choose(
    servers: Servers, nodes: Iterable[Node], pods: Iterable[Pod], count: int
) -> tuple[Server, ...]:
    """The workers' servers that may go, the first to go first."""
    known = {node.name: node for node in nodes}
    busy = Counter(pod.node for pod in pods if not pod.is_bound)

    def worth(server: Server) -> tuple[int, int, int, int]:
        node = known.get(server.name)
        number = int(server.name.rpartition("-")[2]) if server.name[-1:].isdigit() else 0
        if node is None or not node.ready:
            return (0, 0, 0, -number)
        return (1, 0 if node.is_leaving else 1, busy[node.name], -number)

    workers = [server for server in servers.values() if server.role == WORKER]
    return tuple(sorted(workers, key=worth)[:count])


def needed(nodes: Sequence[Node], pods: Iterable[Pod]) -> int:
    """How many workers more."""
    waiting = [pod.asked for pod in pods if pod.lacks_room]
    if not waiting or not nodes:
        return len(waiting[:1])
    largest = Resources()
    for node in nodes:
        largest = largest.most(node.allocatable)
    fitting = [asked for asked in waiting if asked.fits(largest)]
    total = sum(fitting, Resources())
    parts = total.parts(largest)
    return max([math.ceil(round(part, 6)) for part in parts.values()], default=len(fitting[:1]))


def drain(cluster: Cluster, leaving: Sequence[Node], pods: Iterable[Pod]) -> None:
    """Keep pods from nodes, and have those on them evicted; waits for that as long as there is time."""
    for node in leaving:
        if not node.is_leaving:
            cluster.mark(node, leaving=True)
    names = {node.name for node in leaving}
    going = [pod for pod in pods if pod.node in names and not pod.is_bound]
    for pod in going:
        cluster.evict(pod)
    while going and cluster.seconds_left > 2 * PAUSE:
        going = [pod for pod in cluster.pods() if pod.node in names and not pod.is_bound]
        if going:
            time.sleep(PAUSE)


def tidy(work: Work, seconds: float) -> None:
    """After a scaling: remove nodes whose servers are gone, and let those that stayed have pods again. Best effort."""
    servers = servers_of(work)
    if not servers:
        return
    try:
        cluster = Cluster.at(work, seconds)
        for node in cluster.nodes():
            if not node.is_ours:
                continue
            if node.name not in servers:
                cluster.forget(node)
            elif node.is_leaving:
                cluster.mark(node, leaving=False)
    except ClusterUnavailable as error:
        LOG.info("Bay %s: the cluster could not be tidied up: %s", work.bay.uuid, error)
