"""A Kubernetes cluster that really runs, through our API: created, used with our certificates, scaled, broken, deleted.

Needs a cloud that was brought up with ``tools/cloud up --nodes`` on a machine that can boot nodes; a skip says what is
missing. Kubernetes is built for them where it has not been (``tools/nodes image --kubernetes`` does the same).

Not real here: the images of Flannel and CoreDNS, which cannot be had, so pods are on plain bridges
(``pods_network=bridge``) and names of services are not resolved; and the release is Debian's, 1.20.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.x509.oid import NameOID
from keystoneauth1.session import Session

from magnum.tests.functional.clients import configured
from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Magnum, Tenant
from magnum.tests.functional.cloud.conftest import CLOUDS_OWN_PORT, STATE
from tools.node_run import kubernetes, places, probe
from tools.node_run.host import host
from tools.node_run.node import Nodes
from tools.openstack import choices
from tools.openstack.console import Progress

#: A whole life is some six changes of a cluster, and two looks at its health; Kubernetes may have to be built.
pytestmark = [pytest.mark.timeout(6 * client.PATIENCE + 1800), pytest.mark.kubernetes]

DRIVER = "k8s_fedora_v1"
OPTIONS = {"pods_network": "bridge", "pause_image": "k8s.gcr.io/pause:3.2", "kube_tag": "v1.20.2"}
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: docker.io/magnum/busybox:1
          command: [httpd, -f, -p, "8080", -h, /bin]
          ports: [{containerPort: 8080}]
          readinessProbe: {tcpSocket: {port: 8080}}
"""


@pytest.fixture(scope="module")
def nodes() -> Nodes:
    """The nodes that the cloud boots."""
    chosen = choices.load(STATE)
    if chosen is None or not chosen.nodes:
        pytest.skip("the cloud boots no nodes; `tools/cloud up --nodes` makes it")
    where = places.places()
    if reasons := probe.missing(where):
        pytest.skip(f"this machine cannot boot nodes: {'; '.join(reasons)}")
    kubernetes.build(Progress())
    return Nodes(where, host(quiet=True))


@pytest.fixture
def magnum(tenant: Tenant) -> Iterator[Magnum]:
    """Our API, that of the cloud: nodes find it in the catalogue. Removes what is left of a test."""
    api = Magnum(tenant.session, CLOUDS_OWN_PORT)
    yield api
    for bay in api.call("GET", "/bays").json()["bays"]:
        api.delete(bay["uuid"])


def signed(magnum: Magnum, bay: str) -> dict[str, str]:
    """A key, a certificate of an administrator that our API has signed for it, and the bay's CA."""
    key = generate_private_key(SECP256R1())
    subject = [(NameOID.ORGANIZATION_NAME, "system:masters"), (NameOID.COMMON_NAME, "admin")]
    name = x509.Name([x509.NameAttribute(kind, text) for kind, text in subject])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    csr = request.public_bytes(serialization.Encoding.PEM).decode()
    return {
        "client-certificate": magnum.make("/certificates", bay_uuid=bay, csr=csr)["pem"],
        "client-key": private.decode(),
        "certificate-authority": magnum.call("GET", f"/certificates/{bay}").json()["pem"],
    }


class Kubectl:
    """The command line as people use it, with options of its own."""

    def __init__(self, *options: str) -> None:
        self._command = [str(kubernetes.folder() / "bin" / "kubectl"), *options]

    @classmethod
    def with_files(cls, folder: Path, address: str, files: dict[str, str]) -> "Kubectl":
        """With files of a key and so on, each for the option of its name."""
        for name, text in files.items():
            (folder / name).write_text(text)
        return cls(f"--server={address}", *(f"--{name}={folder / name}" for name in files))

    def __call__(self, *words: str, given: str | None = None) -> str:
        """What it prints."""
        command = [*self._command, "--request-timeout=60s", *words]
        ended = subprocess.run(
            command, input=given, capture_output=True, text=True, check=False, timeout=300
        )
        assert ended.returncode == 0, (words, ended.stderr)
        return ended.stdout

    def items(self, kind: str) -> list[dict[str, Any]]:
        """The objects of a kind."""
        found: list[dict[str, Any]] = json.loads(self("get", kind, "--output=json"))["items"]
        return found

    def ready(self) -> dict[str, bool]:
        """Whether each node is ready, by its name."""
        return {one["metadata"]["name"]: _holds(one, "Ready") for one in self.items("nodes")}

    def running(self) -> list[str]:
        """The nodes of the pods that are ready and not about to go."""
        pods = [one for one in self.items("pods") if "deletionTimestamp" not in one["metadata"]]
        return [one["spec"]["nodeName"] for one in pods if _holds(one, "Ready")]


def _holds(shown: dict[str, Any], kind: str) -> bool:
    conditions = shown["status"].get("conditions", [])
    return any(one["type"] == kind and one["status"] == "True" for one in conditions)


def load_images(nodes: Nodes, servers: dict[str, str]) -> None:
    """Put the images of the test on nodes; no registry is reached from here."""
    for ident in servers.values():
        for name in ("busybox", "pause"):
            file = f"/opt/images/{name}.tar"
            ended = nodes.call(nodes.all()[ident], "ctr", "-n", "k8s.io", "images", "import", file)
            assert ended.returncode == 0, ended.stderr


def test_a_kubernetes_cluster_through_its_whole_life(
    magnum: Magnum, nodes: Nodes, tenant: Tenant, admin: Session, tmp_path: Path
) -> None:
    before = client.holdings(admin, tenant)
    compute = client.service(tenant.session, "compute")

    def servers() -> dict[str, str]:
        return {one["name"]: one["id"] for one in compute.get("/servers").json()["servers"]}

    def workers() -> dict[str, str]:
        return {name: ident for name, ident in servers().items() if "-node-" in name}

    model = magnum.baymodel(coe="kubernetes", labels=OPTIONS)
    made = magnum.make("/bays", name="k1", baymodel_id=model, node_count=1)["uuid"]
    bay = magnum.settled(made, "CREATE_COMPLETE")
    assert bay["driver"] == DRIVER
    assert bay["api_address"].startswith("https://172.24.")

    # Two nodes, for who has a certificate that our API has signed.
    kubectl = Kubectl.with_files(tmp_path, bay["api_address"], signed(magnum, made))
    assert kubectl.ready() == dict.fromkeys(servers(), True)
    trusted = str(tmp_path / "certificate-authority")
    asked = requests.get(f"{bay['api_address']}/api", verify=trusted, timeout=60)
    assert asked.status_code == 401

    # The driver's own endpoints say the same.
    shown = magnum.call("GET", f"/bays/{made}/ext/{DRIVER}/nodes").json()
    assert {one["name"]: one["ready"] for one in shown["nodes"]} == kubectl.ready()
    told = magnum.call("GET", f"/bays/{made}/ext/{DRIVER}/kubeconfig").json()["kubeconfig"]
    assert yaml.safe_load(told)["clusters"][0]["cluster"]["server"] == bay["api_address"]
    (tmp_path / "kubeconfig").write_text(told)
    assert Kubectl(f"--kubeconfig={tmp_path / 'kubeconfig'}").ready() == kubectl.ready()

    # So does what the client writes.
    settings = configured.for_kubectl(tenant, "k1", tmp_path)
    assert Kubectl(f"--kubeconfig={settings}").ready() == kubectl.ready()

    # A deployment runs.
    load_images(nodes, workers())
    kubectl("apply", "--validate=false", "--filename=-", given=WEB)
    client.until(lambda: len(kubectl.running()) == 1)
    (busy,) = kubectl.running()

    # One more node and back: the idle one goes, and is not in the cluster any more.
    grown = magnum.scale(made, 2)
    assert len(grown["node_addresses"]) == 2
    assert kubectl.ready() == dict.fromkeys(servers(), True)
    load_images(nodes, workers())
    magnum.scale(made, 1)
    assert workers().keys() == {busy}
    assert kubectl.running() == [busy]
    assert kubectl.ready() == dict.fromkeys(servers(), True)

    # The bay is well, and says what it runs.
    healthy = client.until(lambda: (now := magnum.bay(made))["health_status"] == "HEALTHY" and now)
    assert healthy["coe_version"] == "v1.20.2"
    assert healthy["container_version"].startswith("containerd://")

    # A node dies: the bay says which, and why.
    compute.post(f"/servers/{workers()[busy]}/action", json={"os-stop": None})
    sick = client.until(lambda: (now := magnum.bay(made))["health_status"] == "UNHEALTHY" and now)
    reasons = sick["health_status_reason"]
    assert {name for name, reason in reasons.items() if reason != "ok"} == {busy}
    assert "not ready" in reasons[busy] and "SHUTOFF" in reasons[busy]

    known = set(servers().values())
    magnum.delete(made)
    assert client.holdings(admin, tenant) == before
    client.until(lambda: not known & nodes.all().keys())


def test_a_node_that_fails_says_why_in_the_bay_s_reason(magnum: Magnum, nodes: Nodes) -> None:
    model = magnum.baymodel(coe="kubernetes", labels={**OPTIONS, "kube_tag": "v1.31.2"})
    made = magnum.make("/bays", name="k2", baymodel_id=model, node_count=1)["uuid"]
    bay = magnum.settled(made, "CREATE_FAILED")
    assert "step 10-programs failed" in bay["status_reason"]
    assert "is v1.20.2, but kube_tag asks for v1.31.2" in bay["status_reason"]
