"""What all controllers share."""

from collections.abc import Mapping
from typing import Any

from magnum.api.http import Request, Response
from magnum.common import errors
from magnum.common.context import RequestContext
from magnum.policies import enforcer

__all__ = [
    "Request",
    "Response",
    "authorize",
    "need_project",
    "owner",
    "sees_all_projects",
    "sees_operator_text",
]


def authorize(request: Request, target: Mapping[str, Any] | None = None) -> None:
    """Ask the rule of the request's route. Raises Forbidden.

    :param target: what is touched, see :func:`owner`; without one, the caller's own project.
    """
    enforcer.authorize(request.caller, _rule(request), target)


def sees_all_projects(request: Request) -> bool:
    """Whether the caller may do what the route does in every project: then the store shows all (contract 4.4)."""
    noun, _, action = _rule(request).partition(":")
    wide = "get_one" if action == "get" else action
    return enforcer.permits(request.caller, f"{noun}:{wide}_all_projects")


def sees_operator_text(request: Request, thing: Any) -> bool:
    """Whether the caller may read what an operation tells the operator.

    :param thing: the operation, or the bay that it is about.
    """
    return enforcer.permits(request.caller, "operation:get_operator_text", owner(thing))


def need_project(caller: RequestContext) -> None:
    """Raise Forbidden for a caller without a project, who cannot own anything."""
    if not caller.project_id:
        raise errors.Forbidden("The token is not scoped to a project.")


def owner(thing: Any) -> dict[str, Any]:
    """What rules may know of a thing."""
    return {"project_id": thing.project_id, "user_id": thing.user_id}


def _rule(request: Request) -> str:
    rule = request.route.policy
    assert rule is not None, "an open route has no rule to ask"
    return rule
