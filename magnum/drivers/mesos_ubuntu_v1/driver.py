"""Mesos on Ubuntu virtual machines: the shared Heat driver with our templates."""

from magnum.drivers.contract import Provides
from magnum.drivers.heat.driver import HeatDriver

from .api import ENDPOINTS
from .monitor import Monitor
from .scale import Scaler
from .template_def import MesosTemplate
from .version import version as release


class Driver(HeatDriver):
    """Builds bays of Mesos, ZooKeeper and Marathon. Its options are the labels described in ``schema.json``."""

    name = "mesos_ubuntu_v1"
    version = release
    template_version = release
    provides = frozenset({Provides(server_type="vm", os_distro="ubuntu", coe="mesos")})
    definition = MesosTemplate()
    endpoints = ENDPOINTS
    monitor = Monitor()
    scaler = Scaler()
