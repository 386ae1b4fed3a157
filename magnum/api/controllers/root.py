"""Discovery: what anybody may know, without a token (contract 1.1)."""

from collections.abc import Iterable

from magnum.api.controllers.base import Request, Response
from magnum.api.views import discovery


class DiscoveryController:
    """The service and its versions."""

    def __init__(self, collections: Iterable[str]) -> None:
        self._collections = tuple(collections)

    def versions(self, request: Request, response: Response) -> Response:
        """``GET /``"""
        return response.send(discovery.versions(request.base))

    def v1(self, request: Request, response: Response) -> Response:
        """``GET /v1``"""
        return response.send(discovery.v1(request.base, self._collections))
