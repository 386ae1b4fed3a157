"""Seeding Keystone: what should exist is data, and ``seed`` makes the difference true.

Speaks the Identity v3 API through keystoneauth, with one list request per noun and one request per thing
that is missing, so that a second run costs a handful of requests. Runs in an environment that has
keystoneauth1; it does not import openstacksdk, whose import alone takes longer than the seeding.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keystoneauth1 import adapter, exceptions, session
from keystoneauth1.identity import v3

from tools.openstack import config

DEFAULT = "Default"
INTERFACES = ("public", "internal", "admin")


@dataclass(frozen=True)
class Domain:
    """A Keystone domain."""

    name: str
    description: str = ""


@dataclass(frozen=True)
class Project:
    """A project, by the name of its domain."""

    name: str
    domain: str = DEFAULT


@dataclass(frozen=True)
class User:
    """A user. The password is set when the user is created, not corrected later."""

    name: str
    password: str
    domain: str = DEFAULT


@dataclass(frozen=True)
class Grant:
    """A role that ``user`` has in a project, or in a domain when ``project`` is None.

    :param domain: the domain of the project, or the domain itself.
    """

    user: str
    role: str
    project: str | None = None
    domain: str = DEFAULT
    user_domain: str = DEFAULT


@dataclass(frozen=True)
class Service:
    """A catalogue entry with the same URL for all three interfaces."""

    name: str
    type: str
    url: str


@dataclass(frozen=True)
class Wanted:
    """Everything that ``seed`` shall find or create."""

    domains: tuple[Domain, ...] = ()
    projects: tuple[Project, ...] = ()
    roles: tuple[str, ...] = ()
    users: tuple[User, ...] = ()
    grants: tuple[Grant, ...] = ()
    services: tuple[Service, ...] = ()
    region: str = config.REGION


def plus(one: Wanted, other: Wanted) -> Wanted:
    """Both wishes together (the region is that of ``one``)."""
    return Wanted(
        domains=one.domains + other.domains,
        projects=one.projects + other.projects,
        roles=one.roles + other.roles,
        users=one.users + other.users,
        grants=one.grants + other.grants,
        services=one.services + other.services,
        region=one.region,
    )


def login(auth_url: str, username: str, password: str, project: str) -> session.Session:
    """A session of a user of the default domain, scoped to a project.

    :param auth_url: Keystone without a version, such as ``http://127.0.0.1:5000``.
    """
    auth = v3.Password(
        auth_url=f"{auth_url}/v3",
        username=username,
        password=password,
        project_name=project,
        user_domain_name=DEFAULT,
        project_domain_name=DEFAULT,
    )
    return session.Session(auth=auth)


def seed(admin: session.Session, auth_url: str, wanted: Wanted) -> int:
    """Create what ``wanted`` names and Keystone does not have; returns how many things that were.

    A service's URL is corrected when it differs. Nothing is ever deleted.
    """
    return _Seeder(admin, auth_url).run(wanted)


class _Seeder:
    """One run over one Keystone: ids by name, and a count of what had to be made."""

    def __init__(self, admin: session.Session, auth_url: str) -> None:
        self._api = adapter.Adapter(admin, endpoint_override=f"{auth_url}/v3")
        self._made = 0

    def run(self, wanted: Wanted) -> int:
        domains = {item["name"]: item["id"] for item in self._list("domains")}
        for domain in wanted.domains:
            if domain.name not in domains:
                body = {"name": domain.name, "description": domain.description}
                domains[domain.name] = self._create("domain", body)
        projects = {
            (item["domain_id"], item["name"]): item["id"] for item in self._list("projects")
        }
        for project in wanted.projects:
            key = (domains[project.domain], project.name)
            if key not in projects:
                projects[key] = self._create("project", {"domain_id": key[0], "name": key[1]})
        roles = {item["name"]: item["id"] for item in self._list("roles")}
        for name in wanted.roles:
            if name not in roles:
                roles[name] = self._create("role", {"name": name})
        users = {(item["domain_id"], item["name"]): item["id"] for item in self._list("users")}
        for user in wanted.users:
            key = (domains[user.domain], user.name)
            if key not in users:
                body = {"domain_id": key[0], "name": key[1], "password": user.password}
                users[key] = self._create("user", body)
        self._grant(wanted.grants, domains, projects, roles, users)
        self._catalogue(wanted.services, wanted.region)
        return self._made

    def _grant(
        self,
        grants: tuple[Grant, ...],
        domains: Mapping[str, str],
        projects: Mapping[tuple[str, str], str],
        roles: Mapping[str, str],
        users: Mapping[tuple[str, str], str],
    ) -> None:
        present = {
            (kind, item["scope"][kind]["id"], item["user"]["id"], item["role"]["id"])
            for item in self._list("role_assignments")
            for kind in ("project", "domain")
            if kind in item["scope"] and "user" in item
        }
        for grant in grants:
            domain = domains[grant.domain]
            kind = "domain" if grant.project is None else "project"
            scope = domain if grant.project is None else projects[domain, grant.project]
            user = users[domains[grant.user_domain], grant.user]
            role = roles[grant.role]
            if (kind, scope, user, role) not in present:
                self._api.put(f"/{kind}s/{scope}/users/{user}/roles/{role}")
                self._made += 1

    def _catalogue(self, services: tuple[Service, ...], region: str) -> None:
        if region not in {item["id"] for item in self._list("regions")}:
            self._create("region", {"id": region})
        ids = {(item["name"], item["type"]): item["id"] for item in self._list("services")}
        endpoints = {
            (item["service_id"], item["interface"]): item for item in self._list("endpoints")
        }
        for service in services:
            key = (service.name, service.type)
            if key not in ids:
                ids[key] = self._create("service", {"name": service.name, "type": service.type})
            for interface in INTERFACES:
                known = endpoints.get((ids[key], interface))
                body = {"service_id": ids[key], "interface": interface, "url": service.url}
                if known is None:
                    self._create("endpoint", {**body, "region_id": region})
                elif known["url"] != service.url:
                    self._api.patch(f"/endpoints/{known['id']}", json={"endpoint": body})
                    self._made += 1

    def _list(self, collection: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._api.get(f"/{collection}").json()[collection]
        return items

    def _create(self, noun: str, body: Mapping[str, str]) -> str:
        try:
            answer = self._api.post(f"/{noun}s", json={noun: body})
        except exceptions.Conflict as conflict:
            raise RuntimeError(f"{noun} {body.get('name')}: {conflict}") from conflict
        self._made += 1
        return str(answer.json()[noun]["id"])
