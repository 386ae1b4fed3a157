"""An Octavia worker that makes nothing but keeps its word about addresses.

``python -P tools/openstack/octavia_worker.py --config-file octavia.conf`` is ``octavia-worker`` on the drivers that do
nothing, except that the address of a load balancer and its port are those of Neutron, where the API made the port: the
network driver that does nothing would put an address of its own in their place. A script for the environments that
hold Octavia; it imports nothing of ours. Checked against Octavia 19; one without these places fails at the start.
"""

import functools
import importlib
from typing import Any

_DRIVERS = "octavia.network.drivers"


def keep_addresses() -> None:
    """Ask Neutron for the addresses of load balancers in this process. Call it before the worker starts."""
    idle: Any = importlib.import_module(f"{_DRIVERS}.noop_driver.driver")
    real: Any = importlib.import_module(f"{_DRIVERS}.neutron.allowed_address_pairs")
    neutron = functools.cache(
        real.AllowedAddressPairsDriver
    )  # when the configuration has been read
    driver = idle.NoopNetworkDriver
    for name in ("allocate_vip", "deallocate_vip"):
        if not callable(getattr(driver, name, None)):
            raise AttributeError(f"this Octavia's {driver.__name__} has no {name}")
    driver.allocate_vip = lambda self, balancer: neutron().allocate_vip(balancer)
    driver.deallocate_vip = lambda self, vip: neutron().deallocate_vip(vip)


def main() -> None:
    """Run as a script."""
    worker: Any = importlib.import_module("octavia.cmd.octavia_worker")
    keep_addresses()
    worker.main()


if __name__ == "__main__":
    main()
