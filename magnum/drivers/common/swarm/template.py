"""How a Swarm bay becomes the parameters of a driver's ``templates/cluster.yaml``."""

from magnum.drivers.common.cluster_template import ClusterTemplate
from magnum.drivers.contract import InvalidOption, Work


class SwarmTemplate(ClusterTemplate):
    """The template of a Swarm bay. Swarm mode has overlay networks of its own, and no volumes of the cloud's."""

    scheme = ("tcp", "tcp")
    api_port = 2376
    network_drivers = frozenset({"docker"})

    def refuse(self, work: Work) -> None:
        """As the base, with this engine's reasons."""
        if work.bay.discovery_url not in (None, "", "none"):
            raise InvalidOption(
                "Swarm mode needs no discovery service, its nodes know one another: leave discovery_url out.",
                option="discovery_url",
            )
        super().refuse(work)
        if work.baymodel.network_driver == "flannel":
            raise InvalidOption(
                "Swarm mode has overlay networks of its own and no flannel: set network_driver to docker.",
                option="network_driver",
            )
        if work.baymodel.volume_driver == "rexray":
            raise InvalidOption(
                "The volume driver rexray needs a credential that may change volumes, which nodes do not get: "
                "leave volume_driver out, and mount volumes in services by a plugin of your own.",
                option="volume_driver",
            )
        if work.bay.discovery_url not in (None, "", "none"):
            raise InvalidOption(
                "Swarm mode needs no discovery service, its nodes know one another: leave discovery_url out.",
                option="discovery_url",
            )
        super().refuse(work)
