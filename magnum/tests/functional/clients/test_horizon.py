"""The panel of magnum-ui in Horizon, in a real browser: what a user does there, and what a user sees.

Pictures of every step are kept in ``.state/test/screenshots/horizon`` of the checkout.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from magnum.tests.functional.clients.conftest import Place
from magnum.tests.functional.clients.environments import Account
from magnum.tests.functional.clients.horizon import chromium, dashboard
from magnum.tests.functional.clients.horizon.child import Child, child
from magnum.tests.functional.clients.horizon.dashboard import CHECKOUT
from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Magnum, Tenant
from tools.openstack.console import Trouble

pytestmark = pytest.mark.timeout(8 * client.PATIENCE)

PICTURES = CHECKOUT / ".state" / "test" / "screenshots" / "horizon"
TEMPLATES, CLUSTERS = "project/cluster_templates", "project/clusters"


@pytest.fixture
def programs() -> chromium.Chromium:
    try:
        return chromium.installed()
    except Trouble as trouble:
        pytest.skip(str(trouble))


@pytest.fixture
def panel(
    programs: chromium.Chromium,
    place: Place,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Child]:
    """A browser in front of Horizon."""
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir(parents=True)
    horizon = dashboard.made()
    with dashboard.served(horizon, place.region, tmp_path) as address:
        variables = {
            "PANEL_ADDRESS": address,
            "PANEL_BROWSER": str(programs.browser),
            "PANEL_DRIVER": str(programs.driver),
            "PANEL_FOLDER": str(tmp_path / "browser"),
            "PANEL_PICTURES": str(PICTURES),
            "PYTHONPATH": str(CHECKOUT),
        }
        module, log = f"{dashboard.PACKAGE}.browser", tmp_path / "browser.log"
        with child(horizon.python, module, variables, log) as started:
            with capsys.disabled():
                print(f"\nPictures of the panel are in {PICTURES}.")
            yield started


def test_a_cluster_from_its_template_to_its_end(
    panel: Child, place: Place, tenant: Tenant, reporting: dict[str, str]
) -> None:
    api = place.api(tenant.session)
    keypair = client.service(tenant.session, "compute").post(
        "/os-keypairs", json={"keypair": {"name": "panel-key"}}
    )
    assert keypair.status_code == 200
    account = Account.of_tenant(tenant)
    head = panel.ask("log_in", name=account.name, password=account.password)
    assert tenant.name in head and place.region in head

    _make_template(panel, reporting["flavor_id"])
    (template,) = api.call("GET", "/clustertemplates").json()["clustertemplates"]
    assert template["labels"] == {"kube_tag": "v1.31.2"}
    assert (template["network_driver"], template["floating_ip_enabled"]) == ("flannel", True)

    _make_cluster(panel, template)
    (cluster,) = api.call("GET", "/clusters").json()["clusters"]
    made = api.settled(cluster["uuid"], "CREATE_COMPLETE")
    assert (made["node_count"], made["master_count"]) == (1, 1)
    assert made["labels"].items() >= {"kube_tag": "v1.31.2", "node_timeout": "1200"}.items()

    _look(panel, template, api.call("GET", f"/clusters/{cluster['uuid']}").json())
    _resize(panel, 2)
    assert api.settled(cluster["uuid"], "UPDATE_COMPLETE")["node_count"] == 2
    _delete(panel, place.api(tenant.session))


def _make_template(panel: Child, flavor: str) -> None:
    """The wizard of templates, from an empty table to a row."""
    panel.ask("open", path=TEMPLATES)
    assert panel.ask("rows") == []
    panel.ask("press", text="Create Cluster Template")
    panel.ask("fill", tab="Info", fields={"name": "panel-template", "coe": "Kubernetes"})
    node = {
        "image_id": "fedora-coreos",
        "flavor_id": flavor,
        "master_flavor_id": flavor,
        "keypair_id": "panel-key",
        "volume_driver": "Choose a Volume Driver",
    }
    assert panel.ask("fill", tab="Node Spec", fields=node).items() >= node.items()
    network = {"network_driver": "Flannel", "external_network_id": "public"}
    assert panel.ask("fill", tab="Network", fields=network).items() >= network.items()
    panel.ask("fill", tab="Labels", fields={"labels": "kube_tag=v1.31.2"})
    assert "was successfully created" in panel.ask("submit")
    (row,) = panel.ask("rows")
    assert row.pop("ID")
    assert row == {"Name": "panel-template", "Keypair": "panel-key", "Network Driver": "flannel"}


def _make_cluster(panel: Child, template: dict[str, Any]) -> None:
    """The wizard of clusters: what the template says is filled in already."""
    panel.ask("open", path=CLUSTERS)
    assert panel.ask("rows") == []
    panel.ask("press", text="Create Cluster")
    chosen = {"name": "panel-cluster", "cluster_template_id": "panel-template"}
    shown = panel.ask("fill", tab="Details", fields=chosen)
    assert (shown["keypair"], shown["availability_zone"]) == ("panel-key", "nova")
    shown = panel.ask("fill", tab="Size", fields={"node_count": 1})
    assert shown["master_count"] == "1"
    assert shown["flavor_id"] == shown["master_flavor_id"] == template["flavor_id"]
    panel.ask("fill", tab="Advanced", fields={"labels": "node_timeout=1200"})
    assert "was successfully created" in panel.ask("submit")
    (row,) = panel.ask("rows")
    assert (row["Name"], row["Status"]) == ("panel-cluster", "CREATE_IN_PROGRESS")


def _look(panel: Child, template: dict[str, Any], cluster: dict[str, Any]) -> None:
    """The table, a row unfolded, the pages of details, and what can be downloaded."""
    panel.ask("open", path=CLUSTERS)
    (row,) = panel.ask("rows")
    assert row.pop("Health Status") in ("", "UNHEALTHY")  # somebody may have looked: nothing runs
    assert row == {
        "Name": "panel-cluster",
        "ID": cluster["uuid"],
        "Status": "CREATE_COMPLETE",
        "Control Plane Node Count": "1",
        "Node Count": "1",
        "Kubernetes Version": "",
    }
    unfolded = panel.ask("expand", row="panel-cluster")
    for text in (cluster["api_address"], *cluster["node_addresses"], *cluster["master_addresses"]):
        assert text in unfolded
    panel.ask("choose", row="panel-cluster", action="Show Certificate")
    assert "BEGIN CERTIFICATE" in panel.ask("downloaded", ending="_ca.pem")
    panel.ask("choose", row="panel-cluster", action="Get Cluster Config")
    assert cluster["api_address"] in panel.ask("downloaded", ending=".kubeconfig")

    panel.ask("press", text="panel-cluster")
    details = panel.ask("details")
    assert details["Name"] == "panel-template"
    assert details["API Address"] == cluster["api_address"]
    assert details["Node Addresses"] == cluster["node_addresses"][0]
    assert details["Cluster ID"] == cluster["cluster_id"]
    assert (details["Status"], details["Faults"]) == ("CREATE_COMPLETE", "None")
    assert details["node_timeout"] == "1200"
    panel.ask("press", text="panel-template")
    details = panel.ask("details")
    assert details["ID"] == template["uuid"]
    assert (details["Network Driver"], details["kube_tag"]) == ("flannel", "v1.31.2")


def _resize(panel: Child, nodes: int) -> None:
    """The window that asks for a number of nodes."""
    panel.ask("open", path=CLUSTERS)
    panel.ask("choose", row="panel-cluster", action="Resize Cluster")
    shown = panel.ask("fill", tab=None, fields={"node_count": nodes})
    assert shown == {"node_count": str(nodes)}
    assert "is being resized" in panel.ask("submit")
    (row,) = panel.ask("rows")
    assert row["Status"] == "UPDATE_IN_PROGRESS"


def _delete(panel: Child, api: Magnum) -> None:
    """First the cluster, then its template; both tables are empty at the end."""
    panel.ask("open", path=CLUSTERS)
    assert [row["Node Count"] for row in panel.ask("rows")] == ["2"]
    panel.ask("choose", row="panel-cluster", action="Delete Cluster")
    assert "panel-cluster" in panel.ask("submit", text="Delete Cluster")
    client.until(lambda: not api.call("GET", "/clusters").json()["clusters"])
    panel.ask("open", path=CLUSTERS)
    assert panel.ask("rows") == []

    panel.ask("open", path=TEMPLATES)
    panel.ask("choose", row="panel-template", action="Delete Cluster Template")
    assert "panel-template" in panel.ask("submit", text="Delete Cluster Template")
    assert panel.ask("rows") == []
    assert api.call("GET", "/clustertemplates").json()["clustertemplates"] == []
