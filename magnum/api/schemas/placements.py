"""Requests to try a placement (microversion 1.15)."""

from typing import Final

from magnum.api.schemas.base import Schema, integer, text

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
    }
)
