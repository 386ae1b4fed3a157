"""What the conformance suite has to know of this driver: its clusters are of masters and nodes, as others are.

Only ``magnum-driver-manage conformance`` loads this module, the service does not.
"""

from magnum.drivers.conformance.cluster_world import ClusterWorld


class World(ClusterWorld):
    """A cloud with clusters of this driver."""
