"""FakeHeat: a Heat in memory that answers requests as the real one does, for one project.

It knows stacks by name, id and tag, checks parameters against the template's, and does nothing by itself: what it was
asked for stays in progress until :meth:`FakeHeat.settle`. Resources are not made; outputs are what the world says.
"""

import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

#: The status and body of an answer.
Answer = tuple[int, Any]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STACK = re.compile(r"/stacks/(?P<key>[^/]+(?:/[^/]+)?)$")
_PART = re.compile(
    r"/stacks/(?P<name>[^/]+)/(?P<id>[^/]+)/(?P<part>resources|events|template|environment|files|preview|actions)"
)


@functools.lru_cache(maxsize=32)
def parsed(template: str) -> Any:
    """A template as a value."""
    return yaml.load(template, Loader=_LOADER)  # noqa: S506 - one of the safe ones


@dataclass
class FakeHeatStack:
    """One stack."""

    id: str
    name: str
    template: str
    files: Mapping[str, str]
    tags: list[str]
    parameters: dict[str, Any]
    status: str = "CREATE_IN_PROGRESS"
    reason: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    resources: list[dict[str, Any]] = field(default_factory=list)

    @property
    def busy(self) -> bool:
        """Whether Heat is at it."""
        return self.status.endswith("IN_PROGRESS")

    def declared(self) -> Mapping[str, Any]:
        """The parameters of the template."""
        return dict(parsed(self.template).get("parameters") or {})

    def shown(self, *, details: bool = False, outputs: bool = False) -> dict[str, Any]:
        """As Heat shows it: parameters as text and in details only, outputs only where asked for."""
        facts: dict[str, Any] = {
            "id": self.id,
            "stack_name": self.name,
            "stack_status": self.status,
            "stack_status_reason": self.reason,
            "tags": self.tags,
            "links": [],
        }
        if details:
            facts["parameters"] = {name: self._text(name) for name in self.declared()}
        if details and outputs:
            facts["outputs"] = [
                {"output_key": name, "output_value": self.outputs.get(name), "description": ""}
                for name in parsed(self.template).get("outputs") or {}
            ]
        return facts

    def _text(self, name: str) -> str:
        declared = self.declared()[name]
        if declared.get("hidden"):
            return "******"
        value = self.parameters.get(name, declared.get("default", ""))
        return value if isinstance(value, str) else json.dumps(value)


def refusal(code: int, kind: str, message: str) -> Answer:
    """An error in the shape that Heat gives it."""
    title = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}
    words = title.get(code, "Internal Server Error")
    error = {"message": message, "type": kind, "traceback": None}
    return code, {"code": code, "title": words, "explanation": words, "error": error}


class FakeHeat:
    """Stands for Heat's API. ``outputs`` gives a finished stack its outputs, ``resources`` its resources."""

    def __init__(
        self,
        outputs: Callable[[FakeHeatStack], Mapping[str, Any]],
        resources: Callable[[FakeHeatStack], list[dict[str, Any]]],
    ) -> None:
        self.stacks: dict[str, FakeHeatStack] = {}
        self._outputs = outputs
        self._resources = resources
        self._made = 0

    # --- what the world does with it ------------------------------------------------------------------------------

    def settle(self) -> None:
        """Bring everything to its end."""
        for stack in [stack for stack in self.stacks.values() if stack.busy]:
            if stack.status.startswith("DELETE"):
                del self.stacks[stack.id]
            else:
                stack.status = stack.status.replace("IN_PROGRESS", "COMPLETE")
                stack.outputs = self._outputs(stack)
                stack.resources = self._resources(stack)

    def fail(self, reason: str) -> bool:
        """Have everything that is in progress fail; False where nothing is."""
        busy = [stack for stack in self.stacks.values() if stack.busy]
        for stack in busy:
            stack.status = stack.status.replace("IN_PROGRESS", "FAILED")
            stack.reason = reason
        return bool(busy)

    # --- requests -------------------------------------------------------------------------------------------------

    def answer(self, method: str, url: str, body: Any) -> Answer:
        """What Heat answers to a request."""
        parts = urlsplit(url)
        path, query = unquote(parts.path), parse_qs(parts.query)
        if path.endswith("/stacks"):
            return self._create(body) if method == "POST" else self._list(query)
        if found := _PART.search(path):
            return self._part(method, found["id"], found["part"], body, query)
        if found := _STACK.search(path):
            return self._one(method, found["key"], body, query)
        return refusal(404, "NotFound", "The resource could not be found.")

    def _find(self, key: str) -> FakeHeatStack | None:
        name, _, ident = key.partition("/")
        if ident:
            stack = self.stacks.get(ident)
            return stack if stack and stack.name == name else None
        return next((one for one in self.stacks.values() if name in (one.name, one.id)), None)

    def _list(self, query: Mapping[str, list[str]]) -> Answer:
        if "marker" in query:
            return 200, {"stacks": []}
        wanted = set(",".join(query.get("tags", [])).split(",")) - {""}
        names = set(query.get("name", []))
        found = [
            stack.shown()
            for stack in self.stacks.values()
            if wanted <= set(stack.tags) and (not names or stack.name in names)
        ]
        return 200, {"stacks": found}

    def _create(self, body: Any) -> Answer:
        name = body["stack_name"]
        if any(stack.name == name for stack in self.stacks.values()):
            return refusal(409, "StackExists", f"The Stack ({name}) already exists.")
        self._made += 1
        stack = FakeHeatStack(
            id=f"00000000-0000-4000-8000-{self._made:012}",
            name=name,
            template=_as_text(body["template"]),
            files=body.get("files") or {},
            tags=_tags(body),
            parameters=dict(body.get("parameters") or {}),
        )
        fault = _wrong_parameters(stack)
        if fault:
            return refusal(400, "StackValidationFailed", fault)
        self.stacks[stack.id] = stack
        return 201, {"stack": {"id": stack.id, "links": []}}

    def _one(self, method: str, key: str, body: Any, query: Mapping[str, list[str]]) -> Answer:
        stack = self._find(key)
        if stack is None:
            return refusal(404, "EntityNotFound", f"The Stack ({key}) could not be found.")
        if method == "GET":
            outputs = query.get("resolve_outputs", ["True"])[0].lower() != "false"
            return 200, {"stack": stack.shown(details=True, outputs=outputs)}
        if method == "DELETE":
            stack.status = "DELETE_IN_PROGRESS"
            return 204, None
        return self._update(stack, method, body)

    def _update(self, stack: FakeHeatStack, method: str, body: Any) -> Answer:
        if stack.busy:
            said = f"Stack {stack.name} already has an action ({stack.status}) in progress."
            return refusal(409, "ActionInProgress", said)
        given = dict(body.get("parameters") or {})
        changed = FakeHeatStack(
            stack.id,
            stack.name,
            _as_text(body["template"]) if body.get("template") else stack.template,
            body.get("files") or stack.files,
            _tags(body) or stack.tags,
            {**stack.parameters, **given} if method == "PATCH" else given,
            "UPDATE_IN_PROGRESS",
            outputs=stack.outputs,
            resources=stack.resources,
        )
        fault = _wrong_parameters(changed)
        if fault:
            return refusal(400, "StackValidationFailed", fault)
        self.stacks[stack.id] = changed
        return 202, None

    def _part(
        self, method: str, ident: str, part: str, body: Any, query: Mapping[str, list[str]]
    ) -> Answer:
        stack = self.stacks.get(ident)
        if stack is None:
            return refusal(404, "EntityNotFound", f"The Stack ({ident}) could not be found.")
        match part:
            case "resources":
                wanted = {status.upper() for status in query.get("status", [])}
                listed = [
                    one
                    for one in stack.resources
                    if not wanted or one["resource_status"].partition("_")[2] in wanted
                ]
                return 200, {"resources": listed}
            case "events":
                return 200, {"events": []}
            case "template":
                # As JSON has it: YAML reads a template's version as a date.
                return 200, json.loads(json.dumps(parsed(stack.template), default=str))
            case "environment":
                return 200, {"parameters": stack.parameters}
            case "files":
                return 200, dict(stack.files)
            case "preview":
                kinds = ("added", "deleted", "replaced", "unchanged", "updated")
                return 200, {"resource_changes": {kind: [] for kind in kinds}}
        action = next(iter(body or {}), "check")
        stack.status = f"{action.upper()}_IN_PROGRESS"
        return 200, None


def _as_text(template: Any) -> str:
    return template if isinstance(template, str) else json.dumps(template)


def _tags(body: Any) -> list[str]:
    tags = body.get("tags") or ""
    return tags.split(",") if isinstance(tags, str) and tags else list(tags)


def _wrong_parameters(stack: FakeHeatStack) -> str:
    """What Heat says of parameters that do not fit the template; empty where they do."""
    declared = stack.declared()
    for name in stack.parameters.keys() - declared.keys():
        return f"The Parameter ({name}) was not defined in template."
    for name, schema in declared.items():
        if name not in stack.parameters and "default" not in schema:
            return f"The Parameter ({name}) was not provided."
    return ""
