"""Previews: what a change of a bay would do in the cloud, without doing it."""

from typing import Any, Final

from magnum.api import bay_changes, json_patch
from magnum.api.controllers.base import Request, Response, authorize, owner, sees_all_projects
from magnum.api.controllers.ext import driver_of
from magnum.api.spelling import Spelling
from magnum.common import errors
from magnum.db import bays as store
from magnum.drivers.contract import WORKER
from magnum.lifecycle import calls

#: Which template the cluster is thought to have: its own, or the one that its driver has now.
_TEMPLATES: Final = ("own", "current")


class PreviewsController:
    """Previews in the words of one family of clients."""

    def __init__(self, spelling: Spelling) -> None:
        self._spelling = spelling

    def create(self, request: Request, response: Response, ident: str) -> Response:
        """``POST /{bay}/preview``: 200 and what would be added, deleted, replaced, updated, and stay.

        The body is that of a PATCH, or none. ``?template=current`` asks about the driver's present template.
        """
        template = request.query(("template",)).get("template", _TEMPLATES[0])
        if template not in _TEMPLATES:
            raise errors.BadRequest(
                f"template may be {' or '.join(_TEMPLATES)}, not {template!a}", field="template"
            )
        changes = json_patch.read(request.document())
        bay = store.get(request.caller, ident, all_projects=sees_all_projects(request))
        authorize(request, owner(bay))
        driver_of(bay)
        wanted = bay_changes.read(bay, changes, self._spelling, request.version)
        labels = {} if wanted.labels is None else {"labels": wanted.labels}
        groups: dict[str, dict[str, Any]] = {}
        for group in bay.node_groups:
            if group.is_default:
                groups[group.name] = dict(labels)
                if group.role == WORKER:
                    groups[group.name]["node_count"] = wanted.node_count
        asked = {
            "bay": labels,
            "groups": groups,
            "parameters": {
                "template": template,
                # What is there, as far as this service knows, for drivers that cannot see for themselves.
                "node_counts": {group.name: group.node_count for group in bay.node_groups},
            },
        }
        return response.send(calls.ask(request.caller, bay, calls.PREVIEW, asked))
