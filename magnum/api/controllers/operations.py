"""Operations: what is being done, was done and waits to be done about bays."""

from magnum.api import paging
from magnum.api.controllers.base import (
    Request,
    Response,
    authorize,
    owner,
    sees_all_projects,
    sees_operator_text,
)
from magnum.api.spelling import Spelling
from magnum.api.views import collection
from magnum.api.views import operations as view
from magnum.db import history
from magnum.db.models import Operation
from magnum.lifecycle import submit


class OperationsController:
    """Operations in the words of one family of clients."""

    def __init__(self, spelling: Spelling) -> None:
        self._spelling = spelling

    def index(self, request: Request, response: Response, bay: str) -> Response:
        """``GET /{bay}/operations``: a page of them, the oldest first; of a bay that has gone, too."""
        page = paging.page_of(request, history.OPERATION_SORT_KEYS)
        subject = history.subject(request.caller, bay, all_projects=sees_all_projects(request))
        authorize(request, owner(subject))
        for_operator = sees_operator_text(request, subject)
        base = request.base
        items = [
            view.full(operation, self._spelling, base, for_operator=for_operator)
            for operation in history.operations(request.caller, subject, page)
        ]
        path = f"{self._spelling.bays}/{subject.uuid}/operations"
        return response.send(collection.body("operations", items, page, base, path))

    def show(self, request: Request, response: Response, ident: str) -> Response:
        """``GET /{operation}``"""
        request.query()
        operation = self._find(request, ident)
        for_operator = sees_operator_text(request, operation)
        body = view.full(operation, self._spelling, request.base, for_operator=for_operator)
        return response.send(body)

    def cancel(self, request: Request, response: Response, ident: str) -> Response:
        """``DELETE /{operation}``: 204, or 409 where it has begun or cannot be taken back."""
        request.query()
        submit.cancel(request.caller, self._find(request, ident))
        return response.send_nothing()

    def _find(self, request: Request, ident: str) -> Operation:
        """One that the caller may do this to. Raises NotFound, Forbidden."""
        wide = sees_all_projects(request)
        operation = history.operation(request.caller, ident, all_projects=wide)
        authorize(request, owner(operation))
        return operation
