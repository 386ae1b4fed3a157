"""What the conformance suite has to know of this driver: the outputs and servers of a complete stack.

Only ``magnum-driver-manage conformance`` loads this module, the service does not.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from magnum.drivers.conformance.fake_heat import FakeHeatStack
from magnum.drivers.conformance.fake_nova import FakeServer
from magnum.drivers.conformance.heat_world import HeatWorld
from magnum.drivers.contract import MASTER, WORKER


class World(HeatWorld):
    """A cloud in which stacks of this driver's template have as many nodes as they were given."""

    def outputs(self, stack: FakeHeatStack) -> Mapping[str, Any]:
        """What the template's outputs are in a cloud, with addresses that are nobody's."""
        groups = {"master": "master_count", "node": "node_count"}
        found: dict[str, Any] = {"api_address": "192.0.2.1"}
        for number, (role, count) in enumerate(groups.items(), 1):
            indexes = range(int(stack.parameters[count]))
            found |= {
                f"{role}_addresses": [f"192.0.2.{number}{index}" for index in indexes],
                f"{role}_private_addresses": [f"10.0.0.{number}{index}" for index in indexes],
                f"{role}_refs_map": {str(index): _ident(number, index) for index in indexes},
            }
        return found

    def servers(self, stack: FakeHeatStack) -> Iterator[FakeServer]:
        """The servers of the nodes."""
        prefix = stack.parameters["name_prefix"]
        for number, (word, role) in enumerate((("master", MASTER), ("node", WORKER)), 1):
            for index in range(int(stack.parameters[f"{word}_count"])):
                yield FakeServer(f"{prefix}-{word}-{index}", _ident(number, index), role)


def _ident(number: int, index: int) -> str:
    return f"00000000-0000-4000-{number:04}-{index:012}"
