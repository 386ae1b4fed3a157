"""The world of drivers whose templates are made of the shared parts: what stacks of masters and nodes put out.

A driver's ``conformance.py`` derives its ``World`` from :class:`ClusterWorld`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from magnum.drivers.conformance.fake_heat import FakeHeatStack
from magnum.drivers.conformance.fake_nova import FakeServer
from magnum.drivers.conformance.heat_world import HeatWorld
from magnum.drivers.contract import MASTER, WORKER

#: What the template calls the nodes of each role, in the order of the numbers in their addresses and ids.
_WORDS = {"master": MASTER, "node": WORKER}


class ClusterWorld(HeatWorld):
    """A cloud in which stacks have as many masters and nodes as they were given."""

    def outputs(self, stack: FakeHeatStack) -> Mapping[str, Any]:
        """The outputs of a complete stack, with addresses that are nobody's; no API listens at this host's."""
        found: dict[str, Any] = {"api_address": "127.0.0.1"}
        for number, word in enumerate(_WORDS, 1):
            indexes = range(int(stack.parameters[f"{word}_count"]))
            found |= {
                f"{word}_addresses": [f"192.0.2.{number}{index}" for index in indexes],
                f"{word}_private_addresses": [f"10.0.0.{number}{index}" for index in indexes],
                f"{word}_refs_map": {str(index): _ident(number, index) for index in indexes},
            }
        found["node_groups"] = [
            _told(place, one) for place, one in enumerate(_others(stack), len(_WORDS) + 1)
        ]
        return found

    def servers(self, stack: FakeHeatStack) -> Iterator[FakeServer]:
        """The servers of the nodes."""
        prefix = stack.parameters["name_prefix"]
        for number, (word, role) in enumerate(_WORDS.items(), 1):
            for index in range(int(stack.parameters[f"{word}_count"])):
                yield FakeServer(f"{prefix}-{word}-{index}", _ident(number, index), role)


def _others(stack: FakeHeatStack) -> list[Mapping[str, Any]]:
    """The groups beside the default ones, by their places."""
    given = stack.parameters.get("node_groups", [])
    found: list[Mapping[str, Any]] = json.loads(given) if isinstance(given, str) else given
    return found


def _told(number: int, group: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a stack puts out of one of these."""
    indexes = range(int(group["node_count"]))
    return {
        "uuid": group["uuid"],
        "stack_id": f"stack-of-group-{number}",
        "addresses": [f"192.0.2.{number}{index}" for index in indexes],
        "nodes": {str(index): _ident(number, index) for index in indexes},
    }


def _ident(number: int, index: int) -> str:
    return f"00000000-0000-4000-{number:04}-{index:012}"
