"""A Kubernetes cluster on real nodes without a cloud: what a driver's template makes of a bay, booted.

FakeHeatTree stands for Heat, FakeMagnum for Keystone, our API and Heat's wait conditions. The nodes are real ones.
"""

import contextlib
import email
import json
import re
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from magnum.drivers.common.kubernetes.endpoints import kubeconfig
from magnum.drivers.contract import Work
from magnum.tests.drivers import tree
from magnum.tests.drivers.heat_tree import Server
from magnum.tests.drivers.heat_tree import tree as tree_of
from magnum.tests.functional.drivers.fake_magnum import FakeMagnum
from tools.node_run import kubernetes
from tools.node_run.node import Node, Nodes
from tools.node_run.plan import Interface, Spec

DRIVER = "k8s_fedora_v1"
#: Options of clusters that need nothing from a registry.
OPTIONS = {"pods_network": "bridge", "pause_image": "k8s.gcr.io/pause:3.2"}
IMAGES = ("busybox", "pause")
#: Seconds until all nodes have reported; some 60 on two idle cores.
PATIENCE = 400.0
#: Floating IPs beyond those that the cloud gives away.
_FLOATING = "172.24.7.{}"


@dataclass(frozen=True)
class Cluster:
    """The nodes of one bay, by the names of their servers, and its API as seen from here."""

    work: Work
    fake: FakeMagnum
    nodes: dict[str, Node]
    machines: Nodes
    folder: Path

    def run(self, name: str, *command: str) -> str:
        """What a command prints on a node."""
        done = self.machines.call(self.nodes[name], *command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def kubectl(self, *words: str, input: str | None = None) -> str:
        """What kubectl prints, with the configuration that the driver's endpoint gives."""
        file = self.folder / "kubeconfig"
        file.write_text(kubeconfig(self.work, {})["kubeconfig"])
        program = str(kubernetes.folder() / "bin" / "kubectl")
        command = [program, f"--kubeconfig={file}", "--request-timeout=20s"]
        done = subprocess.run(
            [*command, *words], input=input, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def load_images(self) -> None:
        """Give every node the images that tests use, since there is no registry."""
        for name in self.nodes:
            for image in IMAGES:
                self.run(
                    name, "ctr", "-n", "k8s.io", "images", "import", f"/opt/images/{image}.tar"
                )


@contextlib.contextmanager
def booted(
    machines: Nodes, fake: FakeMagnum, folder: Path, labels: dict[str, str], **counts: int
) -> Iterator[Cluster]:
    """A bay's nodes, once all have reported. ``counts`` are of masters and workers."""
    bay = {"labels": {**OPTIONS, **labels}, "name": "kube"}
    groups: dict[str, Any] = {
        "master": {"node_count": counts.get("masters", 1)},
        "worker": {"node_count": counts.get("workers", 1)},
    }
    work = replace(tree.work(DRIVER, bay=bay, **groups), secrets=fake)
    servers = list(tree_of(tree.heat_driver(DRIVER).definition.launch(work)).servers())
    network = f"kube-{uuid.uuid4().hex[:8]}"
    floating = _FLOATING.format(101 + uuid.uuid4().int % 90)
    machines.fabric.ensure(network, ("10.0.0.1/24",))
    nodes: dict[str, Node] = {}
    try:
        for server in servers:
            name = str(server.properties["name"])
            text, told = _user_data(server, f"{fake.url}/report/{name}", floating)
            if told["role"] == "master" and told["index"] == 0:
                machines.fabric.translate(network, {floating: told["address"]})
            card = Interface(network, f"{told['address']}/24", "10.0.0.1")
            nodes[name] = machines.boot(Spec(f"{network}-{name}", name, text.encode(), (card,)))
        address = f"https://{floating}:6443"
        work = replace(work, bay=replace(work.bay, api_address=address))
        cluster = Cluster(work, fake, nodes, machines, folder)
        _await_reports(cluster)
        yield cluster
    finally:
        machines.down(network)


def _await_reports(cluster: Cluster) -> None:
    end = time.monotonic() + PATIENCE
    while not cluster.nodes.keys() <= cluster.fake.reports.keys():
        assert time.monotonic() < end, f"only {list(cluster.fake.reports)} have reported"
        time.sleep(0.5)


def _user_data(server: Server, report: str, floating: str) -> tuple[str, dict[str, Any]]:
    """A server's user data, with the addresses that FakeHeatTree makes up replaced by real ones; and its node.json."""
    text = re.sub(r"<[^>]*/report>", report, server.user_data)
    told = _node_json(text)
    for address in {one for one in told["api_addresses"] if one.startswith("172.24.")}:
        text = text.replace(address, floating)
    return text, told


def _node_json(text: str) -> dict[str, Any]:
    for part in email.message_from_string(text).walk():
        if part.get_content_subtype() == "cloud-config":
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            for file in yaml.safe_load(payload)["write_files"]:
                if file["path"] == "/etc/magnum/node.json":
                    found: dict[str, Any] = json.loads(file["content"])
                    return found
    raise AssertionError("no node.json in the user data")
