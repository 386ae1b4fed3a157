"""A request's id: made here, shown in the answer and in every log line (contract 1.4)."""

import re
import uuid
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from magnum.api.http import REQUEST_ID
from magnum.common.context import RequestContext

HEADER = "X-Openstack-Request-Id"
#: The id of the request of another service that this one is made for; that service sends it in the same header.
GLOBAL_REQUEST_ID = "openstack.global_request_id"

_FORMAT = re.compile(r"req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)


class RequestId:
    """Give each request an id of its own."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request_id = f"req-{uuid.uuid4()}"
        environ[REQUEST_ID] = request_id
        theirs = environ.get("HTTP_X_OPENSTACK_REQUEST_ID", "")
        if _FORMAT.fullmatch(theirs):
            environ[GLOBAL_REQUEST_ID] = theirs
        # For the log: without it, this thread's last request would be named until the caller is known.
        RequestContext(request_id=request_id, overwrite=True)

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, [*headers, (HEADER, request_id)], exc_info)

        return self._app(environ, start)
