"""What tests of our sessions have in the place of the network: a transport that answers as it is told."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from magnum.identity import breaker, sessions
from magnum.identity.guarded import GuardedSession

Answer = int | tuple[int, Any] | Exception


def response(request: requests.PreparedRequest, status: int, body: Any = None) -> requests.Response:
    """An answer as requests would have read it."""
    made = requests.Response()
    made.status_code = status
    made.url = str(request.url)
    made.request = request
    made.headers["Content-Type"] = "application/json"
    made._content = json.dumps(body).encode()
    return made


@dataclass
class FakeNetwork(BaseAdapter):
    """Keeps the requests that left, and answers by ``answer``: a status, (status, body), or an exception."""

    answer: Answer | Callable[[requests.PreparedRequest], Answer] = 200
    left: list[requests.PreparedRequest] = field(default_factory=list)
    timeouts: list[Any] = field(default_factory=list)

    def send(self, request: requests.PreparedRequest, *_: Any, **more: Any) -> requests.Response:
        """Called where a request would go out."""
        self.left.append(request)
        self.timeouts.append(more.get("timeout"))
        answer = self.answer(request) if callable(self.answer) else self.answer
        if isinstance(answer, Exception):
            raise answer
        status, body = answer if isinstance(answer, tuple) else (answer, {})
        return response(request, status, body)

    def close(self) -> None:
        """Nothing is held."""

    def transport(self) -> requests.Session:
        """A session of requests that ends here."""
        made = requests.Session()
        made.mount("http://", self)
        return made

    @property
    def urls(self) -> list[str]:
        """Method and address of what left."""
        return [f"{request.method} {request.url}" for request in self.left]


class FakeKeystone(FakeNetwork):
    """Keystone that lets everybody in, and other services that answer {}. ``catalogue`` is type -> address."""

    def __init__(self, catalogue: dict[str, str], services: Answer = 200) -> None:
        super().__init__(self._serve)
        self.catalogue = catalogue
        self.services = services
        self.trouble: Answer | None = None

    def _serve(self, request: requests.PreparedRequest) -> Answer:
        url = str(request.url)
        if not url.startswith("http://keystone"):
            return self.services
        if self.trouble is not None:
            return self.trouble
        if url.endswith("/v3/auth/tokens"):
            return 201, {"token": self._token()}
        if url.rstrip("/").endswith("/v3"):
            return 200, {"version": self._version()}
        if url.rstrip("/") == "http://keystone":
            return 300, {"versions": {"values": [self._version()]}}
        if "/roles?" in url:
            return 200, {"roles": [{"id": "role-id"}]}
        return 204

    def _version(self) -> dict[str, Any]:
        links = [{"rel": "self", "href": "http://keystone/v3/"}]
        return {"id": "v3.14", "status": "stable", "links": links}

    def _token(self) -> dict[str, Any]:
        domain = {"id": "default", "name": "Default"}
        return {
            "methods": ["password"],
            "user": {"id": "service-user", "name": "magnum", "domain": domain},
            "project": {"id": "p1", "name": "p1", "domain": domain},
            "roles": [{"id": "r", "name": "member"}],
            "expires_at": "2099-01-01T00:00:00.000000Z",
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "catalog": [
                {
                    "type": kind,
                    "name": kind,
                    "id": kind,
                    "endpoints": [
                        {
                            "id": kind,
                            "interface": "public",
                            "region": "RegionOne",
                            "region_id": "RegionOne",
                            "url": url,
                        }
                    ],
                }
                for kind, url in self.catalogue.items()
            ],
        }

    def send(self, request: requests.PreparedRequest, *rest: Any, **more: Any) -> requests.Response:
        """As the network's; a token goes into a header."""
        made = super().send(request, *rest, **more)
        if made.status_code == 201:
            made.headers["X-Subject-Token"] = "the-token"
        return made


@contextmanager
def installed(keystone: FakeKeystone, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKeystone]:
    """The Keystone of all sessions of the service, and no trouble of an earlier test remembered."""
    monkeypatch.setattr(
        sessions,
        "guarded_session",
        lambda timeout: GuardedSession(session=keystone.transport(), timeout=timeout),
    )
    breaker.forget()
    yield keystone
    breaker.forget()
