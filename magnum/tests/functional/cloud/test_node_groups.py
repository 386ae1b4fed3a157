"""Node groups on a real Heat: one comes, changes its size, loses a node that is named, and goes, also with its bay."""

from typing import Any

import pytest
from keystoneauth1.session import Session

from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Magnum, Tenant
from magnum.tests.functional.cloud.conftest import Service

#: Some eight changes of a cluster.
pytestmark = pytest.mark.timeout(8 * client.PATIENCE)

KINDS: dict[str, dict[str, Any]] = {
    "swarm": {},
    "kubernetes": {"coe": "kubernetes", "image_id": "fedora"},
}


def group_of(magnum: Magnum, bay: str, name: str = "gpu") -> dict[str, Any]:
    """A group once nothing is under way with it; it must have ended well."""

    def settled() -> dict[str, Any] | None:
        found: dict[str, Any] = magnum.call("GET", f"/clusters/{bay}/nodegroups/{name}").json()
        if found["status"].endswith("_IN_PROGRESS"):
            return None
        assert found["status"].endswith("_COMPLETE"), (found["status"], found["status_reason"])
        return found

    found: dict[str, Any] = client.until(settled)
    return found


def resize(magnum: Magnum, bay: str, name: str, count: int, *gone: str) -> dict[str, Any]:
    """Bring a group to a number of nodes; those that are named go."""
    body = {"node_count": count, "nodegroup": name, "nodes_to_remove": list(gone)}
    ended = magnum.act(bay, "resize", **body)
    assert (ended["state"], ended["error"]) == ("DONE", None), ended
    return group_of(magnum, bay, name)


def servers(tenant: Tenant) -> dict[str, dict[str, Any]]:
    """The tenant's servers by their ids."""
    nova = client.service(tenant.session, "compute")
    return {one["id"]: one for one in nova.get("/servers/detail").json()["servers"]}


def of_group(tenant: Tenant, uuid: str) -> set[str]:
    return {
        ident for ident, one in servers(tenant).items() if one["metadata"]["magnum_group"] == uuid
    }


def members(tenant: Tenant, stack_id: str) -> dict[str, str]:
    """The nodes of a group as an autoscaler finds them: from the stack of the group by its resource of a fixed name."""
    heat = client.service(tenant.session, "orchestration")
    stack = heat.get(f"/stacks/{stack_id}").json()["stack"]
    where = f"/stacks/{stack['stack_name']}/{stack['id']}/resources/kube_minions"
    nested = heat.get(where).json()["resource"]["physical_resource_id"]
    outputs = heat.get(f"/stacks/{nested}").json()["stack"]["outputs"]
    found: dict[str, str] = next(
        o["output_value"] for o in outputs if o["output_key"] == "refs_map"
    )
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_group_lives_and_leaves_nothing(
    service: Service, tenant: Tenant, admin: Session, reporting: dict[str, str], kind: str
) -> None:
    before = client.holdings(admin, tenant)
    magnum = Magnum(tenant.session, service.port)
    model = magnum.baymodel(**reporting, **KINDS[kind])
    bay = magnum.make("/bays", name="b1", baymodel_id=model, node_count=1)["uuid"]
    first = magnum.settled(bay, "CREATE_COMPLETE")
    known = set(servers(tenant))

    # It comes, with a flavor of its own, and nothing else changes.
    with client.flavor(admin, reporting["flavor_id"], vcpus=2) as flavor:
        groups = f"/clusters/{bay}/nodegroups"
        magnum.make(groups, name="gpu", node_count=2, flavor_id=flavor, role="gpu")
        gpu = group_of(magnum, bay)
        assert len(set(gpu["node_addresses"])) == 2
        now = magnum.settled(bay, "UPDATE_COMPLETE")
        assert now["node_count"] == 3 and len(now["node_addresses"]) == 3
        assert now["master_addresses"] == first["master_addresses"]
        mine = of_group(tenant, gpu["uuid"])
        assert set(servers(tenant)) == known | mine and len(mine) == 2
        assert {servers(tenant)[ident]["flavor"]["id"] for ident in mine} == {flavor}
        assert gpu["stack_id"] != now["stack_id"]
        assert set(members(tenant, gpu["stack_id"]).values()) == mine

        # It grows, and what is named goes: by id, and by number.
        assert len(resize(magnum, bay, "gpu", 3)["node_addresses"]) == 3
        by_number = members(tenant, gpu["stack_id"])
        resize(magnum, bay, "gpu", 2, by_number["1"])
        assert of_group(tenant, gpu["uuid"]) == {by_number["0"], by_number["2"]}
        resize(magnum, bay, "gpu", 1, "0")
        assert of_group(tenant, gpu["uuid"]) == {by_number["2"]}
        # As many as before, and yet others: so a broken node is replaced.
        resize(magnum, bay, "gpu", 1, by_number["2"])
        assert of_group(tenant, gpu["uuid"]) - set(by_number.values())
        # A node that is not there is not replaced by another one.
        body = {"node_count": 0, "nodegroup": "gpu", "nodes_to_remove": ["nonsense"]}
        assert magnum.act(bay, "resize", **body)["error"]["code"] == "NODE_UNKNOWN"
        assert len(of_group(tenant, gpu["uuid"])) == 1
        assert known <= set(servers(tenant))

        # It goes, another one comes, and takes nothing over.
        assert magnum.call("DELETE", f"{groups}/gpu").status_code == 204
        client.until(lambda: magnum.call("GET", f"{groups}/gpu").status_code == 404)
        assert set(servers(tenant)) == known
        magnum.make(groups, name="next", node_count=1)
        following = group_of(magnum, bay, "next")
        (server,) = of_group(tenant, following["uuid"])
        assert servers(tenant)[server]["flavor"]["id"] == reporting["flavor_id"]
        check = magnum.act(bay, "check")
        assert (check["state"], check["error"]) == ("DONE", None)

        # And with the bay.
        magnum.delete(bay)
        assert client.holdings(admin, tenant) == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_two_resizes_at_the_same_time(
    service: Service, tenant: Tenant, reporting: dict[str, str]
) -> None:
    magnum = Magnum(tenant.session, service.port)
    model = magnum.baymodel(**reporting)
    bay = magnum.make("/bays", name="b1", baymodel_id=model, node_count=1)["uuid"]
    magnum.make(f"/clusters/{bay}/nodegroups", name="gpu", node_count=1)  # waits for the bay
    for count in (3, 2):
        magnum.make(f"/bays/{bay}/actions/resize", node_count=count, nodegroup="gpu")
        magnum.make(f"/bays/{bay}/actions/resize", node_count=count)
    client.until(lambda: magnum.operation(bay)["state"] in ("DONE", "FAILED"))
    assert magnum.settled(bay, "UPDATE_COMPLETE")["node_count"] == 4
    gpu = group_of(magnum, bay)
    assert len(of_group(tenant, gpu["uuid"])) == 2 and len(servers(tenant)) == 5
    magnum.delete(bay)
    assert client.stacks(tenant) == []
