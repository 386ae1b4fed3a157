"""Who asks: the request context that every store and every policy check needs.

It is oslo.context's, made usable as a transaction context of oslo.db, plus the two things only the API's process knows
of a caller. It lives on the ground floor because the wings do not know one another.
"""

from typing import Any

from oslo_context import context as oslo_context
from oslo_db.sqlalchemy import enginefacade


@enginefacade.transaction_context_provider
class RequestContext(oslo_context.RequestContext):
    """A caller. ``token_auth`` is keystonemiddleware's plugin of the caller's token; it never leaves the request."""

    def __init__(self, *, token_auth: Any = None, is_bay_user: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.token_auth = token_auth
        self.is_bay_user = is_bay_user


def service_context(request_id: str | None = None) -> RequestContext:
    """The service's own context, for work that no caller waits for. It sees every project.

    :param request_id: id of the request that asked for the work, so that logs of both processes can be joined.
    """
    return RequestContext(is_admin=True, request_id=request_id, overwrite=True)
