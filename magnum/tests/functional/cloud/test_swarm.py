"""The main job on a real Keystone, Heat, Nova and Neutron: a Swarm bay's whole life, and what must not disturb it."""

import uuid
from typing import Any

import pytest
from keystoneauth1.session import Session

from magnum.drivers.swarm_atomic_v1.version import version
from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Magnum, Tenant
from magnum.tests.functional.cloud.conftest import CLOUDS_OWN_PORT, Service

#: A whole life is some five changes of a cluster.
pytestmark = pytest.mark.timeout(5 * client.PATIENCE)


@pytest.mark.parametrize(
    ("database_url", "broker"),
    [("postgresql", True), ("mysql", False)],
    ids=["postgresql-rabbit", "mysql-no-broker"],
    indirect=["database_url"],
)
def test_a_bay_lives_and_leaves_nothing(
    service: Service, broker: bool, tenant: Tenant, admin: Session, reporting: dict[str, str]
) -> None:
    before = client.holdings(admin, tenant)
    magnum = Magnum(tenant.session, service.port)
    model = magnum.baymodel(**reporting)
    made = magnum.make("/bays", name="b1", baymodel_id=model, node_count=1)["uuid"]
    bay = magnum.settled(made, "CREATE_COMPLETE")
    assert len(bay["master_addresses"]) == 1
    assert len(bay["node_addresses"]) == 1
    assert bay["api_address"].startswith("tcp://172.24.")
    assert (bay["driver"], bay["driver_version"]) == ("swarm_atomic_v1", version)
    (stack,) = client.stacks(tenant)
    assert (stack["stack_name"], stack["id"]) == (f"bay-{made}", bay["stack_id"])

    bay = magnum.scale(made, 3)
    assert (bay["node_count"], len(set(bay["node_addresses"]))) == (3, 3)
    kept = magnum.scale(made, 2)["node_addresses"]
    assert len(kept) == 2 and set(kept) < set(bay["node_addresses"])

    magnum.delete(made)
    assert client.holdings(admin, tenant) == before
    client.until(lambda: not client.roles_of_the_service(admin, tenant))


def test_an_application_credential_is_enough_and_the_creator_may_go(
    tenant: Tenant, admin: Session, reporting: dict[str, str]
) -> None:
    magnum = Magnum(client.application_credential(tenant), CLOUDS_OWN_PORT)
    model = magnum.baymodel(**reporting)
    made = magnum.make("/bays", name="b1", baymodel_id=model, node_count=1)["uuid"]
    # With the user goes every credential and token of theirs.
    client.service(admin, "identity").delete(f"/users/{tenant.user_id}")
    name, password = f"heir-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    heir = client.add_member(admin, tenant.project_id, name, password)
    try:
        successor = Magnum(
            client.member_session(name, password, tenant.project_id), CLOUDS_OWN_PORT
        )
        assert len(successor.settled(made, "CREATE_COMPLETE")["node_addresses"]) == 1
        assert successor.scale(made, 2)["node_count"] == 2
        successor.delete(made)
    finally:
        client.service(admin, "identity").delete(f"/users/{heir}")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_conductor_killed_in_the_middle_is_no_loss(
    service: Service, tenant: Tenant, reporting: dict[str, str]
) -> None:
    magnum = Magnum(tenant.session, service.port)
    model = magnum.baymodel(**reporting)
    made = magnum.make("/bays", name="b1", baymodel_id=model)["uuid"]
    client.until(lambda: client.stacks(tenant))
    service.kill_conductor()
    assert magnum.bay(made)["status"] == "CREATE_IN_PROGRESS"
    service.start()
    magnum.settled(made, "CREATE_COMPLETE")
    assert len(client.stacks(tenant)) == 1
    magnum.delete(made)
    assert client.stacks(tenant) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_another_projects_bay_is_not_there(
    service: Service, tenant: Tenant, admin: Session
) -> None:
    owner = Magnum(tenant.session, service.port)
    model = owner.make(
        "/baymodels", name="m", driver="noop_v1", image_id="fedora-atomic", keypair_id=None
    )
    made = owner.make("/bays", name="b1", baymodel_id=model["uuid"])["uuid"]
    with client.tenant(admin) as stranger:
        other = Magnum(stranger.session, service.port)
        patch = [{"op": "replace", "path": "/node_count", "value": 2}]
        for path in (f"/bays/{made}", "/bays/b1", f"/baymodels/{model['uuid']}"):
            for method, body in (("GET", None), ("PATCH", patch), ("DELETE", None)):
                answer = other.call(method, path, **({"json": body} if body else {}))
                assert answer.status_code == 404, (method, path, answer.text)
        assert other.call("GET", "/bays").json()["bays"] == []
    assert Magnum(admin, service.port).bay(made)["uuid"] == made


def test_nodes_are_rebuilt_and_restarted_and_stay_what_they_are(
    tenant: Tenant, admin: Session
) -> None:
    magnum = Magnum(tenant.session, CLOUDS_OWN_PORT)
    made = magnum.make("/bays", name="b1", baymodel_id=magnum.baymodel(), node_count=2)["uuid"]
    before = magnum.settled(made, "CREATE_COMPLETE")
    nova = client.service(tenant.session, "compute")

    def servers() -> dict[str, str]:
        return {one["id"]: one["name"] for one in nova.get("/servers").json()["servers"]}

    known = servers()
    named = next(name for name in known.values() if "-node-" in name)
    wanted: tuple[tuple[str, dict[str, Any]], ...] = (
        ("rebuild", {"batch_size": 2}),
        ("soft_reboot", {"nodes": [named]}),
        ("hard_reboot", {"nodes": [named]}),
    )
    for action, body in wanted:
        ended = magnum.act(made, action, **body)
        assert (ended["state"], ended["error"]) == ("DONE", None)
        assert ended["done"] == ended["total"] == (3 if action == "rebuild" else 1)
    after = magnum.settled(made, "UPDATE_COMPLETE")
    assert servers() == known
    for fact in ("uuid", "api_address", "node_addresses", "master_addresses", "stack_id"):
        assert after[fact] == before[fact]
    actions = {
        one["action"]
        for ident in known
        for one in nova.get(f"/servers/{ident}/os-instance-actions").json()["instanceActions"]
    }
    assert {"rebuild", "reboot"} <= actions
    magnum.delete(made)
