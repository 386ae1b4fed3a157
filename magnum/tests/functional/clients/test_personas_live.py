"""The personas with users, roles and tokens of a real Keystone: all routes that read, and a sample of those that write.

Who may do what is in :mod:`magnum.tests.personas`. What a persona is refused is asked for on every route.
"""

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from magnum.api import routes
from magnum.api.routing import Route
from magnum.tests.functional.clients.conftest import Place
from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import AUTH_URL, Magnum, Tenant
from magnum.tests.functional.cloud.conftest import Service
from magnum.tests.functional.cloud.test_bay_user import Conductor, a_node, conductor
from magnum.tests.keys import a_request
from magnum.tests.personas import ANSWERS, answered, expected
from magnum.tests.world import Things
from tools.openstack import config
from tools.openstack.magnum import DOMAIN

__all__ = ["conductor"]

#: A role that means something to others.
GUESTS = "heat_stack_user"
#: What the access rules of a node's credential let through beside certificates.
REPORTING = ("PATCH", "/v1/clusters/{}")
NOOP = {"coe": "noop", "image_id": "fedora-atomic", "keypair_id": None}
#: What is not only refused to some but also done for the others, again and again; and with which body, where it is not
#: that of the unit tests.
SAMPLE: dict[str, Any] = {
    "baymodel:create": NOOP,
    "clustertemplate:create": NOOP,
    "bay:update": [{"op": "replace", "path": "/node_count", "value": 1}],
    "cluster:update": [{"op": "replace", "path": "/node_count", "value": "1"}],
    "ext:call_post": {"text": "hello"},
    **dict.fromkeys(("baymodel:update", "clustertemplate:update", "nodegroup:update")),
    **dict.fromkeys(("certificate:create", "placement:create", "preview:create", "quota:update")),
}


@pytest.fixture
def service(place: Place) -> Service:
    """For the fixture ``conductor``."""
    return place.service


@pytest.fixture
def things(place: Place, tenant: Tenant, admins_api: Magnum) -> Iterator[Things]:
    """What the project has: a bay of the driver that only pretends, with a group of its own."""
    creator = place.api(tenant.session)
    public = admins_api.make("/baymodels", name="everybodys", public=True, **NOOP)["uuid"]
    spare = creator.make("/baymodels", name="spare", **NOOP)["uuid"]
    bay = creator.make("/bays", name="bay", baymodel_id=public, node_count=1)["uuid"]
    created = creator.operation(bay)["uuid"]
    creator.settled(bay, "CREATE_COMPLETE")
    group = creator.make(f"/clusters/{bay}/nodegroups", name="gpu")["uuid"]
    creator.settled(bay, "UPDATE_COMPLETE")
    admins_api.make("/quotas", project_id=tenant.project_id, hard_limit=9)
    yield Things(bay, group, created, spare, public, a_request(), tenant.project_id, "noop_v1")
    creator.delete(bay)
    for path in (f"/baymodels/{public}", f"/quotas/{tenant.project_id}/Cluster"):
        assert admins_api.call("DELETE", path).status_code == 204


@contextlib.contextmanager
def user(admin: Session, project_id: str, role: str, domain: str = "Default") -> Iterator[Session]:
    """Somebody with one role in a project; removed afterwards."""
    identity = client.service(admin, "identity")
    (domain_id,) = (
        one["id"] for one in identity.get("/domains").json()["domains"] if one["name"] == domain
    )
    (role_id,) = (
        one["id"] for one in identity.get("/roles").json()["roles"] if one["name"] == role
    )
    password = uuid.uuid4().hex
    body = {"name": f"{role}-{password[:8]}", "domain_id": domain_id, "password": password}
    ident = identity.post("/users", json={"user": body}).json()["user"]["id"]
    try:
        identity.put(f"/projects/{project_id}/users/{ident}/roles/{role_id}")
        yield Session(
            v3.Password(AUTH_URL, user_id=ident, password=password, project_id=project_id)
        )
    finally:
        identity.delete(f"/users/{ident}")


@pytest.fixture
def people(
    tenant: Tenant,
    things: Things,
    conductor: Conductor,
    admin: Session,
    passwords: config.Passwords,
) -> Iterator[dict[str, Session]]:
    """The personas, and the own user of another bay, whose credential is no narrower than its roles."""
    project = tenant.project_id
    system = v3.Password(
        AUTH_URL,
        username="admin",
        password=passwords["admin"],
        user_domain_id="default",
        system_scope="all",
    )
    with contextlib.ExitStack() as after:
        enter = after.enter_context
        yield {
            "nobody": Session(),
            "guest": enter(user(admin, project, GUESTS)),
            "reader": enter(user(admin, project, "reader")),
            "member": enter(user(admin, project, "member")),
            "creator": tenant.session,
            "manager": enter(user(admin, project, "manager")),
            "admin": admin,
            "system": Session(system),
            "stranger": enter(client.tenant(admin)).session,
            "node": a_node(conductor.credential(things.bay)),
            "another node": enter(user(admin, project, "member", DOMAIN)),
        }


def test_every_persona_is_answered_as_the_table_says(
    place: Place, people: dict[str, Session], things: Things, admins_api: Magnum
) -> None:
    assert people.keys() - {"another node"} == set(ANSWERS["open"])
    # Keystone itself says of a manager that he is a member and a reader, too.
    assert roles_of(people["reader"]) == {"reader"}
    assert roles_of(people["member"]) == {"member", "reader"}
    assert roles_of(people["manager"]) == {"manager", "member", "reader"}
    wrong = []
    for persona, session in people.items():
        api = Adapter(
            session,
            endpoint_override=f"http://127.0.0.1:{place.service.port}",
            additional_headers={"OpenStack-API-Version": "container-infra latest"},
        )
        for route in routes.table():
            should = expectation(route, persona)
            if should == "2xx" and route.method != "GET" and route.policy not in SAMPLE:
                continue
            body = SAMPLE.get(route.policy or "") or things.body(route)
            options = {} if body is None else {"json": body}
            answer = api.request(things.path(route), route.method, raise_exc=False, **options)
            if answered(answer.status_code) != should:
                told = f"{answer.status_code}, not {should}: {answer.text[:300]}"
                wrong.append(f"{persona}: {route.method} {route.path}: {told}")
            elif route.policy in ("baymodel:create", "clustertemplate:create") and answer.ok:
                made = answer.json()["uuid"]
                assert admins_api.call("DELETE", f"/baymodels/{made}").status_code == 204
    assert not wrong, "\n".join(wrong)
    bay = admins_api.bay(things.bay)
    assert (bay["status"], bay["node_count"]) == ("UPDATE_COMPLETE", 2), "somebody changed the bay"


def expectation(route: Route, persona: str) -> str:
    """What the table says; and what the access rules of a bay's own credential say before any policy is asked."""
    should = expected(route.policy, route.path, "node" if persona == "another node" else persona)
    # A node may report its cluster's health, so there it is the policy that refuses another change.
    if persona == "node" and should == "403" and (route.method, route.path) != REPORTING:
        return "401"
    if persona == "another node" and route.policy is not None:
        return "403"
    return should


def roles_of(session: Session) -> set[str]:
    assert isinstance(session.auth, v3.Password)
    return set(session.auth.get_access(session).role_names or ())
