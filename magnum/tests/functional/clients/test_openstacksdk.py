"""openstacksdk as it is on the index: every function of its proxy, without and with a default microversion."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from magnum.tests.functional.clients.conftest import Place
from magnum.tests.functional.clients.environments import Account, Shell
from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Tenant

SDK = "openstacksdk-4.22.0"
STORY = Path(__file__).parent / "scripts" / "openstacksdk_story.py"

#: None is what the SDK does unless told otherwise: it names no version. 1.15 is the newest, and ours.
MICROVERSIONS = (None, "1.10", "1.14", "1.15")


@pytest.mark.timeout(4 * client.PATIENCE)
@pytest.mark.parametrize("microversion", MICROVERSIONS, ids=str)
def test_every_function_of_the_proxy(
    microversion: str | None,
    shell: Callable[..., Shell],
    tenant: Tenant,
    place: Place,
    reporting: dict[str, str],
) -> None:
    """The cluster is one of Heat's once, and made up by the tutorial driver where only the version differs."""
    api = place.api(tenant.session)
    template = {
        "coe": "swarm",
        "image_id": "fedora-atomic",
        "external_network_id": "public",
        "dns_nameserver": "8.8.8.8",
        **reporting,
    }
    made_up = None if microversion is None else api.baymodel(coe="noop", driver="noop_v1")
    told = {
        "name": "sdk",
        "template": template,
        "cluster_template": made_up,
        "microversion": microversion,
    }
    member = shell(SDK, Account.of_tenant(tenant))
    ended = member.run("python", str(STORY), json.dumps(told), patience=3 * client.PATIENCE)
    summary = json.loads(ended.well().splitlines()[-1])
    assert summary["functions"] and summary["called"] == summary["functions"]
    assert api.call("GET", f"/bays/{summary['cluster']}").status_code == 404
    left = [one["uuid"] for one in api.call("GET", "/baymodels").json()["baymodels"]]
    assert left == ([made_up] if made_up else [])


@pytest.mark.parametrize("microversion", MICROVERSIONS, ids=str)
def test_services_are_listed_for_the_administrator(
    microversion: str | None, shell: Callable[..., Shell]
) -> None:
    code = (
        "import openstack, json, sys;"
        "cloud = openstack.connect(**json.loads(sys.argv[1]));"
        "seen = [one.to_dict() for one in cloud.container_infrastructure_management.services()];"
        "assert [one.id for one in cloud.list_magnum_services()] == [one['id'] for one in seen];"
        "print(json.dumps(seen))"
    )
    option = "container_infrastructure_management_default_microversion"
    options = json.dumps({option: microversion} if microversion else {})
    ended = shell(SDK, "admin").run("python", "-c", code, options)
    (only,) = json.loads(ended.well())
    assert (only["binary"], only["state"], only["disabled_reason"]) == (
        "magnum-conductor",
        "up",
        None,
    )
