"""Events: the timeline of a bay, which outlives it."""

from magnum.api import paging
from magnum.api.controllers.base import Request, Response, authorize, owner, sees_all_projects
from magnum.api.spelling import Spelling
from magnum.api.views import collection
from magnum.api.views import events as view
from magnum.db import history
from magnum.db.history import Subject
from magnum.db.paging import Page


class EventsController:
    """Events in the words of one family of clients."""

    def __init__(self, spelling: Spelling) -> None:
        self._spelling = spelling

    def index(self, request: Request, response: Response, bay: str) -> Response:
        """``GET /{bay}/events``: a page of them, the oldest first; of a bay that has gone, too."""
        page = _page(request)
        subject = history.subject(request.caller, bay, all_projects=sees_all_projects(request))
        authorize(request, owner(subject))
        path = f"{self._spelling.bays}/{subject.uuid}/events"
        return self._send(request, response, subject, page, path)

    def of_operation(self, request: Request, response: Response, ident: str) -> Response:
        """``GET /{operation}/events``: the part of the timeline that is about one operation."""
        page = _page(request)
        wide = sees_all_projects(request)
        operation = history.operation(request.caller, ident, all_projects=wide)
        authorize(request, owner(operation))
        subject = Subject(operation.bay_uuid, operation.project_id, operation.user_id)
        path = f"operations/{operation.uuid}/events"
        return self._send(request, response, subject, page, path, operation.uuid)

    def _send(
        self,
        request: Request,
        response: Response,
        subject: Subject,
        page: Page,
        path: str,
        operation: str | None = None,
    ) -> Response:
        found = history.events(request.caller, subject, page, operation)
        items = [view.full(event, self._spelling) for event in found]
        body = collection.body("events", items, page, request.base, path, marked_by="id")
        return response.send(body)


def _page(request: Request) -> Page:
    return paging.page_of(request, history.EVENT_SORT_KEYS, marked_by=paging.NUMBER)
