"""How the bays of this driver are watched: as all our Swarm drivers' are."""

from magnum.drivers.common.swarm.monitor import SwarmMonitor

MONITOR = SwarmMonitor()
