"""What the cloud's Keystone has: the people, the services' own accounts, the catalogue."""

import dataclasses
from collections.abc import Iterable

from keystoneauth1.session import Session

from tools.openstack import config, keystone
from tools.openstack.choices import AUTH_URL
from tools.openstack.keystone import Domain, Grant, Project, User, Wanted
from tools.openstack.people import PEOPLE, person
from tools.openstack.services.base import Service, Site
from tools.openstack.services.orchestration import STACK_DOMAIN, STACK_DOMAIN_ADMIN

# Roles of Keystone's own bootstrap are not listed. heat_stack_owner is what the service grants itself in a
# bay's project; the others are asked for by the default policies of the optional services.
_ROLES = ("heat_stack_owner", "heat_stack_user", "service")
OPTIONAL_ROLES = {"barbican": "creator", "octavia": "load-balancer_member"}


def member_roles(extras: Iterable[str]) -> tuple[str, ...]:
    """What somebody needs, beside ``member``, to use the optional services."""
    return tuple(OPTIONAL_ROLES[name] for name in sorted(extras) if name in OPTIONAL_ROLES)


def wanted(
    services: Iterable[Service], passwords: config.Passwords, extras: frozenset[str]
) -> Wanted:
    """Domains, projects, roles, users, grants and the catalogue of the cloud, without our own service."""
    services = tuple(services)
    accounts = [service.user for service in services if service.user is not None]
    # Nova is configured with Cinder's account whether Cinder is there or not.
    accounts += [] if "cinder" in accounts else ["cinder"]
    roles = member_roles(extras)
    grants = [Grant(person.name, person.role, person.project) for person in PEOPLE]
    grants += [
        Grant(person.name, role, person.project)
        for person in PEOPLE
        if person.role == "member"
        for role in roles
    ]
    grants += [Grant(name, role, "service") for name in accounts for role in ("admin", "service")]
    ordinary = [person.name for person in PEOPLE if person.name != "admin"]
    stack_admin = User(STACK_DOMAIN_ADMIN, passwords[STACK_DOMAIN_ADMIN], domain=STACK_DOMAIN)
    grants.append(Grant(STACK_DOMAIN_ADMIN, "admin", domain=STACK_DOMAIN, user_domain=STACK_DOMAIN))
    return Wanted(
        domains=(Domain(STACK_DOMAIN, "users that belong to stacks"),),
        projects=tuple(Project(name) for name in ("service", "demo", "other")),
        roles=(*_ROLES, *OPTIONAL_ROLES.values()),
        users=(
            *(User(name, passwords[name]) for name in (*ordinary, *accounts)),
            stack_admin,
        ),
        grants=tuple(grants),
        services=tuple(entry for service in services for entry in service.catalogue),
    )


def public(wish: Wanted, site: Site) -> Wanted:
    """The same wish, with a catalogue of the addresses at which users and nodes find the services.

    Keystone's own entry is in it too: its bootstrap only ever writes the address that it has at first.
    """
    known = keystone.Service("keystone", "identity", f"{AUTH_URL}/v3")
    entries = (
        dataclasses.replace(one, url=site.public(one.url)) for one in (known, *wish.services)
    )
    return dataclasses.replace(wish, services=tuple(entries))


def session(name: str, auth_url: str, passwords: config.Passwords) -> Session:
    """A session of one of ``PEOPLE`` in their project."""
    who = person(name)
    return keystone.login(auth_url, who.name, passwords[who.name], who.project)
