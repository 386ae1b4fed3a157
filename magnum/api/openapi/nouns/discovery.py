"""Discovery (contract 1.1), and this document itself."""

from typing import Final

from magnum.api.openapi.described import Described, Key
from magnum.api.openapi.shapes import ANY_OBJECT, LINKS, TEXT, URL, closed, several, thing, word

_VERSIONS: Final = thing(
    "Versions",
    "The service and the versions of its API.",
    {
        "name": TEXT,
        "description": TEXT,
        "versions": several(
            closed(
                {
                    "id": TEXT,
                    "status": word(["CURRENT"]),
                    "min_version": TEXT,
                    "max_version": TEXT,
                    "links": LINKS,
                }
            )
        ),
    },
)
_V1: Final = {
    "title": "Version1",
    "description": "What is found under v1: two links for each collection.",
    "type": "object",
    "properties": {
        "id": word(["v1"]),
        "media_types": several(closed({"base": TEXT, "type": TEXT})),
        "links": several(closed({"href": URL, "rel": TEXT, "type": TEXT}, optional=("type",))),
        "nodegroups": {
            **TEXT,
            "description": "Not a collection of its own: the pattern of its paths.",
        },
    },
    "required": ["id", "media_types", "links", "nodegroups"],
    "additionalProperties": LINKS,
}


def described() -> dict[Key, Described]:
    """The open routes."""
    return {
        ("GET", "/"): Described("Show which versions of the API there are.", {200: _VERSIONS}),
        ("GET", "/v1"): Described("Show what there is under v1.", {200: _V1}),
        ("GET", "/v1/openapi.json"): Described(
            "Show this document, for the microversion that is asked for.", {200: ANY_OBJECT}
        ),
    }
