"""The document: every route of one microversion, in the form that OpenAPI 3.1 gives it."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from magnum.api import microversions
from magnum.api.microversions import SERVICES, Version
from magnum.api.openapi import statuses
from magnum.api.openapi.described import Argument, Described, Key
from magnum.api.openapi.nouns import (
    actions,
    baymodels,
    bays,
    certificates,
    discovery,
    extensions,
    nodegroups,
    operations,
    placements,
    quotas,
)
from magnum.api.openapi.paths import Place, place
from magnum.api.openapi.shapes import Shape
from magnum.api.routing import Route
from magnum.api.spelling import BAYS, CLUSTERS
from magnum.version import version_string

OPENAPI: Final = "3.1.0"

_JSON: Final = "application/json"

_DESCRIPTION: Final = """\
Container clusters as a service. This is the API at one microversion, the one in `info.version`; it is asked for with
the header `OpenStack-API-Version`, and without that header answers are those of the lowest version.
`/v1/openapi.json` gives the document of the version that it is asked for.

What a request may hold is said as strictly as the service itself would write it. It reads more than that: numbers and
truth values as text, the empty text as "not given", null for most of what may be left out, labels in a patch as JSON,
as a Python literal or as `k=v,k2=v2`. What these schemas forbid may be accepted all the same, and is refused with 400
where it is not. Answers are exactly as they are described.

`/healthcheck`, for load balancers, stands outside of this document.

HEAD is answered as GET is, without the body. A slash at the end of a path, and a missing `/v1`, change nothing.
"""


class Undescribed(LookupError):
    """A route of the table of which :mod:`magnum.api.openapi.nouns` says nothing."""


def descriptions(version: Version) -> dict[Key, Described]:
    """What is said of every route, also of those that this version does not have."""
    found = {
        **discovery.described(),
        **extensions.drivers(),
        **operations.described(BAYS),
        **certificates.described(),
        **quotas.described(),
        **quotas.around(),
        **placements.described(),
    }
    for words in (BAYS, CLUSTERS):
        found |= {
            **baymodels.described(words, version),
            **bays.described(words, version),
            **operations.of_bay(words),
            **actions.described(words, version),
            **nodegroups.described(words, version),
            **nodegroups.described(words, version),
            **extensions.described(words),
        }
    return found


def of(routes: Iterable[Route], version: Version, base: str) -> dict[str, Any]:
    """The document.

    :param routes: the table.
    :param base: URL of the application, without a slash at the end.

    Raises Undescribed.
    """
    said = descriptions(version)
    schemas: dict[str, Shape] = {}
    errors = {error_name(status): _error(status, schemas) for status in statuses.MEANINGS}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if route.since > version:
            continue
        described = said.get((route.method, route.path))
        if described is None:
            raise Undescribed(f"{route.method} {route.path} is in no module of magnum.api.openapi")
        where = place(route)
        item = paths.setdefault(where.path, {})
        item[route.method.lower()] = _operation(route, described, where, schemas)
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "Magnum",
            "version": str(version),
            "summary": f"Container clusters as a service, of Magnum {version_string()}",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": servers(base),
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": errors,
            "parameters": {"version": _version_parameter(version)},
            "headers": _HEADERS,
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
            },
        },
    }


def servers(base: str) -> list[dict[str, str]]:
    """Where the paths of the document begin.

    :param base: URL of the application.
    """
    return [{"url": base or "/"}]


def _operation(
    route: Route, described: Described, where: Place, schemas: dict[str, Shape]
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": where.name,
        "summary": described.summary,
        "tags": [where.tag],
        "security": [{"token": []}] if route.policy is not None else [],
        "parameters": [
            *where.parameters,
            *(_argument(name, one) for name, one in described.query.items()),
            *([{"$ref": "#/components/parameters/version"}] if where.is_versioned else []),
        ],
        "responses": {},
    }
    if route.policy is not None:
        found["x-policy"] = route.policy
    if described.body is not None:
        schema = _hoisted(described.body.schema, schemas)
        found["requestBody"] = {
            "required": described.body.required,
            "content": {_JSON: {"schema": schema}},
        }
    for status, shape in described.answers.items():
        found["responses"][str(status)] = _answer(status, shape, described, where, schemas)
    for status in statuses.of(route, described):
        error = {"$ref": f"#/components/responses/{error_name(status)}"}
        found["responses"][str(status)] = error
    return found


def error_name(status: int) -> str:
    """What an error's response is called among the components."""
    return HTTPStatus(status).phrase.replace(" ", "")


def _error(status: int, schemas: dict[str, Shape]) -> dict[str, Any]:
    names = {401: ["WWW-Authenticate"], 405: ["Allow"]}.get(status, [])
    return {
        "description": statuses.MEANINGS[status],
        "headers": _headers(["X-Openstack-Request-Id", *names]),
        "content": {_JSON: {"schema": _hoisted(statuses.body(status), schemas)}},
    }


def _argument(name: str, argument: Argument) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": name,
        "in": "query",
        "description": argument.description,
        "schema": argument.schema,
    }
    if argument.schema["type"] == "object":
        described |= {"style": "form", "explode": True}
    return described


def _version_parameter(version: Version) -> dict[str, Any]:
    """The header that asks for this version. Only the lowest one is what a request without it gets."""
    asked = [f"{service} {version}" for service in SERVICES]
    if version == microversions.MAXIMUM:
        asked += [f"{service} latest" for service in SERVICES]
    return {
        "name": microversions.HEADER,
        "in": "header",
        "description": "The microversion that this document is about.",
        "required": version != microversions.MINIMUM,
        "schema": {"type": "string", "enum": asked},
    }


def _answer(
    status: int,
    shape: Shape | None,
    described: Described,
    where: Place,
    schemas: dict[str, Shape],
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": _SUCCESSES[status],
        "headers": _headers(
            [
                "X-Openstack-Request-Id",
                *(_OF_VERSIONS if where.is_versioned else ()),
                *(["Location"] if described.located else []),
            ]
        ),
    }
    if shape is not None:
        found["content"] = {_JSON: {"schema": _hoisted(shape, schemas)}}
    return found


_SUCCESSES: Final = {
    200: "Done.",
    201: "Made.",
    202: "Accepted; it is carried out later.",
    204: "Done, or accepted; there is nothing to show.",
}


def _header(description: str, *, required: bool = True, **schema: Any) -> dict[str, Any]:
    return {
        "description": description,
        "required": required,
        "schema": {"type": "string", **schema},
    }


_SERVED: Final[dict[str, Any]] = {"pattern": rf"^({'|'.join(SERVICES)}) [0-9]+\.[0-9]+$"}
_HEADERS: Final = {
    microversions.HEADER: _header("The version in use.", **_SERVED),
    microversions.MINIMUM_HEADER: _header("The lowest version.", **_SERVED),
    microversions.MAXIMUM_HEADER: _header("The highest version.", **_SERVED),
    "Vary": _header("What answers depend on.", const=microversions.HEADER),
    "X-Openstack-Request-Id": _header("The request's id.", pattern="^req-[0-9a-f-]{36}$"),
    "Location": _header("Where it is, or where to follow it.", required=False),
    "Allow": _header("The methods that the path has.", required=False),
    "WWW-Authenticate": _header("Where to get a token.", required=False),
}
_OF_VERSIONS: Final = (
    microversions.HEADER,
    microversions.MINIMUM_HEADER,
    microversions.MAXIMUM_HEADER,
    "Vary",
)


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _hoisted(shape: Mapping[str, Any], schemas: dict[str, Shape]) -> Shape:
    """The shape with every part that has a title moved to the components.

    Raises ValueError where two different ones have the same title.
    """
    found: Shape = {
        key: _hoisted(value, schemas)
        if isinstance(value, Mapping)
        else [_hoisted(one, schemas) if isinstance(one, Mapping) else one for one in value]
        if isinstance(value, list | tuple)
        else value
        for key, value in shape.items()
    }
    title = found.get("title")
    if not isinstance(title, str):
        return found
    del found["title"]
    if schemas.setdefault(title, found) != found:
        raise ValueError(f"two different schemas are called {title}")
    return {"$ref": f"#/components/schemas/{title}"}
