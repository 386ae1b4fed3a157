"""What the templates of Mesos clusters have in common, whoever packages Mesos: fixed masters, and no registry."""

from collections.abc import Mapping
from typing import Any, ClassVar

from magnum.drivers.common.cluster_template import ClusterTemplate
from magnum.drivers.contract import InvalidOption, Work


class MesosClusterTemplate(ClusterTemplate):
    """A cluster whose masters are known to ZooKeeper by their addresses. ``engine`` is its name for people."""

    mutable = frozenset({"node_count", "nodes_to_remove"})
    network_drivers = frozenset({"docker"})
    engine: ClassVar[str]
    #: Ports that the masters need for themselves.
    taken: ClassVar[frozenset[int]] = frozenset()

    def own_parameters(self, work: Work) -> Mapping[str, Any]:
        """Nothing of its own, but its reasons where it cannot have what other engines have."""
        bay, model = work.bay, work.baymodel
        if model.registry_enabled:
            raise InvalidOption(
                f"{self.engine} bays have no registry of their own: set registry_enabled to false.",
                option="registry_enabled",
            )
        if bay.discovery_url:
            raise InvalidOption(
                f"The masters of a {self.engine} bay find each other by ZooKeeper: leave discovery_url out.",
                option="discovery_url",
            )
        if model.apiserver_port in self.taken:
            raise InvalidOption(
                f"The masters need port {model.apiserver_port} for themselves: choose another apiserver_port.",
                option="apiserver_port",
            )
        return {}

    def parameters(self, work: Work) -> Mapping[str, Any]:
        """As all clusters have them, but no registry."""
        shared = dict(super().parameters(work))
        del shared["registry_enabled"]
        return shared
