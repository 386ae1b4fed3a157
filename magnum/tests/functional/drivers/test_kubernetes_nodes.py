"""Nodes of ``k8s_fedora_v1`` become a cluster: real user data on real nodes, Kubernetes 1.20 from Debian's source.

Not real here: Heat, Keystone and our API (FakeHeatTree, FakeMagnum; the cloud's tests have the real ones), overlays and
CoreDNS, whose images cannot be had (``pods_network=bridge`` stands for them), and releases after 1.20.

Needs root on a machine that can boot nodes (``tools/nodes check``); a skip says what is missing. Kubernetes is built
for them where it has not been (``tools/nodes image --kubernetes`` does the same).
"""

import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from magnum.drivers.common.kubernetes import monitor, scale
from magnum.drivers.common.kubernetes.endpoints import nodes
from magnum.drivers.common.kubernetes.monitor import KubernetesMonitor
from magnum.drivers.common.kubernetes.scale import KubernetesScaler, tidy
from magnum.drivers.contract import MASTER, WORKER, HealthStatus
from magnum.drivers.heat.nodes import Server
from magnum.tests.functional.drivers import fake_magnum
from magnum.tests.functional.drivers.kubernetes_nodes import Cluster, booted
from tools.node_run import image, kubernetes, places, plan, probe
from tools.node_run.host import host
from tools.node_run.node import Nodes
from tools.openstack.console import Progress

#: Kubernetes may have to be built before.
pytestmark = [pytest.mark.timeout(900 + 1800), pytest.mark.slow, pytest.mark.kubernetes]

_WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      tolerations: [{key: node-role.kubernetes.io/master, operator: Exists}]
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: DoNotSchedule
          labelSelector: {matchLabels: {app: web}}
      containers:
        - name: web
          image: docker.io/magnum/busybox:1
          command: [sh, -c, "mkdir /w; hostname > /w/index.html; exec httpd -f -p 8080 -h /w"]
          resources: {requests: {cpu: 10m}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
"""


@pytest.fixture(scope="module")
def machines() -> Nodes:
    """The nodes of this machine, able to boot more."""
    where = places.places()
    if reasons := probe.missing(where):
        pytest.skip(f"this machine cannot boot nodes: {'; '.join(reasons)}")
    kubernetes.build(Progress())
    quiet = Progress(quiet=True)
    return Nodes(where, host(quiet=True), lambda: image.image(quiet, with_kubernetes=True))


@pytest.fixture
def fake(machines: Nodes) -> Iterator[fake_magnum.FakeMagnum]:
    machines.fabric.raise_host()
    with fake_magnum.serving(plan.HOST_ADDRESS) as serving:
        yield serving


def until(ready: Callable[[], Any], patience: float = 300.0) -> Any:
    """What ``ready`` says once it says something true."""
    deadline = time.monotonic() + patience
    while not (found := ready()):
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.5)
    return found


def servers(cluster: Cluster, *gone: str) -> dict[str, Server]:
    """What Nova would show of the nodes."""
    roles = {name: WORKER if "-node-" in name else MASTER for name in cluster.nodes}
    return {
        name: Server(f"id-of-{name}", name, role, "ACTIVE", "", "")
        for name, role in roles.items()
        if name not in gone
    }


def test_a_master_and_a_worker_become_a_cluster(
    machines: Nodes, fake: fake_magnum.FakeMagnum, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with booted(machines, fake, tmp_path, {"kube_tag": "v1.20.2"}) as cluster:
        assert {one["Status"] for one in fake.reports.values()} == {"SUCCESS"}, fake.reports
        (master,) = [name for name in cluster.nodes if "-master-" in name]
        (worker,) = [name for name in cluster.nodes if "-node-" in name]
        cluster.load_images()
        _pods_reach_each_other(cluster, worker)
        _nothing_is_lying_about(cluster, master)

        for module in (monitor, scale):
            monkeypatch.setattr(module, "servers_of", lambda work: servers(cluster))
        health = KubernetesMonitor().look(cluster.work)
        assert health.status is HealthStatus.HEALTHY, health
        assert health.reasons == {"api": "ok", master: "ok", worker: "ok"}
        assert health.facts.coe_version == "v1.20.2"
        assert str(health.facts.container_version).startswith("containerd://1.")
        assert 0 < health.utilisation["cpu"] < 1

        shown = nodes(cluster.work, {})["nodes"]
        assert {one["name"]: one["ready"] for one in shown} == {master: True, worker: True}

        _a_worker_goes(cluster, worker, monkeypatch)


def _pods_reach_each_other(cluster: Cluster, worker: str) -> None:
    cluster.kubectl("apply", "--validate=false", "--filename=-", input=_WEB)

    def addresses() -> list[str]:
        pods = json.loads(cluster.kubectl("get", "pods", "--output=json"))["items"]
        ready = [
            one["status"]["podIP"]
            for one in pods
            if any(
                c["type"] == "Ready" and c["status"] == "True" for c in one["status"]["conditions"]
            )
        ]
        return ready if len(ready) == 2 else []

    pods = until(addresses)
    names = cluster.kubectl("get", "pods", "--output=jsonpath={.items[*].metadata.name}").split()
    for address in pods:
        assert cluster.run(worker, "curl", "-sf", "-m5", f"http://{address}:8080/").strip() in names
        cluster.kubectl("exec", names[0], "--", "ping", "-c1", "-W5", address)
    service = cluster.kubectl("get", "service", "web", "--output=jsonpath={.spec.clusterIP}")
    assert cluster.run(worker, "curl", "-sf", "-m5", f"http://{service}/").strip() in names
    # What the cloud tells a server, its credential with it, is not for pods.
    rules = cluster.run(worker, "iptables", "-t", "raw", "-S", "PREROUTING")
    assert "-A PREROUTING -d 169.254.169.254/32 -j DROP" in rules


def _nothing_is_lying_about(cluster: Cluster, master: str) -> None:
    """Keys are root's alone, and none is that of a CA; a stranger is sent away."""
    modes = cluster.run(
        master, "find", "/etc/kubernetes/pki", "-name", "*.key", "-printf", "%m %p\n"
    )
    assert len(modes.splitlines()) >= 11
    assert all(line.startswith("600 ") for line in modes.splitlines()), modes
    assert "ca.key" not in modes
    for caller in (
        [],
        [
            "--cert",
            "/etc/kubernetes/pki/etcd/client.crt",
            "--key",
            "/etc/kubernetes/pki/etcd/client.key",
        ],
    ):
        url = "https://127.0.0.1:6443/api"
        status = cluster.run(
            master, "curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", *caller, url
        )
        assert status == "401"


def _a_worker_goes(cluster: Cluster, worker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is drained; when its server is gone it is forgotten, and until then health says what is wrong."""
    scaler = KubernetesScaler()
    assert scaler.missing(cluster.work) == 0
    assert scaler.removable(cluster.work, 1) == (f"id-of-{worker}",)
    node = json.loads(cluster.kubectl("get", "node", worker, "--output=json"))
    assert node["spec"]["unschedulable"] is True
    pods = json.loads(
        cluster.kubectl("get", "pods", f"--field-selector=spec.nodeName={worker}", "--output=json")
    )
    assert all("deletionTimestamp" in one["metadata"] for one in pods["items"])

    cluster.machines.remove(cluster.nodes[worker].spec.key)
    found = until(
        lambda: (
            health
            if (health := KubernetesMonitor().look(cluster.work)).status is HealthStatus.UNHEALTHY
            else None
        )
    )
    assert found.reasons[worker].startswith("not ready: ")
    assert found.reasons[worker].endswith("; its server is ACTIVE")

    monkeypatch.setattr(scale, "servers_of", lambda work: servers(cluster, worker))
    monkeypatch.setattr(monitor, "servers_of", lambda work: servers(cluster, worker))
    tidy(cluster.work, 5.0)
    (group,) = [group for group in cluster.work.node_groups if group.role == MASTER]
    less = dataclasses.replace(cluster.work, node_groups=(group,))
    assert KubernetesMonitor().look(less).status is HealthStatus.HEALTHY


def test_three_masters_on_docker_share_etcd_and_tokens(
    machines: Nodes, fake: fake_magnum.FakeMagnum, tmp_path: Path
) -> None:
    options = {"container_runtime": "docker", "masters_schedulable": "true"}
    with booted(machines, fake, tmp_path, options, masters=3, workers=0) as cluster:
        assert {one["Status"] for one in fake.reports.values()} == {"SUCCESS"}, fake.reports
        members = cluster.run(
            sorted(cluster.nodes)[0],
            *(
                "env",
                "ETCDCTL_API=3",
                "etcdctl",
                "--endpoints=https://127.0.0.1:2379",
                "member",
                "list",
            ),
            *(
                "--cacert=/etc/kubernetes/pki/etcd/ca.crt",
                "--cert=/etc/kubernetes/pki/etcd/client.crt",
            ),
            "--key=/etc/kubernetes/pki/etcd/client.key",
        )
        assert members.count("started") == 3
        keys = {cluster.run(name, "cat", "/etc/kubernetes/pki/sa.key") for name in cluster.nodes}
        assert len(keys) == 1
        found = cluster.kubectl("get", "nodes", "--output=jsonpath={.items[*].spec.taints}")
        assert "node-role" not in found
        runtimes = cluster.kubectl(
            "get", "nodes", "--output=jsonpath={.items[*].status.nodeInfo.containerRuntimeVersion}"
        )
        assert runtimes.count("docker://") == 3


def test_a_node_says_why_it_fails(
    machines: Nodes, fake: fake_magnum.FakeMagnum, tmp_path: Path
) -> None:
    with booted(machines, fake, tmp_path, {"kube_tag": "v1.31.2"}, workers=0):
        (report,) = fake.reports.values()
    assert report["Status"] == "FAILURE"
    assert "step 10-programs failed:" in report["Reason"]
    assert "the node's Kubernetes is v1.20.2, but kube_tag asks for v1.31.2" in report["Reason"]
