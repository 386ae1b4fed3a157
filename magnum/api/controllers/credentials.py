"""The credential that a bay's nodes hold: it can be replaced (contract 2.6)."""

from magnum.api.controllers.base import Request, Response, authorize, owner
from magnum.api.controllers.bays import check_driver_can
from magnum.db import bays as store
from magnum.drivers.contract import Verb
from magnum.lifecycle import submit


class CredentialsController:
    """Credentials. Another project's bay is not found, whoever asks."""

    def rotate(self, request: Request, response: Response, ident: str) -> Response:
        """``PATCH /{bay}``: 202 and the bay's uuid; 400 where the driver cannot. A body is not read."""
        request.query()
        bay = store.get(request.caller, ident)
        authorize(request, owner(bay))
        check_driver_can(bay, Verb.ROTATE_CREDENTIALS)
        submit.act(request.caller, bay, Verb.ROTATE_CREDENTIALS, {})
        return response.send_accepted({"uuid": bay.uuid}, None)
