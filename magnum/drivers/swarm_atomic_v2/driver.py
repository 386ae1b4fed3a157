"""Docker Swarm whose managers only manage: the Swarm drivers' base with our templates."""

from magnum.drivers.common.swarm.driver import SwarmDriver
from magnum.drivers.contract import Provides

from .api import ENDPOINTS
from .monitor import MONITOR
from .scale import SCALER
from .template_def import Template
from .version import version as release


class Driver(SwarmDriver):
    """Builds bays whose managers run no services. Its options are the labels described in ``schema.json``."""

    name = "swarm_atomic_v2"
    version = release
    template_version = release
    provides = frozenset({Provides(server_type="vm", os_distro="fedora-atomic", coe="swarm-mode")})
    node_groups = True
    definition = Template()
    endpoints = ENDPOINTS
    monitor = MONITOR
    scaler = SCALER
