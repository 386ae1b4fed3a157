"""A Heat driver that is as small as can be, with all the files that a driver may have."""

from magnum.drivers.contract import Provides
from magnum.drivers.heat.driver import HeatDriver

from .api import ENDPOINTS
from .monitor import TinyMonitor
from .scale import TinyScaler
from .template_def import TinyTemplate
from .version import version as release


class Driver(HeatDriver):
    """Builds servers that do nothing."""

    name = "tiny_v1"
    version = release
    template_version = release
    provides = frozenset({Provides("vm", "tiny-distro", "tiny")})
    services = frozenset({"orchestration"})
    definition = TinyTemplate()
    endpoints = ENDPOINTS
    monitor = TinyMonitor()
    scaler = TinyScaler()
