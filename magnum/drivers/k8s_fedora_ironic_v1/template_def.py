"""How a bay of this driver becomes parameters of ``templates/cluster.yaml``."""

from collections.abc import Mapping
from typing import Any

from magnum.drivers.common.kubernetes.template import KubernetesTemplate
from magnum.drivers.common.options import Options
from magnum.drivers.contract import InvalidOption, Work

#: Parameters that all clusters have but those of machines without volumes.
_VOLUMES = frozenset({"master_docker_volume_size", "node_docker_volume_size"})


class IronicTemplate(KubernetesTemplate):
    """The template of a Kubernetes bay on bare metal."""

    package = __package__
    options = Options(__package__)

    def refuse(self, work: Work) -> None:
        """Refuse volumes, of which bare metal has none, and flavors that nobody has named."""
        super().refuse(work)
        if any(group.docker_volume_size for group in work.node_groups):
            raise InvalidOption(
                "Bare metal has no volumes: leave docker_volume_size out.",
                option="docker_volume_size",
            )
        if not all(group.flavor_id for group in work.node_groups):
            raise InvalidOption(
                "Bare metal needs a flavor of Ironic's: set flavor_id and master_flavor_id."
            )

    def parameters(self, work: Work) -> Mapping[str, Any]:
        """Every parameter but the secret ones; none of volumes."""
        given = super().parameters(work)
        return {name: value for name, value in given.items() if name not in _VOLUMES}
