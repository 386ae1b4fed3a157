"""Docker Swarm on Fedora Atomic virtual machines: the shared Heat driver with our templates."""

from magnum.drivers.contract import Provides
from magnum.drivers.heat.driver import HeatDriver

from .template_def import SwarmTemplate
from .version import version as release


class Driver(HeatDriver):
    """Builds Docker Swarm bays. Its options are the labels described in ``schema.json``."""

    name = "swarm_atomic_v1"
    version = release
    template_version = release
    provides = frozenset({Provides(server_type="vm", os_distro="fedora-atomic", coe="swarm")})
    definition = SwarmTemplate()
