"""A small cloud in process: image, compute and network services that answer as the real ones do.

It stands where the network would be, behind the real client libraries, so that what is tested is what runs.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import requests
from keystoneauth1 import access
from keystoneauth1 import session as ksa_session
from keystoneauth1.identity.access import AccessInfoPlugin
from requests.adapters import BaseAdapter

from magnum.common.context import RequestContext

TOKEN = "the-callers-token"
UUID = "11111111-2222-3333-4444-00000000000{}"

Answer = tuple[int, Any]


@dataclass
class FakeCloud(BaseAdapter):
    """What there is, what was asked, and how it misbehaves."""

    images: list[dict[str, Any]] = field(default_factory=list)
    flavors: list[dict[str, Any]] = field(default_factory=list)
    networks: list[dict[str, Any]] = field(default_factory=list)
    subnets: list[dict[str, Any]] = field(default_factory=list)
    keypairs: dict[str, str] = field(default_factory=dict)
    services: tuple[str, ...] = ("image", "compute", "network")
    #: Requests as (host, path with query); the host is the service and the interface.
    asked: list[tuple[str, str]] = field(default_factory=list)
    #: An exception to raise, or an answer to give, to whatever is asked.
    trouble: Exception | Answer | None = None

    def send(self, request: requests.PreparedRequest, *_: Any, **more: Any) -> requests.Response:
        """Answer one request of a client library."""
        url = urlsplit(str(request.url))
        host = str(url.hostname)
        service = host.partition(".")[0]
        self.asked.append((host, f"{url.path}?{url.query}"))
        assert request.headers["X-Auth-Token"] == TOKEN
        assert "X-Service-Token" not in request.headers
        assert more["timeout"] is not None
        if isinstance(self.trouble, Exception):
            raise self.trouble
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        status, body = self.trouble or self._answer(service, url.path, query)
        response = requests.Response()
        response.status_code = status
        response.url = str(request.url)
        response.request = request
        response.headers["Content-Type"] = "application/json"
        response._content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        return response

    def close(self) -> None:
        """Nothing is held."""

    def _answer(self, service: str, path: str, query: dict[str, str]) -> Answer:
        routes: list[tuple[str, str, Callable[..., Answer]]] = [
            ("image", r"/v2/images/([^/]+)", lambda ident: self._one(self.images, ident)),
            ("image", r"/v2/images", lambda: self._some("images", self.images, query)),
            ("compute", r"/v2.1/flavors/([^/]+)", lambda i: self._one(self.flavors, i, "flavor")),
            ("compute", r"/v2.1/flavors", lambda: (200, {"flavors": self.flavors})),
            ("compute", r"/v2.1/os-keypairs/([^/]+)", self._keypair),
            ("network", r"/v2.0/networks", lambda: self._some("networks", self.networks, query)),
            ("network", r"/v2.0/subnets", lambda: self._some("subnets", self.subnets, query)),
        ]
        for name, pattern, answer in routes:
            if name == service and (found := re.fullmatch(pattern, path)):
                return answer(*map(unquote, found.groups()))
        return 404, {"error": "no such path"}

    def _one(self, things: list[dict[str, Any]], ident: str, key: str | None = None) -> Answer:
        for thing in things:
            if thing["id"] == ident:
                return 200, {key: thing} if key else thing
        return 404, {"itemNotFound": {"code": 404, "message": "not found"}}

    def _some(self, key: str, things: list[dict[str, Any]], query: dict[str, str]) -> Answer:
        wanted = {k: v for k, v in query.items() if k not in ("limit", "fields")}
        found = [
            thing for thing in things if all(str(thing.get(k)) == v for k, v in wanted.items())
        ]
        return 200, {key: found}

    def _keypair(self, name: str) -> Answer:
        if name not in self.keypairs:
            return self._one([], name)
        return 200, {"keypair": {"name": name, "public_key": self.keypairs[name]}}

    def session(self) -> ksa_session.Session:
        """A session whose network ends here."""
        transport = requests.Session()
        transport.mount("http://", self)
        return ksa_session.Session(session=transport, timeout=5)

    def context(self, user: str = "u1", project: str = "p1") -> RequestContext:
        """A caller whose token's catalogue names the services."""
        domain = {"id": "default", "name": "Default"}
        ports = {"image": "", "compute": "/v2.1", "network": ""}
        catalog = [
            {
                "type": service,
                "name": service,
                "id": service,
                "endpoints": [
                    {
                        "id": f"{service}-{interface}",
                        "interface": interface,
                        "region": "RegionOne",
                        "region_id": "RegionOne",
                        "url": f"http://{service}.{interface}{ports[service]}",
                    }
                    for interface in ("public", "internal")
                ],
            }
            for service in self.services
        ]
        token = {
            "methods": ["password"],
            "user": {"id": user, "name": user, "domain": domain},
            "project": {"id": project, "name": project, "domain": domain},
            "roles": [{"id": "r", "name": "member"}],
            "expires_at": "2099-01-01T00:00:00.000000Z",
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "catalog": catalog,
        }
        plugin = AccessInfoPlugin(access.create(body={"token": token}, auth_token=TOKEN))
        return RequestContext(
            user_id=user, project_id=project, roles=["member"], token_auth=plugin, overwrite=False
        )
