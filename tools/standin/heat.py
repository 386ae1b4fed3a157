"""The stand-in's Heat: the part of its API v1 that our drivers use, over the stacks of :mod:`tools.standin.stacks`."""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from tools.standin import stacks, template
from tools.standin.stacks import Stack, Stacks
from tools.standin.template import error
from tools.standin.wire import Answer, Request, in_iso


class Heat:
    """Answers requests about stacks."""

    def __init__(self, known: Stacks) -> None:
        self._stacks = known

    def answer(self, request: Request, project: str) -> Answer:
        """Carry out a request of somebody whose token is for ``project``."""
        found = re.fullmatch(r"/v1/([^/]+)(/.*)?", request.path)
        if found is None:
            return Answer(300, {"versions": [_version(request)]})
        if found[1] != project:
            return error(403, "Forbidden", "You are not authorized to use this tenant.")
        stack = r"/stacks/([^/]+)/([^/]+)"
        routes: list[tuple[str, str, Callable[..., Answer]]] = [
            ("POST", "/stacks", self._create),
            ("GET", "/stacks", self._list),
            ("GET", r"/stacks/([^/]+)", self._elsewhere),
            ("GET", stack, self._show),
            ("PATCH", stack, self._update),
            ("PUT", stack, self._update),
            ("DELETE", stack, self._delete),
            ("POST", stack + "/actions", self._act),
            ("GET", stack + "/resources", self._resources),
        ]
        for method, pattern, do in routes:
            place = re.fullmatch(pattern, found[2] or "")
            if method == request.method and place:
                with self._stacks.lock:
                    return do(request, project, *place.groups())
        return Answer(404, {"code": 404, "title": "Not Found"})

    # --- stacks --------------------------------------------------------------------------------------------------

    def _create(self, request: Request, project: str) -> Answer:
        body = request.body if isinstance(request.body, dict) else {}
        name = str(body.get("stack_name") or "")
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", name):
            return error(400, "HTTPBadRequest", "No stack name specified")
        if any((s.project, s.name) == (project, name) for s in self._stacks.live()):
            return error(409, "StackExists", f"The Stack ({name}) already exists.")
        try:
            read = template.parsed(body["template"])
        except (ValueError, KeyError, TypeError) as wrong:
            return error(400, "StackValidationFailed", str(wrong))
        refused = template.objection(read, stacks.given(body))
        if refused is not None:
            return refused
        stack = self._stacks.create(project, "", body)
        links = [{"rel": "self", "href": _href(request, stack)}]
        return Answer(201, {"stack": {"id": stack.id, "links": links}})

    def _list(self, request: Request, project: str) -> Answer:
        tags = (request.first("tags") or "").split(",")
        wanted = {"id": request.query.get("id"), "name": request.query.get("name")}
        found = [
            stack
            for stack in self._stacks.live()
            if stack.project == project
            and all(tag in stack.tags for tag in tags if tag)
            and all(getattr(stack, field) in values for field, values in wanted.items() if values)
        ]
        if (marker := request.first("marker")) is not None:
            places = [place for place, stack in enumerate(found) if stack.id == marker]
            found = found[places[0] + 1 :] if places else found
        if (limit := request.first("limit")) is not None:
            found = found[: int(limit)]
        return Answer(200, {"stacks": [_line(request, stack) for stack in found]})

    def _elsewhere(self, request: Request, project: str, name_or_id: str) -> Answer:
        stack = self._stacks.find(project, name_or_id)
        if stack is None:
            return _not_found(name_or_id)
        return Answer(302, None, {"Location": _href(request, stack)})

    def _show(self, request: Request, project: str, name: str, ident: str) -> Answer:
        stack = self._stacks.find(project, ident)
        if stack is None or stack.name != name:
            return _not_found(name)
        shown = {
            **_line(request, stack),
            "parameters": {
                **stack.parameters,
                "OS::stack_id": stack.id,
                "OS::stack_name": stack.name,
                "OS::project_id": stack.project,
            },
            "timeout_mins": stack.timeout_mins,
            "disable_rollback": True,
            "capabilities": [],
            "notification_topics": [],
            "template_description": stack.template.get("description") or "No description",
        }
        if (request.first("resolve_outputs") or "True").lower() != "false":
            shown["outputs"] = list(_outputs(stack))
        return Answer(200, {"stack": shown})

    def _update(self, request: Request, project: str, name: str, ident: str) -> Answer:
        stack = self._stacks.find(project, ident)
        if stack is None or stack.name != name:
            return _not_found(name)
        if stack.action == stacks.DELETE:
            text = "Updating a stack when it is deleting is not supported."
            return error(400, "NotSupported", text)
        if stack.status == stacks.IN_PROGRESS:
            text = f"Stack {name} already has an action ({stack.action}) in progress."
            return error(409, "ActionInProgress", text)
        body = request.body if isinstance(request.body, dict) else {}
        kept = stack.given if request.method == "PATCH" else {}
        wanted = {**kept, **stacks.given(body)}
        refused = template.objection(stack.template, wanted)
        if refused is not None:
            return refused
        stack.given = wanted
        self._stacks.begin(stack, stacks.UPDATE)
        return Answer(202)

    def _delete(self, request: Request, project: str, name: str, ident: str) -> Answer:
        stack = self._stacks.find(project, ident)
        if stack is None or stack.name != name:
            return _not_found(name)
        if (stack.action, stack.status) != (stacks.DELETE, stacks.IN_PROGRESS):
            self._stacks.begin(stack, stacks.DELETE)
        return Answer(204)

    def _act(self, request: Request, project: str, name: str, ident: str) -> Answer:
        stack = self._stacks.find(project, ident)
        if stack is None or stack.name != name:
            return _not_found(name)
        if list(request.body or ()) != ["check"]:
            return error(400, "HTTPBadRequest", "the stand-in knows the action check only")
        if stack.status == stacks.IN_PROGRESS:
            text = f"Stack {name} already has an action ({stack.action}) in progress."
            return error(409, "ActionInProgress", text)
        self._stacks.begin(stack, stacks.CHECK)
        return Answer(201)

    # --- resources -----------------------------------------------------------------------------------------------

    def _resources(self, request: Request, project: str, name: str, ident: str) -> Answer:
        stack = self._stacks.find(project, ident)
        if stack is None or stack.name != name:
            return _not_found(name)
        depth = int(request.first("nested_depth") or 0)
        found = [resource for resource in _resources(request, stack) if resource["_depth"] <= depth]
        statuses = request.query.get("status")
        if statuses:
            found = [r for r in found if r["resource_status"].partition("_")[2] in statuses]
        for resource in found:
            del resource["_depth"]
        return Answer(200, {"resources": found})


def _not_found(name: str) -> Answer:
    return error(404, "EntityNotFound", f"The Stack ({name}) could not be found.")


def _href(request: Request, stack: Stack, nested: str = "") -> str:
    base = f"{request.url}/v1/{stack.project}/stacks"
    return f"{base}/{stack.name}-nested/{nested}" if nested else f"{base}/{stack.name}/{stack.id}"


def _line(request: Request, stack: Stack) -> dict[str, Any]:
    return {
        "id": stack.id,
        "stack_name": stack.name,
        "stack_status": f"{stack.action}_{stack.status}",
        "stack_status_reason": stack.reason,
        "creation_time": in_iso(stack.created),
        "updated_time": in_iso(stack.updated) if stack.updated else None,
        "deletion_time": None,
        "project": stack.project,
        "stack_owner": None,
        "stack_user_project_id": stack.project,
        "parent": None,
        "description": stack.template.get("description") or "",
        "tags": stack.tags or None,
        "links": [{"rel": "self", "href": _href(request, stack)}],
    }


def _outputs(stack: Stack) -> Iterator[dict[str, Any]]:
    for name, output in (stack.template.get("outputs") or {}).items():
        known = stack.status == stacks.COMPLETE
        yield {
            "output_key": name,
            "output_value": stack.nodes.output(name) if known else None,
            "description": (output or {}).get("description") or "No description given",
        }


def _resources(request: Request, stack: Stack) -> Iterator[dict[str, Any]]:
    """The resources of the template, and what failed inside them with the stacks nested in between."""
    failed: dict[tuple[str, ...], dict[str, str]] = {}
    for told in stack.failed:
        names = tuple(told["path"].split(" / "))
        for length in range(1, len(names)):
            failed.setdefault(names[:length], {**told, "type": "OS::Heat::ResourceGroup"})
        failed[names] = dict(told)
    for names, told in failed.items():
        status = told.get("status", stacks.FAILED)
        yield _resource(request, stack, names, told["type"], status, told["reason"])
    for name, resource in (stack.template.get("resources") or {}).items():
        if (name,) not in failed:
            status = stacks.COMPLETE if stack.status == stacks.FAILED else stack.status
            yield _resource(request, stack, (name,), resource["type"], status, "state changed")


def _resource(
    request: Request,
    stack: Stack,
    names: tuple[str, ...],
    kind: str,
    status: str,
    reason: str,
) -> dict[str, Any]:
    owner = _ident(stack, names[:-1]) if len(names) > 1 else ""
    return {
        "resource_name": names[-1],
        "logical_resource_id": names[-1],
        "resource_type": kind,
        "resource_status": f"{stack.action}_{status}",
        "resource_status_reason": reason,
        "physical_resource_id": _ident(stack, names),
        "creation_time": in_iso(stack.created),
        "updated_time": in_iso(stack.updated or stack.created),
        "required_by": [],
        "links": [
            {"rel": "self", "href": _href(request, stack) + f"/resources/{names[-1]}"},
            {"rel": "stack", "href": _href(request, stack, owner)},
        ],
        "_depth": len(names) - 1,
    }


def _ident(stack: Stack, names: tuple[str, ...]) -> str:
    """Id of what a resource is in the cloud; for one with others inside, of the stack nested there."""
    return str(uuid.uuid5(uuid.UUID(stack.id), json.dumps(names)))


def _version(request: Request) -> dict[str, Any]:
    links = [{"rel": "self", "href": f"{request.url}/v1/"}]
    return {"id": "v1.0", "status": "CURRENT", "links": links}
