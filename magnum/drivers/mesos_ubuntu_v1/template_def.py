"""How a Mesos bay becomes the parameters of ``templates/cluster.yaml``, and how outputs become facts."""

import json
from collections.abc import Mapping
from typing import Any

from magnum.drivers.common.mesos.template import MesosClusterTemplate
from magnum.drivers.common.options import Options
from magnum.drivers.contract import InvalidOption, Work

OPTIONS = Options(__package__)


class MesosTemplate(MesosClusterTemplate):
    """The template of a Mesos bay. The cluster's API is Marathon's; Mesos's own is on port 5050."""

    package = __package__
    options = OPTIONS
    engine = "Mesos"
    api_port = 8080
    taken = frozenset({2181, 2888, 3888, 5050, 15050, 18080})

    def own_parameters(self, work: Work) -> Mapping[str, Any]:
        """Nothing beside what all such clusters have. Raises InvalidOption for what Mesos would not start with."""
        _check_variables(self.options.read(work.bay.labels)["mesos_slave_executor_env_variables"])
        return super().own_parameters(work)


def _check_variables(text: str | None) -> None:
    """Mesos takes a JSON object of texts, and does not start with anything else."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise InvalidOption(
            "The option 'mesos_slave_executor_env_variables' has to be a JSON object of texts, "
            'such as {"PATH": "/usr/bin"}.',
            option="mesos_slave_executor_env_variables",
        )
