"""Request and response as the controllers see them, on WebOb.

Nothing gets in unread: a controller asks for the query with :meth:`Request.query` and for the body with
:meth:`Request.document`, and both refuse what is not known.
"""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import WSGIEnvironment

import webob

from magnum.api import errors as api_errors
from magnum.api.microversions import DEFAULT, Asked, Version
from magnum.api.routing import Route
from magnum.common import errors
from magnum.common.context import RequestContext
from magnum.conf import CONF

JSON = "application/json"
_BODY_TYPES = frozenset({"", JSON, "application/json-patch+json"})

# What no database of ours can store in a text: a zero byte, half of a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

ASKED = "magnum.asked"
SEGMENTS = "magnum.segments"
REQUEST_ID = "openstack.request_id"


def unstorable(text: str) -> bool:
    """Whether a text has characters that cannot be stored, and so cannot name anything either."""
    return _UNSTORABLE.search(text) is not None


def base_url(environ: WSGIEnvironment) -> str:
    """URL of the application: scheme, host and the path it is mounted under, without a slash at the end."""
    url: str = webob.Request(environ).application_url
    return url.rstrip("/")


class Request(webob.Request):  # type: ignore[misc]
    """One request, already past the protocol and the token check."""

    #: Set by the application.
    route: Route
    #: Set by the hook, for routes that need a token.
    caller: RequestContext

    @property
    def version(self) -> Version:
        """The microversion in use; the lowest where the path stands outside of all versions."""
        asked: Asked = self.environ.get(ASKED, DEFAULT)
        return asked.version

    @property
    def base(self) -> str:
        """See :func:`base_url`."""
        url: str = self.application_url
        return url.rstrip("/")

    def query(self, known: Collection[str] = ()) -> Mapping[str, str]:
        """The arguments behind the question mark.

        Raises BadRequest for one that is unknown or given twice, and without naming one where none can be read.
        """
        text = self.environ.get("QUERY_STRING", "")
        if not text:
            return {}
        try:
            pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=20)
        except ValueError as error:
            raise errors.BadRequest("The query cannot be read.", str(error), "") from error
        found: dict[str, str] = {}
        for key, value in pairs:
            if key not in known or unstorable(key):
                raise errors.BadRequest(
                    f"Unknown argument {key!a} in the query", field=ascii(key)[1:-1]
                )
            if key in found or unstorable(value):
                raise errors.BadRequest(f"Argument {key} is given twice or not text", field=key)
            found[key] = value
        return found

    def document(self) -> Any:
        """The body as JSON says it, or None where there is no body.

        Raises UnsupportedMediaType for a body of another type, MalformedBody for what is not JSON.
        """
        body = self._body()
        if not body:
            return None
        if self.content_type.lower() not in _BODY_TYPES:
            raise errors.UnsupportedMediaType(
                f"A body of type {self.content_type!a} is not read here, only {JSON}."
            )
        try:
            return json.loads(body, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise api_errors.MalformedBody(f"The body is not JSON: {error}", field="") from error

    def _body(self) -> bytes:
        limit = CONF.api.max_request_body_size
        try:
            body: bytes = self.body_file.read(limit + 1)
        except (OSError, ValueError) as error:
            raise api_errors.MalformedBody("The body cannot be read.", str(error), "") from error
        if len(body) > limit:
            raise api_errors.BodyTooLarge(f"The body is longer than {limit} bytes.")
        return body


class Response(webob.Response):  # type: ignore[misc]
    """An answer; JSON unless it is empty."""

    default_content_type = JSON
    default_charset = None

    def send(self, body: Mapping[str, Any], status: int = 200) -> "Response":
        """Fill in the answer and return it."""
        self.status_int = status
        self.body = json.dumps(body, separators=(",", ":")).encode()
        return self

    def send_created(self, body: Mapping[str, Any], location: str) -> "Response":
        """Answer 201 with the new thing and where it is."""
        self.send(body, 201)
        self.location = location
        return self

    def send_accepted(self, body: Mapping[str, Any], location: str | None) -> "Response":
        """Answer 202 with what was accepted, and where to see what becomes of it."""
        self.send(body, 202)
        if location is not None:
            self.location = location
        return self

    def send_nothing(self, location: str | None = None) -> "Response":
        """Answer 204, without a body; ``location`` as in :meth:`send_accepted`."""
        self.status_int = 204
        self.body = b""
        del self.content_type
        if location is not None:
            self.location = location
        return self


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a value of JSON")
