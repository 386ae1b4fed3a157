"""How a DC/OS bay becomes the parameters of ``templates/cluster.yaml``, and how outputs become facts."""

from collections.abc import Mapping
from typing import Any

from magnum.drivers.common.mesos.template import MesosClusterTemplate
from magnum.drivers.common.options import Options
from magnum.drivers.contract import InvalidOption, Work

OPTIONS = Options(__package__)
#: Where DC/OS's Admin Router listens. It cannot be told otherwise.
ADMIN_ROUTER = 80


class DcosTemplate(MesosClusterTemplate):
    """The template of a DC/OS bay. With TLS a gate on ``api_port`` stands before Admin Router."""

    package = __package__
    options = OPTIONS
    engine = "DC/OS"
    api_port = 8443
    taken = frozenset({2181, 2888, 3888, 5050, 5051, 8080, 8181, 9090})

    def port(self, work: Work) -> int:
        """The gate's port; Admin Router's own without TLS."""
        return ADMIN_ROUTER if work.baymodel.tls_disabled else super().port(work)

    def own_parameters(self, work: Work) -> Mapping[str, Any]:
        """Nothing of its own. Raises InvalidOption for a port that DC/OS cannot be given."""
        if work.baymodel.tls_disabled and work.baymodel.apiserver_port:
            raise InvalidOption(
                f"Without TLS DC/OS is on port {ADMIN_ROUTER} of the masters: leave apiserver_port out."
            )
        return super().own_parameters(work)
