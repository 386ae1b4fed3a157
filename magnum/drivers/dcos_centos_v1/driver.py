"""DC/OS on CentOS virtual machines: the shared Heat driver with our templates."""

from magnum.drivers.contract import Provides
from magnum.drivers.heat.driver import HeatDriver

from .template_def import DcosTemplate
from .version import version as release


class Driver(HeatDriver):
    """Builds DC/OS bays. Its options are the labels described in ``schema.json``."""

    name = "dcos_centos_v1"
    version = release
    template_version = release
    provides = frozenset({Provides(server_type="vm", os_distro="centos", coe="dcos")})
    definition = DcosTemplate()
