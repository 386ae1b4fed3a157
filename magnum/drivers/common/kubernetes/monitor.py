"""How a Kubernetes cluster is: its API, each node's conditions, what is used of it, and its versions."""

from collections.abc import Iterable, Mapping, Sequence

from magnum.drivers.common.cluster_api import ClusterUnavailable
from magnum.drivers.common.kubernetes.cluster import Cluster
from magnum.drivers.common.kubernetes.objects import Node, Pod, Resources
from magnum.drivers.common.servers import Servers, servers_of
from magnum.drivers.contract import Facts, Health, HealthStatus, Work

#: Seconds for the cluster's answers; what is left of the contract's ten is for Nova's.
SECONDS = 6.0
API, OK = "api", "ok"
_LONGEST = 255


class KubernetesMonitor:
    """``Monitor`` of the contract. Nova is asked too where something is wrong, to say what became of the server."""

    def look(self, work: Work) -> Health:
        """Ask the API for itself, all nodes and all pods."""
        try:
            cluster = Cluster.at(work, SECONDS)
            api = cluster.trouble() or OK
            version, nodes, pods = cluster.version(), cluster.nodes(), cluster.pods()
        except ClusterUnavailable as error:
            return Health(HealthStatus.UNHEALTHY, {API: error.text})
        nodes = tuple(node for node in nodes if node.is_ours)
        wanted = sum(group.node_count for group in work.node_groups)
        reasons = {API: api, **verdicts(nodes, wanted, None)}
        if not _well(reasons):
            reasons = {API: api, **verdicts(nodes, wanted, servers_of(work))}
        return Health(
            HealthStatus.HEALTHY if _well(reasons) else HealthStatus.UNHEALTHY,
            reasons,
            utilisation(nodes, pods),
            Facts(
                coe_version=str(version.get("gitVersion") or "")[:_LONGEST] or None,
                container_version=_runtimes(nodes),
            ),
        )


def verdicts(nodes: Sequence[Node], wanted: int, servers: Servers | None) -> dict[str, str]:
    """What to say of each node. ``wanted`` is the number of nodes; ``servers`` is None where they are not known.

    A node that is not ready and whose server is gone belongs to the bay no more, where there are enough without it.
    """
    well = {node.name for node in nodes if not node.trouble}
    found = dict.fromkeys(sorted(well), OK)
    for node in nodes:
        if node.name in well or not node.name:
            continue
        if servers is None:
            found[node.name] = node.trouble
        elif (server := servers.get(node.name)) is not None:
            found[node.name] = f"{node.trouble}; its server is {server.status}"
        elif len(well) < wanted:
            found[node.name] = f"{node.trouble}; its server is gone"
    for name, server in (servers or {}).items():
        found.setdefault(name, f"not in the cluster; its server is {server.status}")
    if len(found) < wanted:
        found["nodes"] = f"{len(found)} of {wanted} nodes are in the cluster"
    return found


def utilisation(nodes: Sequence[Node], pods: Iterable[Pod]) -> Mapping[str, float]:
    """What the pods ask for, of what the nodes that are ready have."""
    ready = {node.name for node in nodes if node.ready}
    whole = sum((node.allocatable for node in nodes if node.ready), Resources())
    asked = sum((pod.asked for pod in pods if pod.node in ready), Resources())
    return {name: round(share, 4) for name, share in asked.shares(whole).items()}


def _runtimes(nodes: Iterable[Node]) -> str | None:
    """The container runtimes of the nodes, such as ``containerd://1.7.2``."""
    return ", ".join(sorted({node.runtime for node in nodes if node.runtime}))[:_LONGEST] or None


def _well(reasons: Mapping[str, str]) -> bool:
    return set(reasons.values()) <= {OK}
