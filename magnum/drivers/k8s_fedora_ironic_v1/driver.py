"""Kubernetes on bare metal with Fedora: the Kubernetes drivers' base with our templates."""

from magnum.drivers.common.kubernetes.driver import KubernetesDriver
from magnum.drivers.contract import Provides

from .api import ENDPOINTS
from .monitor import MONITOR
from .scale import SCALER
from .template_def import IronicTemplate
from .version import version as release


class Driver(KubernetesDriver):
    """Builds Kubernetes bays. Its options are the labels described in ``schema.json``."""

    name = "k8s_fedora_ironic_v1"
    version = release
    template_version = release
    provides = frozenset(
        {
            Provides(server_type="bm", os_distro="fedora-atomic", coe="kubernetes"),
            Provides(server_type="bm", os_distro="fedora", coe="kubernetes"),
        }
    )
    endpoints = ENDPOINTS
    monitor = MONITOR
    scaler = SCALER
    definition = IronicTemplate()
