"""The stand-in's Keystone: everybody may come in, every project and domain exists, grants are kept and believed.

A token is a text that says for whom it is, so that it can be checked without being stored. Ids of users, projects and
roles follow from their names.
"""

import base64
import binascii
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tools.standin import accounts
from tools.standin.accounts import Accounts
from tools.standin.wire import (
    BALANCER,
    COMPUTE,
    IDENTITY,
    NETWORK,
    ORCHESTRATION,
    REGION,
    SERVICES,
    VOLUME,
    Answer,
    Request,
    in_iso,
)

_NAMESPACE = uuid.UUID("6f1f7c9e-3c3b-4e55-9d0e-0d6f1f1f2a55")
_DOMAIN = {"id": "default", "name": "Default"}
#: Users whose names begin so are the services' own.
_SERVICE_USERS = "magnum"
_ENDPOINTS: Mapping[str, str] = {
    IDENTITY: "",
    ORCHESTRATION: "/v1/{project}",
    COMPUTE: "/v2.1",
    NETWORK: "",
    VOLUME: "/v3/{project}",
    BALANCER: "",
}


def ident(kind: str, name: str) -> str:
    """The id that belongs to a name."""
    return uuid.uuid5(_NAMESPACE, f"{kind}/{name}").hex


class Identity:
    """Tokens and grants. ``services`` are the types that the catalogue names; ``life`` of a token is in seconds."""

    def __init__(self, services: Sequence[str] = tuple(SERVICES), life: float = 3600.0) -> None:
        self._services = services
        self._life = life
        self._oldest = 0.0
        self._lock = threading.Lock()
        self.grants: set[tuple[str, str, str]] = set()
        self.accounts = Accounts()
        self._domain_names: dict[str, str] = {}
        #: Services of the catalogue that are not the stand-in's, and where they are.
        self.elsewhere: dict[str, str] = {"container-infra": "http://127.0.0.1:9511/v1"}

    def revoke_all(self) -> None:
        """Make every token that was given out so far invalid."""
        self._oldest = time.time()

    def project_of(self, token: str | None) -> str | None:
        """Id of the project that a token is for; None where the token is no good.

        One with access rules is none: a service that does not know its own type refuses it.
        """
        known = self._read(token)
        return None if known is None or self._has_rules(known) else str(known["project"]["id"])

    def user_of(self, token: str | None) -> str | None:
        """Name of the user whose token it is, were it only once; None where it is no token."""
        known = _decoded(token)
        return None if known is None else str(known["user"]["name"])

    def answer(self, request: Request) -> Answer:
        """Carry out a request to Keystone."""
        if request.path in ("", "/"):
            return Answer(300, {"versions": {"values": [_version(request.url)]}})
        if request.path in ("/v3", "/v3/"):
            return Answer(200, {"version": _version(request.url)})
        if request.path == "/v3/auth/tokens":
            return self._tokens(request)
        known = self._read(request.headers.get("x-auth-token"))
        if known is None or self._has_rules(known):
            return refused(401, "The request you have made requires authentication.")
        routes: list[tuple[str, str, Callable[..., Answer]]] = [
            ("GET", r"/v3/roles", self._roles),
            ("PUT", r"/v3/projects/([^/]+)/users/([^/]+)/roles/([^/]+)", self._grant),
            ("DELETE", r"/v3/projects/([^/]+)/users/([^/]+)/roles/([^/]+)", self._revoke),
            ("GET", r"/v3/domains", self._domains),
            ("GET", r"/v3/users", self._users),
            ("POST", r"/v3/users", self._make_user),
            ("PATCH", r"/v3/users/([^/]+)", self._change_user),
            ("DELETE", r"/v3/users/([^/]+)", self._remove_user),
            ("POST", r"/v3/users/([^/]+)/application_credentials", self._make_credential),
            ("GET", r"/v3/projects/([^/]+)", self._project),
        ]
        for method, pattern, do in routes:
            if method == request.method and (found := re.fullmatch(pattern, request.path)):
                try:
                    return do(request, *found.groups())
                except (KeyError, TypeError, ValueError) as error:
                    return refused(400, f"The request is wrong about {error}.")
        return refused(404, f"Could not find {request.path}.")

    # --- tokens --------------------------------------------------------------------------------------------------

    def _tokens(self, request: Request) -> Answer:
        if request.method == "POST":
            try:
                return self._log_in(request)
            except (KeyError, TypeError) as error:
                return refused(400, f"The login lacks {error}.")
        shown = request.headers.get("x-subject-token")
        known = self._read(shown)
        if known is None:
            return refused(404, "Could not recognize the token.")
        if request.method == "DELETE":
            return Answer(204)
        return Answer(200, {"token": self._token(known, request)}, {"X-Subject-Token": shown or ""})

    def _log_in(self, request: Request) -> Answer:
        auth = request.body["auth"]
        identity = auth["identity"]
        credential = None
        if "token" in identity:
            before = self._read(identity["token"]["id"])
            user = None if before is None else before["user"]
        elif "application_credential" in identity:
            credential = self.accounts.by_credential(identity["application_credential"])
            user = None if credential is None else self._made(credential.user)
        else:
            given = identity["password"]["user"]
            self.accounts.secrets["password"].add(given["password"])
            user = self._made(given.get("id", "")) or _named("user", given)
            if not self.accounts.lets_in(user["id"], given["password"]):
                user = None
        if user is None:
            return refused(401, "The request you have made requires authentication.")
        known = {"user": user, "issued": time.time()}
        if credential is None:
            known["project"] = _named("project", auth["scope"]["project"])
        else:
            known["project"] = dict(credential.project)
            known["application_credential"] = credential.ident
        text = base64.urlsafe_b64encode(json.dumps(known).encode()).decode()
        self.accounts.secrets["token"].add(text)
        return Answer(201, {"token": self._token(known, request)}, {"X-Subject-Token": text})

    def _read(self, text: str | None) -> dict[str, Any] | None:
        known = _decoded(text)
        if known is None:
            return None
        good = known["issued"] > self._oldest and time.time() < known["issued"] + self._life
        return known if good and self.accounts.is_good(known) else None

    def _has_rules(self, known: Mapping[str, Any]) -> bool:
        credential = self.accounts.credentials.get(known.get("application_credential", ""))
        return credential is not None and credential.rules is not None

    def _token(self, known: Mapping[str, Any], request: Request) -> dict[str, Any]:
        names = ["member", "reader"]
        if known["user"]["name"].startswith(_SERVICE_USERS):
            names += ["admin", "service"]
        token = {
            "methods": ["password"],
            "user": known["user"],
            "project": known["project"],
            "roles": [{"id": ident("role", name), "name": name} for name in names],
            "issued_at": _precise(known["issued"]),
            "expires_at": _precise(known["issued"] + self._life),
            "audit_ids": [ident("audit", str(known["issued"]))],
            "is_domain": False,
            "catalog": self._catalogue(request.base, known["project"]["id"]),
        }
        credential = self.accounts.credentials.get(known.get("application_credential", ""))
        if credential is not None:
            token["methods"] = ["application_credential"]
            token["application_credential"] = accounts.of_credential(credential)
        return token

    def _catalogue(self, base: str, project: str) -> list[dict[str, Any]]:
        here = {
            service: f"{base}/{SERVICES[service]}" + _ENDPOINTS[service].format(project=project)
            for service in self._services
        }
        return [_entry(service, url) for service, url in {**here, **self.elsewhere}.items()]

    # --- roles ---------------------------------------------------------------------------------------------------

    def _roles(self, request: Request) -> Answer:
        name = request.first("name")
        found = [{"id": ident("role", name), "name": name}] if name else []
        return Answer(200, {"roles": found, "links": {}})

    def _project(self, request: Request, project: str) -> Answer:
        found = {"id": project, "name": project, "domain_id": "default", "enabled": True}
        return Answer(200, {"project": found})

    def _grant(self, request: Request, project: str, user: str, role: str) -> Answer:
        with self._lock:
            self.grants.add((project, user, role))
        return Answer(204)

    def _revoke(self, request: Request, project: str, user: str, role: str) -> Answer:
        with self._lock:
            if (project, user, role) not in self.grants:
                return refused(404, "Could not find the role assignment.")
            self.grants.remove((project, user, role))
        return Answer(204)

    # --- users ---------------------------------------------------------------------------------------------------

    def _domains(self, request: Request) -> Answer:
        name = request.first("name")
        if name is None:
            return Answer(200, {"domains": [], "links": {}})
        key = ident("domain", name)
        self._domain_names[key] = name
        found = {"id": key, "name": name, "enabled": True}
        return Answer(200, {"domains": [found], "links": {}})

    def _users(self, request: Request) -> Answer:
        name, domain = request.first("name"), request.first("domain_id")
        with self.accounts.lock:
            found = [
                accounts.of_user(user)
                for user in self.accounts.users.values()
                if name in (None, user.name) and domain in (None, user.domain)
            ]
        return Answer(200, {"users": found, "links": {}})

    def _make_user(self, request: Request) -> Answer:
        user = self.accounts.make(request.body["user"])
        if user is None:
            return refused(409, "Conflict occurred attempting to store user.")
        return Answer(201, {"user": accounts.of_user(user)})

    def _change_user(self, request: Request, ident: str) -> Answer:
        user = self.accounts.change(ident, request.body["user"])
        if user is None:
            return refused(404, f"Could not find user: {ident}.")
        return Answer(200, {"user": accounts.of_user(user)})

    def _remove_user(self, request: Request, ident: str) -> Answer:
        if not self.accounts.remove(ident):
            return refused(404, f"Could not find user: {ident}.")
        with self._lock:
            self.grants = {grant for grant in self.grants if grant[1] != ident}
        return Answer(204)

    def _make_credential(self, request: Request, user: str) -> Answer:
        """Only who it is for may make one, with a token of his own that has a role in its project."""
        known = self._read(request.headers.get("x-auth-token"))
        if known is None or known["user"]["id"] != user:
            return refused(403, "You are not authorized to perform the requested action.")
        project = known["project"]
        if not any(grant[:2] == (project["id"], user) for grant in self.grants):
            return refused(401, "The request you have made requires authentication.")
        given = request.body["application_credential"]
        made = self.accounts.add_credential(user, project, given)
        shown = accounts.of_credential(made, secret=True)
        return Answer(201, {"application_credential": shown})

    def _made(self, ident: str) -> dict[str, Any] | None:
        """A user that somebody has made, as tokens have him."""
        user = self.accounts.users.get(ident)
        if user is None:
            return None
        domain = {"id": user.domain, "name": self._domain_names.get(user.domain, user.domain)}
        return {"id": user.ident, "name": user.name, "domain": domain}


def _entry(service: str, url: str) -> dict[str, Any]:
    return {
        "type": service,
        "name": service,
        "id": ident("service", service),
        "endpoints": [
            {
                "id": ident("endpoint", f"{service}/{interface}"),
                "interface": interface,
                "region": REGION,
                "region_id": REGION,
                "url": url,
            }
            for interface in ("public", "internal", "admin")
        ],
    }


def refused(status: int, text: str) -> Answer:
    """An error as Keystone words it."""
    titles = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
    titles[409] = "Conflict"
    title = titles.get(status, "Error")
    headers = {"WWW-Authenticate": "Keystone"} if status == 401 else {}
    return Answer(status, {"error": {"code": status, "message": text, "title": title}}, headers)


def _decoded(text: str | None) -> dict[str, Any] | None:
    try:
        known: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text or ""))
    except (ValueError, binascii.Error):
        return None
    return known


def _named(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """A user or project from the id or the name that a login gives."""
    if "id" in given:
        return {"id": given["id"], "name": given["id"], "domain": _DOMAIN}
    return {"id": ident(kind, given["name"]), "name": given["name"], "domain": _DOMAIN}


def _version(url: str) -> dict[str, Any]:
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": f"{url}/v3/"}],
        "media-types": [
            {"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}
        ],
    }


def _precise(moment: float) -> str:
    return in_iso(moment).replace("Z", ".000000Z")
