"""What the service asks a Kubernetes cluster, and has it do. Every method raises ClusterUnavailable only."""

from collections.abc import Iterator, Mapping
from typing import Any

from magnum.drivers.common.cluster_api import ClusterApi, ClusterUnavailable, cluster_api
from magnum.drivers.common.kubernetes.objects import LEAVING, Node, Pod
from magnum.drivers.contract import Work

#: Whom the certificate of the service is for, and the group that may do everything.
NAME, GROUP = "magnum", "system:masters"

_NODES = "/api/v1/nodes"
#: Pods that have not come to their end.
_ALIVE = "status.phase!=Succeeded,status.phase!=Failed"
#: The first minor release that knows evictions by the name ``policy/v1``.
_POLICY_V1 = 22
_MERGE = {"Content-Type": "application/merge-patch+json"}


class Cluster:
    """The API of one cluster."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api

    @classmethod
    def at(cls, work: Work, seconds: float) -> "Cluster":
        """The bay's cluster; all that it is asked takes so many seconds at most."""
        return cls(cluster_api(work, NAME, GROUP, seconds))

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline."""
        return self._api.seconds_left

    def trouble(self) -> str:
        """What the API says that it lacks itself; empty when it is ready. It says so in words, not in JSON."""
        try:
            self._api.get("/readyz")
        except ClusterUnavailable as error:
            if error.status is None:
                raise
            if error.status not in (200, 404):
                return error.text
        return ""

    def version(self) -> Mapping[str, Any]:
        """What runs: ``gitVersion``, ``minor`` and so on."""
        told = self._api.get("/version")
        return told if isinstance(told, Mapping) else {}

    def nodes(self) -> tuple[Node, ...]:
        """All nodes."""
        return tuple(Node.of(shown) for shown in self._items(_NODES))

    def pods(self) -> tuple[Pod, ...]:
        """All pods that have not ended."""
        return tuple(Pod.of(shown) for shown in self._items("/api/v1/pods", fieldSelector=_ALIVE))

    def mark(self, node: Node, *, leaving: bool) -> None:
        """Keep new pods from a node that is to go, or let them come again to one that has stayed."""
        about = {"annotations": {LEAVING: "true" if leaving else None}}
        body = {"metadata": about, "spec": {"unschedulable": leaving or None}}
        self._api.call("PATCH", f"{_NODES}/{node.name}", body, _MERGE)

    def forget(self, node: Node) -> None:
        """Remove the entry of a node whose server is gone, and with it what was to run there."""
        try:
            self._api.call("DELETE", f"{_NODES}/{node.name}")
        except ClusterUnavailable as error:
            if error.status != 404:
                raise

    def evict(self, pod: Pod) -> None:
        """Have a pod end and be replaced. Where a budget forbids that now, it ends with its node."""
        about = {"name": pod.name, "namespace": pod.namespace}
        body = {"apiVersion": self._policy(), "kind": "Eviction", "metadata": about}
        try:
            self._api.call(
                "POST", f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}/eviction", body
            )
        except ClusterUnavailable as error:
            if error.status not in (404, 429):
                raise

    def _policy(self) -> str:
        minor = "".join(filter(str.isdigit, str(self.version().get("minor", ""))))
        return "policy/v1beta1" if minor and int(minor) < _POLICY_V1 else "policy/v1"

    def _items(self, path: str, **query: str) -> Iterator[Mapping[str, Any]]:
        answer = self._api.get(path, **query)
        listed = answer.get("items") if isinstance(answer, Mapping) else None
        if not isinstance(listed, list):
            raise ClusterUnavailable("The cluster's API gives an answer that makes no sense.")
        return (one for one in listed if isinstance(one, Mapping))
