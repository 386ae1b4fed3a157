"""Previews on a real Heat: what it says of nested stacks, and of a bay that our API has made."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from heatclient.v1.client import Client

from magnum.drivers.heat.preview import Asked, Previewer
from magnum.drivers.heat.stack import Launch
from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Magnum, Tenant
from magnum.tests.functional.cloud.conftest import CLOUDS_OWN_PORT

pytestmark = pytest.mark.timeout(2 * client.PATIENCE)

STRING = {"type": "OS::Heat::RandomString"}
TEMPLATE: dict[str, Any] = {
    "heat_template_version": "2018-08-31",
    "parameters": {"n": {"type": "number"}, "w": {"type": "string", "default": "x"}},
    "resources": {
        "fixed": STRING,
        "workers": {
            "type": "OS::Heat::ResourceGroup",
            "properties": {
                "count": {"get_param": "n"},
                "resource_def": {"type": "node.yaml", "properties": {"w": {"get_param": "w"}}},
            },
        },
    },
}
NODE = {
    "heat_template_version": "2018-08-31",
    "parameters": {"w": {"type": "string"}},
    "resources": {
        "server": {"type": "OS::Heat::TestResource", "properties": {"value": {"get_param": "w"}}},
        "key": STRING,
    },
}
FILES = {"node.yaml": json.dumps(NODE)}


@pytest.fixture
def heat(tenant: Tenant) -> Client:
    return Client(session=tenant.session, service_type="orchestration", interface="public")


@pytest.fixture
def stack(heat: Client) -> Iterator[str]:
    """A stack of two nested ones."""
    made = heat.stacks.create(
        stack_name="previewed", template=TEMPLATE, files=FILES, parameters={"n": 2}
    )
    ident: str = made["stack"]["id"]
    url = f"previewed/{ident}"
    client.until(lambda: heat.stacks.get(url).stack_status == "CREATE_COMPLETE")
    yield ident
    heat.stacks.delete(url)
    client.until(lambda: not list(heat.stacks.list(filters={"id": [ident]})))


def told(heat: Client, stack: str, asked: Asked) -> set[str]:
    """What changes, without what stays."""
    present = heat.stacks.get(f"previewed/{stack}").parameters
    preview = Previewer(heat, "previewed", stack).preview(asked, present)
    kinds = [change.kind for change in preview.changes]
    assert "unchanged" in kinds
    return {f"{one.kind} {one.resource}" for one in preview.changes if one.kind != "unchanged"}


def test_nested_stacks_are_previewed_too(heat: Client, stack: str) -> None:
    grown = {"updated workers", "added workers / 2", "added workers / 3"}
    changed = {"updated workers", *(f"updated workers / {n}" for n in range(2))}
    changed |= {f"updated workers / {n} / server" for n in range(2)}
    gone = {f"deleted workers / 1{part}" for part in ("", " / server", " / key")}
    assert told(heat, stack, Asked({"n": 2})) == set()
    assert told(heat, stack, Asked({"n": 4})) == grown
    assert told(heat, stack, Asked({"n": 1})) == {"updated workers", *gone}
    assert told(heat, stack, Asked({"w": "y"})) == changed
    assert told(heat, stack, Asked({"w": "y", "n": 4})) == changed | grown


def test_another_template_is_previewed_without_being_taken(heat: Client, stack: str) -> None:
    other = {**TEMPLATE, "resources": {**TEMPLATE["resources"], "more": STRING}}
    del other["resources"]["fixed"]
    launch = Launch(json.dumps(other), FILES, {"n": 2}, {})
    found = told(heat, stack, Asked(launch.parameters, launch))
    assert found == {"added more", "deleted fixed"}
    assert heat.stacks.get(f"previewed/{stack}").stack_status == "CREATE_COMPLETE"
    assert told(heat, stack, Asked({"n": 2})) == set()


def test_a_bay_tells_which_nodes_would_come_and_go(
    tenant: Tenant, reporting: dict[str, str]
) -> None:
    magnum = Magnum(tenant.session, CLOUDS_OWN_PORT)
    model = magnum.baymodel(**reporting)
    bay = magnum.make("/bays", name="b", baymodel_id=model, node_count=2)["uuid"]
    magnum.settled(bay, "CREATE_COMPLETE")

    def preview(query: str = "", **patch: Any) -> set[str]:
        body = [{"op": "replace", "path": f"/{name}", "value": patch[name]} for name in patch]
        answer = magnum.call("POST", f"/bays/{bay}/preview{query}", json=body)
        assert answer.status_code == 200, answer.text
        changes = answer.json()["changes"]
        return {f"{one['kind']} {one['resource']}" for one in changes if one["kind"] != "unchanged"}

    assert preview() == set()
    assert preview("?template=current") == set()
    assert {
        one for one in preview(node_count=3) if one.startswith(("added", "deleted", "replaced"))
    } == {"added nodes / 2"}
    fewer = preview(node_count=1)
    assert "deleted nodes / 1 / server" in fewer
    assert not any(one.startswith(("added", "replaced")) for one in fewer)
    magnum.delete(bay)
