"""What a bay is made of in effect."""

from magnum.api.bay_changes import driver_of
from magnum.api.controllers.base import Request, Response, authorize, owner, sees_all_projects
from magnum.api.spelling import Spelling
from magnum.api.views import effective as view
from magnum.conf import CONF
from magnum.db import bays as store


class EffectiveController:
    """In the words of one family of clients."""

    def __init__(self, spelling: Spelling) -> None:
        self._spelling = spelling

    def show(self, request: Request, response: Response, ident: str) -> Response:
        """``GET /{bay}/effective``: every attribute, option and label with its value and origin."""
        request.query()
        bay = store.get(request.caller, ident, all_projects=sees_all_projects(request))
        authorize(request, owner(bay))
        default = CONF.lifecycle.default_deadline
        return response.send(view.of_bay(bay, driver_of(bay), self._spelling, default))
