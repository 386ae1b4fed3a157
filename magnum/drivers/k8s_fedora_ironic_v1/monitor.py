"""How a cluster of this driver is, asked over its own API."""

from magnum.drivers.common.kubernetes.monitor import KubernetesMonitor

MONITOR = KubernetesMonitor()
