"""Watching a Swarm: how its API and each of its nodes are, and how much of them is reserved."""

from collections.abc import Iterable, Mapping, Sequence

from magnum.drivers.common.cluster_api import ClusterUnavailable
from magnum.drivers.common.servers import Servers, servers_of
from magnum.drivers.common.swarm.cluster import Swarm, SwarmNode, Task
from magnum.drivers.contract import Facts, Health, HealthStatus, Work

#: Seconds for the Swarm's answers; what is left of the contract's ten is for Nova's.
SECONDS = 6.0
OK = "ok"


class SwarmMonitor:
    """``Monitor`` of the contract. Nova is asked too where something is wrong, to say what became of the server."""

    def look(self, work: Work) -> Health:
        """Ask a manager for all nodes and tasks."""
        try:
            swarm = Swarm.at(work, SECONDS)
            version, tasks = swarm.version(), swarm.tasks()
            nodes = [node for node in swarm.nodes() if node.is_of(work.bay.uuid)]
        except ClusterUnavailable as error:
            return Health(HealthStatus.UNHEALTHY, {"api": error.text})
        wanted = sum(group.node_count for group in work.node_groups)
        reasons = verdicts(nodes, wanted, None)
        if not _well(reasons):
            reasons = verdicts(nodes, wanted, servers_of(work))
        return Health(
            HealthStatus.HEALTHY if _well(reasons) else HealthStatus.UNHEALTHY,
            {"api": OK, **reasons},
            utilisation(nodes, tasks),
            Facts(coe_version=version, container_version=version),
        )


def verdicts(nodes: Sequence[SwarmNode], wanted: int, servers: Servers | None) -> Mapping[str, str]:
    """What to say of each node. ``wanted`` is the number of nodes; ``servers`` is None where they are not known.

    A node that is down and whose server is gone belongs to the bay no more, where there are enough without it.
    """
    well = {node.name for node in nodes if not node.trouble}
    found: dict[str, str] = {node.name: OK for node in nodes if node.name in well}
    for node in nodes:
        if node.name in well:
            continue
        if servers is None:
            found[node.name] = node.trouble
        elif (server := servers.get(node.name)) is not None:
            found[node.name] = f"{node.trouble}; its server is {server.status}"
        elif len(well) < wanted:
            found[node.name] = f"{node.trouble}; its server is gone"
    for name, server in (servers or {}).items():
        if name not in found:
            found[name] = f"not in the Swarm; its server is {server.status}"
    if len(found) < wanted:
        found["nodes"] = f"{len(found)} of {wanted} nodes are in the Swarm"
    return found


def utilisation(nodes: Iterable[SwarmNode], tasks: Iterable[Task]) -> Mapping[str, float]:
    """The part of the ready nodes' processors and memory that tasks have reserved."""
    ready = {node.ident: node for node in nodes if not node.trouble}
    placed = [task for task in tasks if task.node in ready]
    used = {
        "cpu": (sum(task.cpus for task in placed), sum(node.cpus for node in ready.values())),
        "memory": (
            sum(task.memory for task in placed),
            sum(node.memory for node in ready.values()),
        ),
    }
    return {name: min(1.0, part / whole) for name, (part, whole) in used.items() if whole > 0}


def _well(reasons: Mapping[str, str]) -> bool:
    return set(reasons.values()) <= {OK}
