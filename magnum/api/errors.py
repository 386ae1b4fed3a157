"""Error bodies (contract 1.5): the one place where an error becomes what a client reads."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from magnum.api import microversions
from magnum.common import errors


class RouteNotFound(errors.NotFound):
    """There is no such path."""

    code = "ROUTE_NOT_FOUND"


class MalformedBody(errors.BadRequest):
    """The body is not what this request takes, as a whole: not JSON, no body, too large."""

    code = "MALFORMED_BODY"


class BodyTooLarge(errors.MagnumError):
    """The body is longer than the operator allows."""

    code = "BODY_TOO_LARGE"
    status = 413


class NotMethod(errors.MethodNotAllowed):
    """The path is there, the method is not; ``allowed`` are the methods it has."""

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"The method {method} is not allowed here. Allowed: {', '.join(allowed)}.")
        self.allowed = allowed


#: Errors of the protocol, before any handler. They have no ``code`` on the wire.
_OF_THE_PROTOCOL = (
    RouteNotFound,
    errors.MethodNotAllowed,
    errors.NotAcceptable,
    errors.UnsupportedMediaType,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """An error as it goes out."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


def answer(error: errors.MagnumError, request_id: str, base: str) -> Answer:
    """The answer for an error.

    :param base: URL of the application, for the link that helps with versions.
    """
    if isinstance(error, microversions.VersionNotServed):
        entry = _version_not_served(error, base)
    else:
        entry = _entry(error, request_id)
    body = json.dumps({"errors": [entry]}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    if isinstance(error, NotMethod):
        headers.append(("Allow", ", ".join(error.allowed)))
    return Answer(status_line(error.status), headers, body)


def status_line(status: int) -> str:
    """A status as WSGI wants it, for example ``404 Not Found``."""
    return f"{status} {HTTPStatus(status).phrase}"


def _entry(error: errors.MagnumError, request_id: str) -> dict[str, Any]:
    side = "server" if error.status >= 500 else "client"
    entry = {
        "request_id": request_id,
        "code": "" if isinstance(error, _OF_THE_PROTOCOL) else side,
        "status": error.status,
        "title": error.text.partition(".")[0],
        "detail": error.text,
        "links": [],
        "reason": error.code,
    }
    if error.field is not None:
        entry["field"] = error.field
    return entry


def _version_not_served(error: errors.MagnumError, base: str) -> dict[str, Any]:
    return {
        "code": "magnum.microversion-unsupported",
        "title": "Requested microversion is unsupported",
        "description": error.text,
        "max_version": str(microversions.MAXIMUM),
        "min_version": str(microversions.MINIMUM),
        "links": [{"rel": "help", "href": f"{base}/"}],
    }
