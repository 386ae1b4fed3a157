"""Endpoints of this driver's own, below its bays: ``/v1/bays/<bay>/ext/k8s_fedora_ironic_v1/<name>``."""

from magnum.drivers.common.kubernetes.endpoints import ENDPOINTS

__all__ = ["ENDPOINTS"]
