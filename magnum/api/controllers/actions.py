"""Actions on a bay that change nothing of its specification: its nodes are rebuilt or restarted, or it is looked at."""

from collections.abc import Callable

from magnum.api.controllers.base import Request, Response, authorize, owner, sees_all_projects
from magnum.api.controllers.bays import check_driver_can, send_accepted
from magnum.api.schemas.actions import ACTIONS
from magnum.db import bays as store
from magnum.drivers.contract import Verb
from magnum.lifecycle import submit


def of(verb: Verb) -> Callable[[Request, Response, str], Response]:
    """The handler of ``POST /{bay}/actions/{verb}``: 202 with the uuids of the bay and of the operation.

    It waits behind what is under way. Raises BadRequest for a driver without the verb, WrongStatus or InTheWay where
    the bay's state does not allow it.
    """
    schema = ACTIONS[verb]

    def handler(request: Request, response: Response, ident: str) -> Response:
        request.query()
        body = request.document()
        wanted = schema.read({} if body is None else body)
        bay = store.get(request.caller, ident, all_projects=sees_all_projects(request))
        authorize(request, owner(bay))
        check_driver_can(bay, verb)
        parameters = {name: value for name, value in wanted.items() if value is not None}
        operation = submit.act(request.caller, bay, verb, parameters)
        return send_accepted(request, response, bay, operation)

    return handler
