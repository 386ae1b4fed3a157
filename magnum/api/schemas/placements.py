"""Requests to try a placement (microversion 1.15), and the hints of a request that makes a bay."""

from typing import Any, Final

from magnum.api.schemas.base import Schema, integer, text

_ZONES: Final = {"type": "string", "minLength": 1, "maxLength": 255}

#: Where a bay is wanted. Names beyond these are for filters, weighers and drivers of the operator's.
HINTS: Final[dict[str, Any]] = {
    "type": ["object", "null"],
    "maxProperties": 32,
    "propertyNames": {"minLength": 1, "maxLength": 255},
    "properties": {
        "availability_zone": {
            "anyOf": [_ZONES, {"type": "array", "items": _ZONES, "minItems": 1, "maxItems": 32}]
        },
        "spread": {"enum": ["masters", "all", "none"]},
        "group": {"enum": ["project"]},
        "region": {"type": "string", "minLength": 1, "maxLength": 255},
    },
}

#: A baymodel that says the rest, or what a baymodel would say; what is given here goes first.
TRY: Final = Schema(
    {
        "baymodel_id": text(),
        "driver": text(),
        "coe": text(),
        "server_type": text(),
        "cluster_distro": text(),
        "node_count": integer(0),
        "master_count": integer(1),
        "hints": HINTS,
    }
)
