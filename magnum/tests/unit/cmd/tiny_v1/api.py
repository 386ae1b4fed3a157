"""An endpoint of its own."""

from collections.abc import Mapping
from typing import Any

from magnum.drivers.contract import Endpoint, Work


def _size(work: Work, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"nodes": sum(group.node_count for group in work.node_groups)}


ENDPOINTS = (
    Endpoint(
        "size",
        "How many nodes the cluster has.",
        _size,
        response={"type": "object", "properties": {"nodes": {"type": "integer"}}},
    ),
)
