"""Which errors a route may answer with, and what they look like (contract 1.5)."""

from typing import Final

from magnum.api.microversions import MINIMUM
from magnum.api.openapi.described import Described
from magnum.api.openapi.shapes import ANY_OBJECT, TEXT, URL, Shape, closed, either, several, thing
from magnum.api.routing import Route

MEANINGS: Final = {
    400: "The request cannot be carried out as it is written; `field` points at what is wrong where that is known.",
    401: "There is no token, or it does not hold.",
    403: "Policy does not allow it, or the project's quota is exhausted.",
    404: "There is no such thing, or it is another project's; or the version in use does not have the path.",
    405: "The path is there, the method is not; `Allow` says which are.",
    406: "The header OpenStack-API-Version cannot be read or asks for a version that is not served, or Accept wants"
    " something else than JSON.",
    409: "It contradicts what is there: a name that fits several things, a duplicate, a state that does not allow it.",
    413: "The body is longer than the operator allows.",
    415: "The body is not JSON by its Content-Type.",
    500: "The service has met a fault of its own.",
    502: "The bay's driver has met a fault of its own.",
    503: "Something that the request needs does not answer at present: the database, Keystone, another service of the"
    " cloud, a conductor.",
}

_ERROR: Final = thing(
    "Error",
    "Why a request failed.",
    {
        "request_id": {**TEXT, "description": "The request's own id, under which logs have it."},
        "code": {
            "enum": ["client", "server", ""],
            "description": "Whose fault it is; empty for errors of the protocol.",
        },
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "title": {**TEXT, "description": "The detail up to its first full stop."},
        "detail": TEXT,
        "links": several(ANY_OBJECT),
        "reason": {
            "type": "string",
            "pattern": "^[A-Z][A-Z0-9_]*$",
            "description": "A code that does not change, for programs.",
        },
        "field": {
            **TEXT,
            "description": "JSON pointer into the body, or the argument's name; empty for the body as a whole.",
        },
    },
    optional=("field",),
)
_UNSERVED: Final = thing(
    "VersionNotServed",
    "The microversion that was asked for is not served.",
    {
        "code": {"const": "magnum.microversion-unsupported"},
        "title": TEXT,
        "description": TEXT,
        "max_version": TEXT,
        "min_version": TEXT,
        "links": several(closed({"rel": TEXT, "href": URL})),
    },
)
_UNAUTHENTICATED: Final = thing(
    "Unauthenticated",
    "What the token check of OpenStack's services answers.",
    {"error": closed({"code": {"const": 401}, "title": TEXT, "message": TEXT})},
)


def _one(error: Shape) -> Shape:
    return closed({"errors": {"type": "array", "items": error, "minItems": 1, "maxItems": 1}})


#: The body of an error.
ERRORS: Final = thing("Errors", "The one error that a request has met.", _one(_ERROR)["properties"])
UNSERVED: Final = thing(
    "UnservedVersion", "A request for another version.", _one(_UNSERVED)["properties"]
)


def body(status: int) -> Shape:
    """The shape of an error's body."""
    if status == 401:
        return _UNAUTHENTICATED
    return either(ERRORS, UNSERVED) if status == 406 else ERRORS


def of(route: Route, described: Described) -> list[int]:
    """Every status of failure that a route may answer with."""
    found = {400, 406, 500, 503, *described.errors}
    if route.policy is not None:
        found |= {401, 403}
    if "{}" in route.segments or "sort_key" in described.query or route.since > MINIMUM:
        found.add(404)
    if described.body is not None:
        found |= {413, 415}
    return sorted(found)
