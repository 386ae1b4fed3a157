"""Discovery, and the root that Pecan routes from."""

from collections.abc import Iterable
from typing import Any

from magnum.api.controllers.base import Request, Response, endpoint
from magnum.api.http import SEGMENTS
from magnum.api.routing import Route, Router
from magnum.api.views import discovery


class Root:
    """Pecan's root: every path is looked up in the table of routes."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._router = Router(routes)

    @endpoint
    def _route(self, segments: list[str], request: Request) -> tuple[Any, list[str]]:
        """Called by Pecan to find the handler and its arguments."""
        route, arguments = self._router.match(request.method, request.environ[SEGMENTS])
        request.route = route
        return route.handler, arguments


class DiscoveryController:
    """What anybody may know, without a token."""

    def __init__(self, collections: Iterable[str]) -> None:
        self._collections = tuple(collections)

    @endpoint
    def versions(self, request: Request, response: Response) -> Response:
        """``GET /``"""
        return response.send(discovery.versions(request.base))

    @endpoint
    def v1(self, request: Request, response: Response) -> Response:
        """``GET /v1``"""
        return response.send(discovery.v1(request.base, self._collections))
