"""Placements: how a driver was, or would be, chosen."""

from typing import Final

from magnum.api.openapi.described import Described, Key, whole
from magnum.api.openapi.shapes import (
    ANY_OBJECT,
    COUNT,
    NUMBER,
    TEXT,
    TEXTS,
    closed,
    named,
    or_null,
    several,
    thing,
)
from magnum.api.schemas.placements import TRY

_TEXT = or_null(TEXT)
_CANDIDATE: Final = thing(
    "Candidate",
    "One driver: which filters it passed, what it weighs.",
    {
        "driver": TEXT,
        "driver_version": _TEXT,
        "bays": COUNT,
        "refused_by": TEXTS,
        "passed": several(TEXT),
        "notes": TEXTS,
        "weights": named(closed({"weight": NUMBER, "factor": NUMBER})),
        "total": or_null(NUMBER),
    },
)
_DECISION: Final = {
    "driver": _TEXT,
    "driver_version": _TEXT,
    "candidates": several(_CANDIDATE),
}

#: As a bay shows it.
DECISION: Final = thing("Placement", "The whole reasoning, the best candidate first.", _DECISION)

_ZONE: Final = closed({"name": TEXT, "weight": or_null(NUMBER), "bays": COUNT, "own_bays": COUNT})
_TRIED: Final = thing(
    "TriedPlacement",
    "What would be chosen, and what is known of the zones.",
    {
        **_DECISION,
        "site": closed(
            {"region": _TEXT, "hints": ANY_OBJECT, "zones": several(_ZONE), "decided_by": TEXT}
        ),
    },
)


def described() -> dict[Key, Described]:
    """The one route."""
    return {
        ("POST", "/v1/placements"): Described(
            "Say which driver a bay would get, and why.",
            {200: _TRIED},
            body=whole(TRY, required=False),
        )
    }
