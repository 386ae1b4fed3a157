"""Requests for the actions on a bay's nodes (microversion 1.15)."""

import functools
from typing import Final

from magnum.api.schemas.base import Properties, Schema, integer, mandatory, text
from magnum.drivers.contract import Verb

#: Names or ids of nodes; null, or nothing, means all of them.
NODES: Final = {
    "type": ["array", "null"],
    "items": {"type": "string", "minLength": 1, "maxLength": 255},
    "minItems": 1,
    "maxItems": 1000,
    "uniqueItems": True,
}

#: Nodes that are worked on at the same time; masters always go one at a time.
_ORDERLY: Properties = {"nodes": NODES, "batch_size": integer(1, 1000)}

#: Ids of servers, or numbers of nodes in their group as text; null, or nothing, means none.
_LEAVING: Final = {
    "type": ["array", "null"],
    "items": {"type": "string", "minLength": 1, "maxLength": 255},
    "maxItems": 1000,
}


@functools.cache
def resize(least: int) -> Schema:
    """Another number of nodes in a group, ``least`` or more (contract 2.4)."""
    properties: Properties = {
        "node_count": mandatory(integer(least)),
        "nodes_to_remove": _LEAVING,
        "nodegroup": text(),
    }
    return Schema(properties, ("node_count",))


@functools.cache
def upgrade(baymodel: str) -> Schema:
    """Another baymodel, under the key that the client's family has for it (contract 2.4)."""
    properties: Properties = {
        baymodel: mandatory(text()),
        "max_batch_size": integer(1),
        "nodegroup": text(),
    }
    return Schema(properties, (baymodel,))


#: The body of each action; none at all is as good as an empty one.
ACTIONS: Final = {
    Verb.REBUILD: Schema(_ORDERLY),
    Verb.SOFT_REBOOT: Schema(_ORDERLY),
    Verb.HARD_REBOOT: Schema(_ORDERLY),
    Verb.CHECK: Schema({}),
}
