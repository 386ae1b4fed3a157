"""What happens to every request before its controller: the caller becomes a request context (contract 4.2)."""

from typing import Any
from wsgiref.types import WSGIEnvironment

from pecan import hooks

from magnum.api.http import REQUEST_ID, Request
from magnum.api.middleware.request_id import GLOBAL_REQUEST_ID
from magnum.common import errors
from magnum.common.context import RequestContext
from magnum.conf import CONF
from magnum.policies import enforcer

#: The rule that makes a caller an administrator.
ADMIN_RULE = "context_is_admin"


class ContextHook(hooks.PecanHook):  # type: ignore[misc]
    """Build ``request.caller`` for every route that is not open."""

    def before(self, state: Any) -> None:
        """Called by Pecan between routing and the controller. Raises Forbidden for a token without a project."""
        request: Request = state.request
        if request.route.policy is None:
            return
        caller = context_of(request.environ)
        caller.is_admin = enforcer.permits(caller, ADMIN_RULE)
        if not caller.project_id and not caller.is_admin:
            raise errors.Forbidden("The token is not scoped to a project.")
        request.caller = caller


def context_of(environ: WSGIEnvironment) -> RequestContext:
    """The caller, from what keystonemiddleware has put into the environment."""
    return RequestContext(
        auth_token=environ.get("HTTP_X_AUTH_TOKEN"),
        user_id=environ.get("HTTP_X_USER_ID"),
        user_name=environ.get("HTTP_X_USER_NAME"),
        project_id=environ.get("HTTP_X_PROJECT_ID"),
        project_name=environ.get("HTTP_X_PROJECT_NAME"),
        domain_id=environ.get("HTTP_X_DOMAIN_ID"),
        user_domain_id=environ.get("HTTP_X_USER_DOMAIN_ID"),
        user_domain_name=environ.get("HTTP_X_USER_DOMAIN_NAME"),
        project_domain_id=environ.get("HTTP_X_PROJECT_DOMAIN_ID"),
        project_domain_name=environ.get("HTTP_X_PROJECT_DOMAIN_NAME"),
        system_scope=environ.get("HTTP_OPENSTACK_SYSTEM_SCOPE"),
        roles=_roles(environ.get("HTTP_X_ROLES", "")),
        service_roles=_roles(environ.get("HTTP_X_SERVICE_ROLES", "")),
        service_user_id=environ.get("HTTP_X_SERVICE_USER_ID"),
        service_project_id=environ.get("HTTP_X_SERVICE_PROJECT_ID"),
        request_id=environ.get(REQUEST_ID),
        global_request_id=environ.get(GLOBAL_REQUEST_ID),
        token_auth=environ.get("keystone.token_auth"),
        is_bay_user=_is_bay_user(environ),
        overwrite=True,
    )


def _is_bay_user(environ: WSGIEnvironment) -> bool:
    """Whether the caller is a bay's own user: one of the domain that is set aside for them."""
    if domain_id := CONF.trust.trustee_domain_id:
        return bool(environ.get("HTTP_X_USER_DOMAIN_ID") == domain_id)
    domain_name = CONF.trust.trustee_domain_name
    return bool(domain_name) and environ.get("HTTP_X_USER_DOMAIN_NAME") == domain_name


def _roles(header: str) -> list[str]:
    return [role.strip() for role in header.split(",") if role.strip()]
