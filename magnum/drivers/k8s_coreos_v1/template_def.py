"""How a bay of this driver becomes parameters of ``templates/cluster.yaml``."""

from magnum.drivers.common.kubernetes.template import KubernetesTemplate
from magnum.drivers.common.options import Options


class CoreosTemplate(KubernetesTemplate):
    """The template of a Kubernetes bay on machines with Ignition. Every script is sent compressed, as it takes them."""

    package = __package__
    options = Options(__package__)
    packed = ("common/",)
