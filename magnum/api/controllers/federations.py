"""Federations: a collection that clients may look at and that is always empty (contract 2.10)."""

from magnum.api.controllers.base import Request, Response, authorize


class FederationsController:
    """What stands for federations, which no service of this kind ever made."""

    def index(self, request: Request, response: Response) -> Response:
        """``GET`` and ``GET /detail``: an empty list."""
        request.query(("limit", "marker", "sort_key", "sort_dir"))
        authorize(request)
        return response.send({"federations": []})
