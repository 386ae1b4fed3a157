"""Endpoints that a bay's driver brings. They are shown and checked here; a conductor runs them."""

from collections.abc import Mapping
from typing import Any

from magnum.api import errors as api_errors
from magnum.api.controllers.base import (
    Request,
    Response,
    authorize,
    owner,
    sees_all_projects,
)
from magnum.api.schemas.base import check_storable, refused
from magnum.api.spelling import Spelling
from magnum.api.views import ext as view
from magnum.common import errors
from magnum.db import bays as store
from magnum.db.models import Bay
from magnum.drivers import catalogue, endpoints, options, rules
from magnum.drivers.contract import Driver, Endpoint
from magnum.lifecycle import calls
from magnum.policies import enforcer


class EndpointNotFound(errors.NotFound):
    """The bay's driver has no such endpoint."""

    code = "ENDPOINT_NOT_FOUND"


class DriverMissing(errors.Unavailable):
    """The driver that the bay was made with is not there at present."""

    code = "DRIVER_MISSING"


class ExtensionsController:
    """Endpoints of drivers, below bays in the words of one family of clients."""

    def __init__(self, spelling: Spelling) -> None:
        self._spelling = spelling

    def index(self, request: Request, response: Response, ident: str) -> Response:
        """``GET /{bay}/ext``: every endpoint, with its schemas."""
        request.query()
        bay = _find(request, ident)
        found = view.of_bay(driver_of(bay), bay.uuid, self._spelling, request.base)
        return response.send({"endpoints": found})

    def call(
        self, request: Request, response: Response, ident: str, driver_name: str, name: str
    ) -> Response:
        """``GET`` or ``POST /{bay}/ext/{driver}/{endpoint}``: 200 and what the driver answers."""
        bay = _find(request, ident)
        driver = driver_of(bay)
        method = "GET" if request.method == "HEAD" else request.method
        endpoint = _endpoint(driver, driver_name, name, method)
        rule = rules.of_endpoint(driver, name)
        enforcer.declare(rule)
        enforcer.authorize(request.caller, rule.name, owner(bay))
        asked = _asked(request, endpoint)
        answer = calls.ask(request.caller, bay, f"{method} {name}", asked)
        if endpoint.secret:
            response.headers["Cache-Control"] = "no-store"
        return response.send(answer)


def driver_of(bay: Bay) -> Driver:
    """The driver of a bay. Raises DriverMissing."""
    try:
        return catalogue.catalogue().get(bay.driver)
    except catalogue.DriverMissing as error:
        raise DriverMissing(
            f"The driver {bay.driver} that this bay was made with is not there at present.",
            str(error),
        ) from error


def _find(request: Request, ident: str) -> Bay:
    bay = store.get(request.caller, ident, all_projects=sees_all_projects(request))
    authorize(request, owner(bay))
    return bay


def _endpoint(driver: Driver, driver_name: str, name: str, method: str) -> Endpoint:
    """The endpoint that is meant. Raises EndpointNotFound, NotMethod."""
    served = [one for one in driver.endpoints if one.name == name]
    if driver_name != driver.name or not served:
        raise EndpointNotFound(f"The bay's driver {driver.name} has no such endpoint.")
    found = endpoints.find(driver, name, method)
    if found is None:
        raise api_errors.NotMethod(method, tuple(sorted(one.method for one in served)))
    return found


def _asked(request: Request, endpoint: Endpoint) -> Mapping[str, Any]:
    """What goes to the endpoint, as its schema says it is. Raises InvalidField, BadRequest."""
    if endpoint.method == "GET":
        declared = endpoint.request.get("properties", {})
        query = request.query(declared)
        asked: Any = {name: options.typed(text, declared[name]) for name, text in query.items()}
    else:
        request.query()
        asked = request.document()
        asked = {} if asked is None else asked
        check_storable(asked)
    misfit = endpoints.misfit(endpoint.request, asked)
    if misfit is None:
        found: Mapping[str, Any] = asked
        return found
    if endpoint.secret:  # and so may be what was sent, which must not get into a log
        misfit.message = f"the rule '{misfit.validator}' does not allow it"
    error = refused(misfit)
    if endpoint.method == "GET" and error.field is not None:
        error.field = error.field.removeprefix("/")
    raise error
