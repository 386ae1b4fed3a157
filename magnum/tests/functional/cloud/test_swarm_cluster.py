"""A Swarm that really runs: nodes boot, get their certificates signed, form a Swarm, and run a service through it all.

Needs a cloud that was brought up with ``tools/cloud up --nodes`` on a machine that can boot nodes; a skip says which of
them is missing. IPVS is not everywhere, so services here answer at the nodes' own ports.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.x509.oid import NameOID
from keystoneauth1.session import Session

from magnum.drivers.common.cluster_api import ClusterApi, ClusterUnavailable
from magnum.drivers.contract import KeyPair
from magnum.tests.functional.clients import configured
from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Magnum, Tenant
from magnum.tests.functional.cloud.conftest import CLOUDS_OWN_PORT, STATE
from tools.node_run import places, probe
from tools.node_run.host import host
from tools.node_run.node import Nodes
from tools.openstack import choices

#: A whole life is some six changes of a cluster, and two looks at its health.
pytestmark = pytest.mark.timeout(6 * client.PATIENCE)

IMAGE = "magnum/busybox:1"
PORT = 30080
SERVICE: dict[str, Any] = {
    "Name": "web",
    "TaskTemplate": {
        "ContainerSpec": {
            "Image": IMAGE,
            "Command": ["httpd", "-f", "-p", "80", "-h", "/"],
            "StopGracePeriod": 1_000_000_000,
        },
        "Placement": {"Constraints": ["node.role==worker"]},
    },
    "Mode": {"Replicated": {"Replicas": 2}},
    "EndpointSpec": {
        "Mode": "dnsrr",
        "Ports": [
            {"Protocol": "tcp", "TargetPort": 80, "PublishedPort": PORT, "PublishMode": "host"}
        ],
    },
}


@pytest.fixture(scope="module")
def nodes() -> Nodes:
    """The nodes that the cloud boots."""
    chosen = choices.load(STATE)
    if chosen is None or not chosen.nodes:
        pytest.skip("the cloud boots no nodes; `tools/cloud up --nodes` makes it")
    where = places.places()
    if reasons := probe.missing(where):
        pytest.skip(f"this machine cannot boot nodes: {'; '.join(reasons)}")

    return Nodes(where, host(quiet=True))


class Cluster:
    """A bay's Swarm as its user sees it: with a key that is signed through our API."""

    def __init__(self, magnum: Magnum, bay: dict[str, Any]) -> None:
        self.keys = signed(magnum, bay["uuid"])
        self.address: str = bay["api_address"]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What Docker answers."""
        return ClusterApi(self.address, self.keys, 30).call(method, path, body)

    def nodes(self) -> dict[str, tuple[str, str]]:
        """State and role of every node, by its name."""
        return {
            one["Description"]["Hostname"]: (one["Status"]["State"], one["Spec"]["Role"])
            for one in self.ask("GET", "/nodes")
        }

    def running(self) -> dict[str, str]:
        """The tasks of the service that run, and the node of each."""
        names = {one["ID"]: one["Description"]["Hostname"] for one in self.ask("GET", "/nodes")}
        wanted = json.dumps({"desired-state": {"running": True}})
        return {
            one["ID"]: names.get(one["NodeID"], "")
            for one in self.ask("GET", f"/tasks?filters={wanted.replace(' ', '')}")
            if one["Status"]["State"] == "running"
        }

    def empty(self, name: str) -> None:
        """Have what runs on a node move elsewhere, and let it be as the others again."""
        for availability in ("drain", "active"):
            (node,) = [
                one for one in self.ask("GET", "/nodes") if one["Description"]["Hostname"] == name
            ]
            path = f"/nodes/{node['ID']}/update?version={node['Version']['Index']}"
            self.ask("POST", path, {**node["Spec"], "Availability": availability})
            client.until(lambda: name not in self.running().values())


def signed(magnum: Magnum, bay: str) -> KeyPair:
    """A key of a user, with a certificate that the bay's CA has signed."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a user")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    text = request.public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    certificate = magnum.make("/certificates", bay_uuid=bay, csr=text)["pem"]
    authority = magnum.call("GET", f"/certificates/{bay}").json()["pem"]
    return KeyPair(certificate, private.decode(), authority)


def docker(cluster: Cluster, folder: Path, *words: str) -> str:
    """Docker's command line as people use it."""
    files = {
        "ca": cluster.keys.authority,
        "cert": cluster.keys.certificate,
        "key": cluster.keys.key,
    }
    options = ["--tlsverify", "-H", cluster.address]
    for name, text in files.items():
        path = folder / f"{name}.pem"
        path.write_text(text)
        options += [f"--tls{'cacert' if name == 'ca' else name}", str(path)]
    ended = subprocess.run(
        ["docker", *options, *words], capture_output=True, text=True, check=False, timeout=300
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def load_image(nodes: Nodes, servers: dict[str, str]) -> None:
    """Put the service's image on nodes; no registry is reached from here."""
    for ident in servers.values():
        node = nodes.all()[ident]
        ended = nodes.call(node, "docker", "load", "--input", "/opt/images/busybox.tar")
        assert IMAGE in ended.stdout, ended.stdout


def answers(address: str) -> bool:
    """Whether the service answers at a node."""
    try:
        return requests.get(f"http://{address}:{PORT}/bin/", timeout=3).status_code in (200, 404)
    except requests.RequestException:
        return False


@pytest.fixture
def magnum(tenant: Tenant) -> Iterator[Magnum]:
    """Our API, that of the cloud: nodes find it in the catalogue. Removes what is left of a test."""
    api = Magnum(tenant.session, CLOUDS_OWN_PORT)
    yield api
    for bay in api.call("GET", "/bays").json()["bays"]:
        api.delete(bay["uuid"])


def test_a_swarm_runs_a_service_through_its_whole_life(
    magnum: Magnum, nodes: Nodes, tenant: Tenant, admin: Session, tmp_path: Path
) -> None:
    before = client.holdings(admin, tenant)
    compute = client.service(tenant.session, "compute")

    def servers() -> dict[str, str]:
        return {one["name"]: one["id"] for one in compute.get("/servers").json()["servers"]}

    def workers() -> dict[str, str]:
        return {name: ident for name, ident in servers().items() if "-node-" in name}

    model = magnum.baymodel()
    made = magnum.make("/bays", name="b1", baymodel_id=model, node_count=2)["uuid"]
    bay = magnum.settled(made, "CREATE_COMPLETE")
    cluster = Cluster(magnum, bay)

    # Three nodes, for holders of a certificate and for nobody else.
    seen = cluster.nodes()
    assert seen.keys() == servers().keys()
    assert {state for state, _ in seen.values()} == {"ready"}
    assert [name for name, (_, role) in seen.items() if role == "manager"] == [
        name for name in seen if "-master-" in name
    ]
    if shutil.which("docker"):
        assert docker(cluster, tmp_path, "node", "ls").count("Ready") == 3
    with pytest.raises(ClusterUnavailable):
        ClusterApi(cluster.address, None).get("/nodes")
    for settings in configured.for_docker(tenant, "b1", tmp_path):
        assert configured.docker(settings, "node", "ls").count("Ready") == 3

    # A service of two, one on each node.
    load_image(nodes, workers())
    cluster.ask("POST", "/services/create", SERVICE)
    client.until(lambda: len(cluster.running()) == 2)
    first = cluster.running()
    assert set(first.values()) == workers().keys()
    for address in bay["node_addresses"]:
        client.until(partial(answers, address))

    # One more node and back: the idle one goes, which is not the last one, and the service lives on.
    grown = magnum.scale(made, 3)
    assert len(grown["node_addresses"]) == 3
    assert len(cluster.nodes()) == 4
    idle = min(first.values())
    load_image(nodes, workers())
    cluster.empty(idle)
    client.until(lambda: len(cluster.running()) == 2)
    moved = cluster.running()
    assert set(moved.values()) == workers().keys() - {idle}
    shrunk = magnum.scale(made, 2)
    assert workers().keys() == set(moved.values())
    assert cluster.running() == moved
    assert cluster.nodes().keys() == servers().keys()
    for address in shrunk["node_addresses"]:
        client.until(partial(answers, address))

    # The bay is well, and says what it runs.
    healthy = client.until(lambda: (now := magnum.bay(made))["health_status"] == "HEALTHY" and now)
    assert healthy["coe_version"] and healthy["container_version"]

    # A node dies: the bay says which, and why; its task goes elsewhere or waits.
    victim = sorted(workers())[0]
    compute.post(f"/servers/{workers()[victim]}/action", json={"os-stop": None})
    sick = client.until(lambda: (now := magnum.bay(made))["health_status"] == "UNHEALTHY" and now)
    assert "down" in sick["health_status_reason"][victim], sick["health_status_reason"]
    assert {name for name, reason in sick["health_status_reason"].items() if reason != "ok"} == {
        victim
    }

    known = set(servers().values())
    magnum.delete(made)
    assert client.holdings(admin, tenant) == before
    client.until(lambda: not known & nodes.all().keys())
