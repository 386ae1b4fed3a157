"""Docker Swarm on Fedora Atomic virtual machines: the Swarm drivers' base with our templates."""

from magnum.drivers.common.swarm.driver import SwarmDriver
from magnum.drivers.contract import Provides

from .api import ENDPOINTS
from .monitor import MONITOR
from .scale import SCALER
from .template_def import Template
from .version import version as release


class Driver(SwarmDriver):
    """Builds Docker Swarm bays. Its options are the labels described in ``schema.json``."""

    name = "swarm_atomic_v1"
    version = release
    template_version = release
    provides = frozenset({Provides(server_type="vm", os_distro="fedora-atomic", coe="swarm")})
    node_groups = True
    definition = Template()
    endpoints = ENDPOINTS
    monitor = MONITOR
    scaler = SCALER
