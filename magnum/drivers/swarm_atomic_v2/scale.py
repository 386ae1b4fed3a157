"""Which nodes of this driver's bays may go: as all our Swarm drivers choose them."""

from magnum.drivers.common.swarm.scale import SwarmScaler

SCALER = SwarmScaler()
