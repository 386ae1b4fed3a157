"""Requests for the actions on a bay's nodes (microversion 1.15)."""

from typing import Final

from magnum.api.schemas.base import Properties, Schema, integer
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

#: The body of each action; none at all is as good as an empty one.
ACTIONS: Final = {
    Verb.REBUILD: Schema(_ORDERLY),
    Verb.SOFT_REBOOT: Schema(_ORDERLY),
    Verb.HARD_REBOOT: Schema(_ORDERLY),
    Verb.CHECK: Schema({}),
}
