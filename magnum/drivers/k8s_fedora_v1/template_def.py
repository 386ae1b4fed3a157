"""How a bay of this driver becomes parameters of ``templates/cluster.yaml``."""

from magnum.drivers.common.kubernetes.template import KubernetesTemplate
from magnum.drivers.common.options import Options


class FedoraTemplate(KubernetesTemplate):
    """The template of a Kubernetes bay on virtual machines."""

    package = __package__
    options = Options(__package__)
