"""A bay's own user, and the application credential of it that the bay's nodes hold (``design.md``, section 6).

The user lives in a domain that is set aside for such users, and has a role in the bay's project. Its credential has
access rules: it can fetch the bay's CA and have requests signed by it, in this service, and do nothing else anywhere.
Nobody knows the user's password: it is random, set at the moment in which the credential is made, and forgotten.
"""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import tenacity
from keystoneauth1 import exceptions as keystone
from keystoneauth1.adapter import Adapter
from keystoneauth1.exceptions import ClientException

from magnum.conf import CONF
from magnum.identity.sessions import ServiceIdentity

#: Our own type in the service catalogue, which access rules name.
SERVICE_TYPE = "container-infra"

#: What a node may ask of us, below our version: its bay's certificates, and to report its bay's health; the policy
#: refuses it any other change. ``{bay}`` is the bay's uuid.
_ALLOWED = (
    ("GET", "/certificates/{bay}"),
    ("GET", "/certificates/{bay}/*"),
    ("POST", "/certificates"),
    ("PATCH", "/clusters/{bay}"),
)
_VERSION = "/v1"


#: A changed password revokes tokens of the same second, that which was got with the new one too. In seconds.
_SETTLES = 1.1


class NotSetUp(Exception):
    """Something that bays' users need is not there: in the configuration, or in Keystone. The text says what."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where nodes find Keystone's version 3 and our version 1, without a slash at the end."""

    auth_url: str
    service_url: str


@dataclass(frozen=True, slots=True)
class Credential:
    """An application credential, and the user whose it is."""

    user_id: str
    ident: str
    secret: str = field(repr=False)


class BayUsers:
    """Makes and removes bays' users. All of it may be repeated.

    Methods raise NotSetUp, and keystoneauth's exceptions where Keystone refuses or does not answer. ``request_id`` is
    the id of the request that something is done for, which Keystone's log then has too.
    """

    def __init__(self, identity: ServiceIdentity) -> None:
        self._identity = identity
        self._ids: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def endpoints(self) -> Endpoints:
        """What nodes are told."""
        interface = CONF.trust.trustee_keystone_interface
        region = CONF.trust.trustee_keystone_region_name
        auth_url = self._identity.address("identity", interface, region)
        service_url = self._identity.address(SERVICE_TYPE, interface, region)
        if auth_url is None or service_url is None:
            missing = SERVICE_TYPE if service_url is None else "identity"
            raise NotSetUp(
                f"The service catalogue has no {interface} endpoint of the service {missing}, which nodes need."
            )
        return Endpoints(_versioned(auth_url, "/v3"), _versioned(service_url, _VERSION))

    def make(self, bay: str, project_id: str, request_id: str | None) -> Credential:
        """A new credential of the bay's user, who is made first where he is not there."""
        rules = access_rules(bay, self.endpoints().service_url)
        admin = self._identity.keystone(request_id)
        password = _password()
        user_id = self._user(admin, bay, password)
        for role in CONF.trust.roles:
            role_id = self._id_of(admin, "role", role, "[trust] roles")
            admin.put(f"/projects/{project_id}/users/{user_id}/roles/{role_id}")
        own = self._identity.keystone_as(user_id, password, project_id, request_id)
        body = {
            "name": f"nodes-{secrets.token_hex(4)}",
            "description": f"The nodes of bay {bay}",
            "access_rules": rules,
            "unrestricted": False,
        }
        path = f"/users/{user_id}/application_credentials"
        try:
            answer = _once_let_in(own.post, path, json={"application_credential": body}, log=False)
        except keystone.Unauthorized as error:
            raise ClientException(
                f"Keystone does not take the password that the user of bay {bay} was given just now: another conductor"
                " may have given him one too"
            ) from error
        made = _of(answer, "application_credential")
        return Credential(user_id, str(made["id"]), str(made["secret"]))

    def remove(self, bay: str, user_id: str | None, request_id: str | None) -> None:
        """Remove the bay's user with all that he has; one that is not there is fine.

        :param user_id: None where it is not known whether there is one, and under which id.
        """
        admin = self._identity.keystone(request_id)
        if user_id is None:
            user_id = self._find(admin, bay)
        if user_id is not None:
            try:
                admin.delete(f"/users/{user_id}")
            except keystone.NotFound:
                pass

    def _user(self, admin: Adapter, bay: str, password: str) -> str:
        """The id of the bay's user, who has this password from now on."""
        body = {
            "name": name_of(bay),
            "domain_id": self._domain(admin),
            "description": f"The own user of bay {bay}",
            "enabled": True,
            "password": password,
            # Whatever Keystone asks of people's passwords: this one is used once, at once.
            "options": {
                "ignore_change_password_upon_first_use": True,
                "ignore_password_expiry": True,
            },
        }
        try:
            return str(_of(admin.post("/users", json={"user": body}, log=False), "user")["id"])
        except keystone.Conflict:
            found = self._find(admin, bay)
        if found is None:
            raise ClientException(
                f"Keystone says that the user of bay {bay} is there and shows none"
            )
        change = {"password": password, "enabled": True}
        admin.patch(f"/users/{found}", json={"user": change}, log=False)
        return found

    def _find(self, admin: Adapter, bay: str) -> str | None:
        query = {"name": name_of(bay), "domain_id": self._domain(admin)}
        found = _of(admin.get("/users", params=query), "users")
        return str(found[0]["id"]) if found else None

    def _domain(self, admin: Adapter) -> str:
        if ident := CONF.trust.trustee_domain_id:
            return str(ident)
        if not (name := CONF.trust.trustee_domain_name):
            raise NotSetUp(
                "No domain is configured for the bays' own users. Make one"
                " (`openstack domain create magnum`), and name it in [trust] trustee_domain_id or trustee_domain_name"
                " of every API and conductor."
            )
        return self._id_of(admin, "domain", name, "[trust] trustee_domain_name")

    def _id_of(self, admin: Adapter, noun: str, name: str, option: str) -> str:
        with self._lock:
            known = self._ids.get((noun, name))
        if known is None:
            found = _of(admin.get(f"/{noun}s", params={"name": name}), f"{noun}s")
            if not found:
                raise NotSetUp(f"Keystone has no {noun} '{name}'. Make it, or change {option}.")
            known = str(found[0]["id"])
            with self._lock:
                self._ids[noun, name] = known
        return known


@tenacity.retry(
    retry=tenacity.retry_if_exception_type(keystone.Unauthorized),
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_fixed(_SETTLES),
    reraise=True,
)
def _once_let_in(ask: Callable[..., Any], path: str, **options: Any) -> Any:
    """Ask Keystone as somebody whose password was set just now."""
    return ask(path, **options)


def name_of(bay: str) -> str:
    """Name of the own user of the bay with this uuid."""
    return f"bay-{bay}"


def is_configured() -> bool:
    """Whether there is a domain for bays' users."""
    return bool(CONF.trust.trustee_domain_id or CONF.trust.trustee_domain_name)


def access_rules(bay: str, service_url: str) -> list[dict[str, str]]:
    """What the credential of a bay's nodes may ask of this service.

    keystonemiddleware compares the whole path that our process sees: with what the API is mounted under, unless a
    proxy has taken that away. So each rule is there in both forms where they differ.
    """
    prefix = urlsplit(service_url).path.removesuffix(_VERSION)
    return [
        {
            "service": SERVICE_TYPE,
            "method": method,
            "path": f"{before}{_VERSION}{path}".format(bay=bay),
        }
        for before in dict.fromkeys((prefix, ""))
        for method, path in _ALLOWED
    ]


def _password() -> str:
    """Long and random; the end pleases rules about which characters have to be there."""
    return f"{secrets.token_urlsafe(36)}aA1!"


def _versioned(url: str, version: str) -> str:
    url = url.rstrip("/")
    return url if url.endswith(version) else f"{url}{version}"


def _of(answer: Any, key: str) -> Any:
    """What an answer has under a key. Raises ClientException where it makes no sense."""
    try:
        return answer.json()[key]
    except (ValueError, LookupError, TypeError) as error:
        raise ClientException(f"Keystone gave an answer without {key}") from error
