"""Drivers: which there are, what they build, and the options and endpoints that they bring."""

from magnum.api.controllers.base import Request, Response, authorize
from magnum.api.views import drivers as view
from magnum.common import errors
from magnum.drivers import catalogue
from magnum.policies import enforcer


class DriverNotFound(errors.NotFound):
    """There is no driver of this name."""

    code = "DRIVER_NOT_FOUND"


class DriversController:
    """What the catalogue of this process has."""

    def index(self, request: Request, response: Response) -> Response:
        """``GET``: all drivers that can be used; for who may know, also the others, with the reason."""
        request.query()
        authorize(request)
        known, base = catalogue.catalogue(), request.base
        found = [view.short(known.get(name), base) for name in known.names()]
        if _sees_broken(request):
            found += [view.broken(name, why, base) for name, why in sorted(known.broken().items())]
        return response.send({"drivers": found})

    def show(self, request: Request, response: Response, name: str) -> Response:
        """``GET /{driver}``: with the schema of its options, and its endpoints."""
        request.query()
        authorize(request)
        known = catalogue.catalogue()
        try:
            return response.send(view.full(known.get(name), request.base))
        except catalogue.DriverMissing as error:
            if error.reason and _sees_broken(request):
                return response.send(view.broken(name, error.reason, request.base))
            raise DriverNotFound(f"Driver {name} could not be found.") from error


def _sees_broken(request: Request) -> bool:
    return enforcer.permits(request.caller, "driver:get_broken")
