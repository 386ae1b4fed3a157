"""The stand-in's users that somebody has made, with their application credentials. All others simply exist.

Who was made can be removed and given another password, and what that does to his tokens is what Keystone does.
"""

import re
import secrets
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class User:
    """Somebody who was made. Tokens of the second ``revoked`` or before are no good any more."""

    ident: str
    name: str
    domain: str
    password: str
    revoked: float = 0.0


@dataclass(frozen=True, slots=True)
class Credential:
    """An application credential. ``rules`` is None where it may be used for everything."""

    ident: str
    name: str
    user: str
    project: Mapping[str, Any]
    rules: Sequence[Mapping[str, Any]] | None
    secret: str = field(repr=False)


class Accounts:
    """Users and application credentials."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users: dict[str, User] = {}
        self.credentials: dict[str, Credential] = {}
        #: Ids of users that are no more.
        self.gone: set[str] = set()
        #: Everything that nobody else may ever see: tokens, passwords, secrets of credentials.
        self.secrets: dict[str, set[str]] = {"token": set(), "password": set(), "credential": set()}

    # --- who may come in -----------------------------------------------------------------------------------------

    def is_good(self, known: Mapping[str, Any]) -> bool:
        """Whether a token of somebody is still good, by who he is and what it was given for."""
        user = self.users.get(known["user"]["id"])
        if user is not None and int(known["issued"]) <= int(user.revoked):
            return False
        credential = known.get("application_credential")
        return known["user"]["id"] not in self.gone and (
            credential is None or credential in self.credentials
        )

    def lets_in(self, ident: str, password: str) -> bool:
        """Whether a password is right. Who was not made here may come in with any."""
        user = self.users.get(ident)
        return ident not in self.gone and (user is None or user.password == password)

    def by_credential(self, given: Mapping[str, Any]) -> Credential | None:
        """The credential that a login gives, if its secret is right."""
        found = self.credentials.get(given.get("id", ""))
        return found if found is not None and found.secret == given.get("secret") else None

    # --- what is made and goes -----------------------------------------------------------------------------------

    def make(self, given: Mapping[str, Any]) -> User | None:
        """A new user, None where the domain has one of that name."""
        with self.lock:
            name, domain = given["name"], given["domain_id"]
            if any((one.name, one.domain) == (name, domain) for one in self.users.values()):
                return None
            self.secrets["password"].add(given["password"])
            user = User(uuid.uuid4().hex, name, domain, given["password"])
            self.users[user.ident] = user
            return user

    def change(self, ident: str, given: Mapping[str, Any]) -> User | None:
        """Another password; None where there is no such user."""
        with self.lock:
            user = self.users.get(ident)
            if user is not None and "password" in given:
                self.secrets["password"].add(given["password"])
                user.password, user.revoked = given["password"], time.time()
            return user

    def remove(self, ident: str) -> bool:
        """The user and all that he has; False where there is no such user."""
        with self.lock:
            if self.users.pop(ident, None) is None:
                return False
            self.gone.add(ident)
            for credential in [one for one in self.credentials.values() if one.user == ident]:
                del self.credentials[credential.ident]
            return True

    def add_credential(
        self, user: str, project: Mapping[str, Any], given: Mapping[str, Any]
    ) -> Credential:
        """A new application credential of somebody, for the project of his token."""
        for rule in given.get("access_rules") or ():
            if rule.keys() != {"service", "method", "path"} or not re.match("/.", rule["path"]):
                raise ValueError("access_rules")
        made = Credential(
            uuid.uuid4().hex,
            given["name"],
            user,
            project,
            given.get("access_rules"),
            secrets.token_urlsafe(32),
        )
        with self.lock:
            self.secrets["credential"].add(made.secret)
            self.credentials[made.ident] = made
        return made


def of_user(user: User) -> dict[str, Any]:
    """A user as Keystone shows him."""
    return {"id": user.ident, "name": user.name, "domain_id": user.domain, "enabled": True}


def of_credential(credential: Credential, *, secret: bool = False) -> dict[str, Any]:
    """A credential as Keystone shows it; its secret once, to who has made it."""
    shown: dict[str, Any] = {
        "id": credential.ident,
        "name": credential.name,
        "project_id": credential.project["id"],
        "unrestricted": False,
    }
    if credential.rules is not None:
        shown["access_rules"] = [dict(rule) for rule in credential.rules]
    if secret:
        shown["secret"] = credential.secret
    return shown
