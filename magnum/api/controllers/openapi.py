"""The OpenAPI document, for anybody."""

import functools
from collections.abc import Callable, Iterable
from typing import Any

from magnum.api.controllers.base import Request, Response
from magnum.api.microversions import Version
from magnum.api.openapi import document
from magnum.api.routing import Route


class OpenApiController:
    """Answers with the document of the version that is asked for; each is put together once."""

    def __init__(self, routes: Callable[[], Iterable[Route]]) -> None:
        """:param routes: gives the table, this controller's own route among it."""
        self._routes = routes
        self._document = functools.cache(self._put_together)

    def show(self, request: Request, response: Response) -> Response:
        """``GET``"""
        request.query()
        found = self._document(request.version)
        return response.send({**found, "servers": document.servers(request.base)})

    def _put_together(self, version: Version) -> dict[str, Any]:
        return document.of(self._routes(), version, "")
