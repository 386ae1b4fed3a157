"""Drivers, and the endpoints that they bring."""

from typing import Any, Final

from magnum.api.openapi.described import Argument, Body, Described, Key
from magnum.api.openapi.shapes import (
    ANY_OBJECT,
    FLAG,
    LINKS,
    TEXT,
    Shape,
    closed,
    either,
    several,
    thing,
    word,
)
from magnum.api.spelling import Spelling
from magnum.drivers.contract import Verb, Who

_ENDPOINT: Final = {
    "name": TEXT,
    "method": word(("GET", "POST")),
    "help": TEXT,
    "who": word(Who),
    "secret": FLAG,
    "request": {**ANY_OBJECT, "description": "JSON schema of the query or body."},
    "response": {**ANY_OBJECT, "description": "JSON schema of the answer."},
}
_SHORT: Final[dict[str, Any]] = {
    "name": TEXT,
    "driver_version": TEXT,
    "template_version": TEXT,
    "contract": TEXT,
    "provides": several(closed({"server_type": TEXT, "os_distro": TEXT, "coe": TEXT})),
    "verbs": several(word(Verb)),
    "usable": {"const": True},
    "links": LINKS,
}
_BROKEN: Final = thing(
    "BrokenDriver",
    "A driver that cannot be used, for those who may know why.",
    {"name": TEXT, "usable": {"const": False}, "reason": TEXT, "links": LINKS},
)
_FULL: Final = thing(
    "Driver",
    "A driver with the JSON schema of its options, and its endpoints.",
    {**_SHORT, "schema": ANY_OBJECT, "endpoints": several(closed(_ENDPOINT))},
)
_IN_LIST: Final = thing("DriverLine", "What a list shows of a driver.", _SHORT)


def drivers() -> dict[Key, Described]:
    """The routes of drivers."""
    return {
        ("GET", "/v1/drivers"): Described(
            "List the drivers.", {200: closed({"drivers": several(either(_IN_LIST, _BROKEN))})}
        ),
        ("GET", "/v1/drivers/{}"): Described("Show a driver.", {200: either(_FULL, _BROKEN)}),
    }


def described(words: Spelling) -> dict[Key, Described]:
    """The endpoints below a bay. What they take and answer is the driver's own."""
    at = f"/v1/{words.bays}/{{}}/ext"
    endpoint: Shape = thing(
        f"{words.bay.capitalize()}Endpoint",
        f"An endpoint of the driver of a {words.bay}.",
        {
            **_ENDPOINT,
            "driver": TEXT,
            "path": {**TEXT, "description": "Relative to the URL of the version."},
            "links": LINKS,
        },
    )
    by_driver = Argument(
        {"type": "object", "additionalProperties": TEXT}, "As the endpoint's own schema says."
    )
    call = Described("Call an endpoint of the driver.", {200: ANY_OBJECT}, errors=(405, 409, 502))
    return {
        ("GET", at): Described(
            f"List the endpoints of the driver of a {words.bay}.",
            {200: closed({"endpoints": several(endpoint)})},
            errors=(409,),
        ),
        ("GET", f"{at}/{{}}/{{}}"): Described(
            call.summary, call.answers, {"arguments": by_driver}, errors=call.errors
        ),
        ("POST", f"{at}/{{}}/{{}}"): Described(
            call.summary, call.answers, body=Body(ANY_OBJECT, required=False), errors=call.errors
        ),
    }
