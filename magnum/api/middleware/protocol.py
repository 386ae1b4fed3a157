"""The protocol's own rules, before anybody looks at a token: the path, the microversion, the type of the answer."""

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from webob import acceptparse

from magnum.api import errors as api_errors
from magnum.api import microversions
from magnum.api.http import ASKED, JSON, SEGMENTS, unstorable
from magnum.common import errors

ROOT = "v1"


class Protocol:
    """Read path, version and Accept; add the version's headers to every answer under v1."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        segments = _segments(environ)
        environ[SEGMENTS] = segments
        # From here on there is one spelling of each path, for the token's access rules too.
        environ["PATH_INFO"] = "/" + "/".join(segments).encode().decode("latin-1")
        if not segments:
            _check_accept(environ)
            return self._app(environ, start_response)

        asked = microversions.asked(environ.get("HTTP_OPENSTACK_API_VERSION"))
        environ[ASKED] = asked
        if not asked.served:
            raise microversions.VersionNotServed(asked)
        _check_accept(environ)
        versions = asked.headers()

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, [*headers, *versions], exc_info)

        return self._app(environ, start)


def _segments(environ: WSGIEnvironment) -> tuple[str, ...]:
    """The path in pieces. Slashes at the end or doubled say nothing; what does not begin with v1 means it all the same.

    Raises RouteNotFound for a path that is not text.
    """
    try:
        path = environ.get("PATH_INFO", "").encode("latin-1").decode()
    except UnicodeError as error:
        raise api_errors.RouteNotFound("There is no such path.") from error
    if unstorable(path):
        raise api_errors.RouteNotFound("There is no such path.")
    segments = tuple(segment for segment in path.split("/") if segment)
    if segments and segments[0] != ROOT:
        return (ROOT, *segments)
    return segments


def _check_accept(environ: WSGIEnvironment) -> None:
    accept = environ.get("HTTP_ACCEPT")
    if not accept or accept in ("*/*", JSON):
        return
    # A header that cannot be read accepts everything.
    if not acceptparse.create_accept_header(accept).acceptable_offers([JSON]):
        raise errors.NotAcceptable(f"Answers are of type {JSON} only, asked for was {accept!a}.")
