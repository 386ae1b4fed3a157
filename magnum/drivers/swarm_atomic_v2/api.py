"""The driver's own endpoints: ``info`` and ``join-command``, as all our Swarm drivers have them."""

from magnum.drivers.common.swarm.endpoints import ENDPOINTS

__all__ = ["ENDPOINTS"]
