"""Our own processes: which conductors there are, and whether they report (contract 2.7)."""

from magnum.api.controllers.base import Request, Response, authorize
from magnum.api.views import mservices as view
from magnum.conf import CONF
from magnum.db import services as store


class MServicesController:
    """The conductors."""

    def index(self, request: Request, response: Response) -> Response:
        """``GET``: all of them, one entry for each host."""
        request.query()
        authorize(request)
        found = store.seen(request.caller, CONF.service_down_time)
        return response.send({"mservices": [view.one(seen) for seen in found]})
