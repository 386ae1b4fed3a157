"""The REST API for commands: requests, pages of lists, and errors as people can read them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

from keystoneauth1.adapter import Adapter

from magnum.osc.errors import ApiError

#: What this plugin speaks. Everything that it asks for is there from this version on.
MICROVERSION: Final = "1.15"
SERVICE_TYPE: Final = "container-infra"

#: A list that never ends would be a server's mistake.
_MOST_PAGES: Final = 10_000


class Client:
    """The service of one cloud, as one user sees it. Paths are relative to the version's own URL (``.../v1``)."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter

    def get(self, *path: str, **query: Any) -> Any:
        """What is there. Raises ApiError, as all methods do, and keystoneauth's errors where nobody answers."""
        return self._send("GET", path, query).json()

    def post(self, *path: str, body: Any = None, **query: Any) -> Any:
        """Ask for something; returns the answer's body."""
        return self._send("POST", path, query, body).json()

    def patch(self, *path: str, body: Any) -> Any:
        """Ask for changes; returns the answer's body."""
        return self._send("PATCH", path, {}, body).json()

    def delete(self, *path: str, **query: Any) -> str | None:
        """Ask for an end; returns the uuid of the operation that brings it about, None where there is none."""
        answer = self._send("DELETE", path, query)
        location: str = answer.headers.get("Location", "")
        return location.rpartition("/")[2] or None

    def pages(
        self,
        *path: str,
        key: str | None = None,
        limit: int | None = None,
        marker: str | None = None,
        **query: Any,
    ) -> Iterator[dict[str, Any]]:
        """The items of a list, page after page, as they are needed.

        :param key: the list's name in the body, where that is not the path's last word.
        :param limit: so many at most; all of them where it is None.
        :param marker: what came before the first one.
        """
        wanted = {**query, "limit": limit, "marker": marker}
        left = limit
        for _ in range(_MOST_PAGES):
            body = self.get(*path, **wanted)
            items = body[key or path[-1]]
            yield from items if left is None else items[:left]
            left = None if left is None else left - len(items)
            if "next" not in body or not items or (left is not None and left <= 0):
                return
            # Its query only: the address in front of it is the one by which the server knows itself.
            wanted = dict(parse_qsl(urlsplit(body["next"]).query))

    def _send(
        self, method: str, path: tuple[str, ...], query: Mapping[str, Any], body: Any = None
    ) -> Any:
        options = {} if body is None else {"json": body}
        answer = self._adapter.request(
            "/" + "/".join(quote(part, safe="") for part in path),
            method,
            params={name: _text(value) for name, value in query.items() if value is not None},
            headers={"Accept": "application/json"},
            microversion=MICROVERSION,
            raise_exc=False,
            **options,
        )
        if answer.status_code >= 400:
            raise ApiError.of(answer)
        return answer


def _text(value: Any) -> str:
    """A value of a query."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(_text(part) for part in value)
    return str(value)
