"""Heat's own resources for our service, in stacks on a real Heat: its engine is the client.

Heat looks for us in the region that the request for the stack names, and keeps it with the stack.
"""

from typing import Any

import pytest
from keystoneauth1.adapter import Adapter

from magnum.tests.functional.clients.conftest import Place
from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Magnum, Tenant

pytestmark = pytest.mark.timeout(4 * client.PATIENCE)

#: All that ``OS::Magnum::Cluster`` can be asked for.
ATTRIBUTES = (
    "api_address",
    "cluster_template_id",
    "coe_version",
    "container_version",
    "create_timeout",
    "discovery_url",
    "keypair",
    "master_addresses",
    "master_count",
    "name",
    "node_addresses",
    "node_count",
    "stack_id",
    "status",
    "status_reason",
)


class Heat:
    """Stacks of a tenant, made in our region."""

    def __init__(self, tenant: Tenant, region: str) -> None:
        self._api: Adapter = client.service(tenant.session, "orchestration")
        self._api.additional_headers = {"X-Region-Name": region}

    def create(self, name: str, resources: dict[str, Any], **more: Any) -> None:
        """Make a stack and wait for it."""
        template = {"heat_template_version": "2018-08-31", "resources": resources, **more}
        self._api.post("/stacks", json={"stack_name": name, "template": template})
        self._settled(name, "CREATE_COMPLETE")

    def update(self, name: str, **parameters: Any) -> None:
        """Give it other parameters and wait for it."""
        self._api.patch(self._path(name), json={"parameters": parameters})
        self._settled(name, "UPDATE_COMPLETE")

    def delete(self, name: str) -> None:
        """Delete it and wait until it is gone."""
        path = self._path(name)
        self._api.delete(path)
        client.until(lambda: self._show(path)["stack_status"] == "DELETE_COMPLETE")

    def outputs(self, name: str) -> dict[str, Any]:
        """What it tells of its resources."""
        shown = self._show(self._path(name))["outputs"]
        return {one["output_key"]: one["output_value"] for one in shown}

    def resource(self, name: str, resource: str) -> str:
        """The id that one of its resources has with us."""
        found = self._api.get(f"{self._path(name)}/resources/{resource}").json()["resource"]
        ident: str = found["physical_resource_id"]
        return ident

    def _path(self, name: str) -> str:
        found = self._api.get("/stacks", params={"name": name}).json()["stacks"]
        return f"/stacks/{name}/{found[0]['id']}"

    def _show(self, path: str) -> dict[str, Any]:
        shown: dict[str, Any] = self._api.get(path).json()["stack"]
        return shown

    def _settled(self, name: str, status: str) -> None:
        path = self._path(name)

        def there() -> bool:
            seen = self._show(path)
            if seen["stack_status"].endswith("_IN_PROGRESS"):
                return False
            assert seen["stack_status"] == status, seen["stack_status_reason"]
            return True

        client.until(there)


@pytest.fixture
def heat(tenant: Tenant, place: Place) -> Heat:
    return Heat(tenant, place.region)


@pytest.fixture
def api(tenant: Tenant, place: Place) -> Magnum:
    return place.api(tenant.session)


@pytest.fixture
def template(reporting: dict[str, str]) -> dict[str, Any]:
    """Properties of a template, but for what Heat gives them of itself (``docker_storage_driver: devicemapper``)."""
    return {
        "coe": "swarm",
        "image": "fedora-atomic",
        "flavor": reporting["flavor_id"],
        "master_flavor": reporting["master_flavor_id"],
        "external_network": "public",
        "dns_nameserver": "8.8.8.8",
        "labels": {"from": "heat"},
        "master_lb_enabled": False,
    }


def test_a_cluster_is_made_grows_and_goes_with_its_stack(
    heat: Heat, api: Magnum, template: dict[str, Any]
) -> None:
    cluster = {
        "cluster_template": {"get_resource": "template"},
        "node_count": {"get_param": "nodes"},
        "create_timeout": 30,
    }
    heat.create(
        "ours",
        {
            "template": {"type": "OS::Magnum::ClusterTemplate", "properties": template},
            "cluster": {"type": "OS::Magnum::Cluster", "properties": cluster},
        },
        parameters={"nodes": {"type": "number", "default": 1}},
        outputs={name: {"value": {"get_attr": ["cluster", name]}} for name in ATTRIBUTES},
    )
    made = heat.resource("ours", "cluster")
    bay, told = api.bay(made), heat.outputs("ours")
    assert (bay["status"], bay["node_count"]) == ("CREATE_COMPLETE", 1)
    assert told["cluster_template_id"] == bay["baymodel_id"] == heat.resource("ours", "template")
    assert (told["create_timeout"], told["keypair"]) == (30, None)
    for name in set(ATTRIBUTES) - {"cluster_template_id", "create_timeout", "keypair"}:
        assert told[name] == bay[name], name

    heat.update("ours", nodes=2)
    assert heat.resource("ours", "cluster") == made  # changed, and not made anew
    assert (api.bay(made)["status"], api.bay(made)["node_count"]) == ("UPDATE_COMPLETE", 2)
    assert len(heat.outputs("ours")["node_addresses"]) == 2

    heat.delete("ours")
    assert api.call("GET", f"/bays/{made}").status_code == 404
    assert api.call("GET", "/baymodels").json()["baymodels"] == []


def test_the_old_names_of_the_resources(heat: Heat, api: Magnum, template: dict[str, Any]) -> None:
    """``BayModel`` is a template under its old name; Heat has made ``Bay`` do nothing long ago."""
    heat.create(
        "old",
        {
            "baymodel": {"type": "OS::Magnum::BayModel", "properties": {**template, "name": "old"}},
            "bay": {"type": "OS::Magnum::Bay"},
        },
    )
    (made,) = api.call("GET", "/baymodels").json()["baymodels"]
    assert (made["uuid"], made["name"]) == (heat.resource("old", "baymodel"), "old")
    assert made["docker_storage_driver"] == "devicemapper"
    assert api.call("GET", "/bays").json()["bays"] == []
    heat.delete("old")
    assert api.call("GET", "/baymodels").json()["baymodels"] == []
