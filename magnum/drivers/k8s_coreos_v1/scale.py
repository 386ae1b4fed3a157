"""Which workers of this driver's clusters may go, and how many are lacking."""

from magnum.drivers.common.kubernetes.scale import KubernetesScaler

SCALER = KubernetesScaler()
