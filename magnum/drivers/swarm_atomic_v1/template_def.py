"""The template of this driver's bays: the Swarm drivers' definition with our options."""

from magnum.drivers.common.options import Options
from magnum.drivers.common.swarm.template import SwarmTemplate


class Template(SwarmTemplate):
    """``templates/cluster.yaml`` with the options of ``schema.json``."""

    package = __package__
    options = Options(__package__)
