"""Real nodes: one by hand, and one for a server of the cloud whose stack waits for its report.

Needs root on a machine that can boot nodes (``tools/nodes check``); the second part needs a cloud that was brought up
with ``tools/cloud up --nodes``. A skip says which of them is missing.
"""

import http.server
import json
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from keystoneauth1.session import Session

from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Tenant
from magnum.tests.functional.cloud.conftest import STATE
from tools.node_run import cgroups, image, places, plan, probe
from tools.node_run.fabric import node_namespace, router_namespace
from tools.node_run.host import host
from tools.node_run.node import Node, Nodes
from tools.node_run.plan import Interface, Spec
from tools.openstack import accounts, choices
from tools.openstack.console import Progress

pytestmark = pytest.mark.timeout(1800)  # the first one on a machine makes the image

#: A container answers at port 8080 with a word that is another one on every disk.
USER_DATA = """\
#!/bin/bash
set -eux
systemctl start docker
docker load --input /opt/images/busybox.tar
mkdir -p /srv/web
cat /proc/sys/kernel/random/uuid > /srv/web/word
docker run --detach --restart always --publish 8080:80 --volume /srv/web:/web magnum/busybox:1 httpd -f -h /web
systemctl enable docker
printf '{"Status": "SUCCESS", "Reason": "%s is up", "UniqueId": "1", "Data": ""}' "$(hostname)" > /run/report
curl --fail --silent --show-error --request PUT --header 'Content-Type:' --data @/run/report --output /dev/null \\
    "REPORT_URL"
"""


@pytest.fixture(scope="module")
def nodes() -> Nodes:
    """The nodes of this machine, able to boot more."""
    where = places.places()
    reasons = probe.missing(where)
    if reasons:
        pytest.skip(f"this machine cannot boot nodes: {'; '.join(reasons)}")
    quiet = Progress(quiet=True)
    return Nodes(where, host(quiet=True), lambda: image.image(quiet, with_kubernetes=False))


@pytest.fixture
def reports(nodes: Nodes) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A URL that nodes reach, and what was sent there."""
    arrived: list[dict[str, Any]] = []

    class Taker(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            arrived.append(json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    nodes.fabric.raise_host()
    with http.server.HTTPServer((plan.HOST_ADDRESS, 0), Taker) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{plan.HOST_ADDRESS}:{server.server_port}/", arrived
        server.shutdown()


def word(address: str) -> str | None:
    """What the node's container says; None when nobody answers."""
    try:
        answer = requests.get(f"http://{address}:8080/word", timeout=2)
    except requests.RequestException:
        return None
    return answer.text.strip() if answer.ok else None


def until(ready: Callable[[], Any], patience: float = 300.0) -> Any:
    """What ``ready`` says once it says something."""
    deadline = time.monotonic() + patience
    while not (found := ready()):
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.3)
    return found


def traces(node: Node) -> list[str]:
    """What is left of a node outside of its folder."""
    own = plan.short(node.spec.key)
    shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    found = [line for line in shown.splitlines() if own in line]
    found += [str(group) for group in map(Path, node.cgroups) if group.exists()]
    found += [line for line in Path("/proc/self/mounts").read_text().splitlines() if own in line]
    if Path("/run/netns", node_namespace(node.spec.key)).exists():
        found.append("its namespace")
    return found


def test_a_node_boots_from_user_data_reports_and_leaves_nothing(
    nodes: Nodes, reports: tuple[str, list[dict[str, Any]]]
) -> None:
    url, arrived = reports
    key = f"test-{uuid.uuid4().hex[:8]}"
    text = USER_DATA.replace("REPORT_URL", url).encode()
    floating = f"172.24.7.{200 + uuid.uuid4().int % 50}"
    # The same address in two networks: they do not see each other.
    for name in (key, f"{key}-other"):
        nodes.fabric.ensure(name, ("10.0.0.1/24",))
    nodes.fabric.translate(key, {floating: "10.0.0.5"})
    try:
        card = Interface(key, "10.0.0.5/24", "10.0.0.1")
        node = nodes.boot(Spec(key, key, text, (card,)))
        other = Interface(f"{key}-other", "10.0.0.5/24", "10.0.0.1")
        silent = nodes.boot(Spec(f"{key}-other", f"{key}-other", b"", (other,)))
        assert nodes.settled(node, time.monotonic() + 300) == "done", nodes.call(
            node, "cat", "/var/log/cloud-init-output.log"
        ).stdout
        assert [one["Reason"] for one in arrived] == [f"{key} is up"]
        first = until(lambda: word(floating))
        assert nodes.find(floating).spec.key == key
        state = nodes.call(node, "systemctl", "is-system-running", "--wait").stdout
        assert state.strip() == "running"
        assert nodes.call(silent, "ls", "/srv").stdout == ""
        again = nodes.reboot(node.spec)
        assert until(lambda: word(floating)) == first
        assert len(arrived) == 1  # user data runs once on a disk
        assert cgroups.members(map(Path, again.cgroups))
        nodes.boot(Spec(key, key, text, (card,)))
        assert until(lambda: word(floating)) != first
        ended = nodes.all()[key]
    finally:
        for name in (key, f"{key}-other"):
            nodes.down(name)
    assert traces(ended) == []
    assert not Path("/run/netns", router_namespace(key)).exists()
    assert key not in nodes.all() and key not in nodes.fabric.networks()


def test_a_node_that_fails_says_so(nodes: Nodes) -> None:
    key = f"test-{uuid.uuid4().hex[:8]}"
    nodes.fabric.ensure(key, ("10.0.0.1/24",))
    try:
        card = Interface(key, "10.0.0.5/24", "10.0.0.1")
        node = nodes.boot(Spec(key, key, b"#!/bin/bash\nfalse\n", (card,)))
        assert nodes.settled(node, time.monotonic() + 300) == "error"
        nodes.stop(key)
        assert nodes.settled(node, time.monotonic() + 60) == "off"
        assert nodes.all()[key].runs is False
    finally:
        nodes.down(key)


@pytest.fixture
def cloud_of_nodes(nodes: Nodes) -> choices.Choices:
    """The cloud, which must boot nodes."""
    chosen = choices.load(STATE)
    if chosen is None or not chosen.nodes:
        pytest.skip("the cloud boots no nodes; `tools/cloud up --nodes` makes it")
    return chosen


def grant(admin: Session, to: Tenant, role: str) -> None:
    """Give a tenant's member one more role."""
    identity = client.service(admin, "identity")
    known = identity.get("/roles", params={"name": role}).json()["roles"][0]["id"]
    identity.put(f"/projects/{to.project_id}/users/{to.user_id}/roles/{known}")


def balanced() -> dict[str, Any]:
    """A load balancer before the server, with a floating IP of its own."""

    def of(name: str) -> dict[str, str]:
        return {"get_resource": name}

    first = {"get_attr": ["port", "fixed_ips", 0, "ip_address"]}
    wanted: dict[str, tuple[str, dict[str, Any]]] = {
        "balancer": ("LoadBalancer", {"vip_subnet": of("subnet")}),
        "listener": (
            "Listener",
            {"loadbalancer": of("balancer"), "protocol": "TCP", "protocol_port": 8080},
        ),
        "pool": (
            "Pool",
            {"listener": of("listener"), "lb_algorithm": "ROUND_ROBIN", "protocol": "TCP"},
        ),
        "member": ("PoolMember", {"pool": of("pool"), "address": first, "protocol_port": 8080}),
    }
    vip = {"floating_network": "public", "port_id": {"get_attr": ["balancer", "vip_port_id"]}}
    found: dict[str, Any] = {
        name: {"type": f"OS::Octavia::{kind}", "properties": properties}
        for name, (kind, properties) in wanted.items()
    }
    # The way in must be there before the address, and go after it.
    outer = {"type": "OS::Neutron::FloatingIP", "properties": vip, "depends_on": "between"}
    return {**found, "outer_vip": outer}


def template(with_balancer: bool) -> dict[str, Any]:
    """A server on a network of its own with a floating IP, and a wait for its report."""
    user_data = {
        "str_replace": {"template": USER_DATA, "params": {"REPORT_URL": {"get_resource": "handle"}}}
    }
    subnet = {"network": {"get_resource": "net"}, "cidr": "10.0.0.0/24"}
    gateway = {"external_gateway_info": {"network": "public"}}
    between = {"router": {"get_resource": "router"}, "subnet": {"get_resource": "subnet"}}
    port = {
        "network": {"get_resource": "net"},
        "fixed_ips": [{"subnet": {"get_resource": "subnet"}}],
    }
    outer = {"floating_network": "public", "port_id": {"get_resource": "port"}}
    server = {
        "image": "ubuntu",
        "flavor": "m1.tiny",
        "networks": [{"port": {"get_resource": "port"}}],
        "user_data_format": "RAW",
        "user_data": user_data,
    }
    wait = {"handle": {"get_resource": "handle"}, "count": 1, "timeout": 120}
    resources = {
        "net": {"type": "OS::Neutron::Net"},
        "subnet": {"type": "OS::Neutron::Subnet", "properties": subnet},
        "router": {"type": "OS::Neutron::Router", "properties": gateway},
        "between": {"type": "OS::Neutron::RouterInterface", "properties": between},
        "port": {"type": "OS::Neutron::Port", "properties": port, "depends_on": "between"},
        "outer": {"type": "OS::Neutron::FloatingIP", "properties": outer},
        "handle": {"type": "AWS::CloudFormation::WaitConditionHandle"},
        "server": {"type": "OS::Nova::Server", "properties": server},
        "wait": {"type": "OS::Heat::WaitCondition", "properties": wait},
    }
    shown = {
        "address": {"value": {"get_attr": ["outer", "floating_ip_address"]}},
        "server": {"value": {"get_resource": "server"}},
    }
    if with_balancer:
        resources |= balanced()
        shown["vip"] = {"value": {"get_attr": ["outer_vip", "floating_ip_address"]}}
    return {"heat_template_version": "2018-08-31", "resources": resources, "outputs": shown}


def test_a_server_of_the_cloud_is_a_node_until_it_is_deleted(
    nodes: Nodes, tenant: Tenant, admin: Session, cloud_of_nodes: choices.Choices
) -> None:
    with_balancer = "octavia" in cloud_of_nodes.extras
    if with_balancer:
        grant(admin, tenant, accounts.OPTIONAL_ROLES["octavia"])
    heat = client.service(tenant.session, "orchestration")
    nova = client.service(tenant.session, "compute")

    def stack() -> dict[str, Any]:
        found: dict[str, Any] = heat.get("/stacks/one").json()["stack"]
        return found

    def settled() -> dict[str, Any] | None:
        now = stack()
        return now if not now["stack_status"].endswith("IN_PROGRESS") else None

    heat.post(
        "/stacks",
        json={"stack_name": "one", "template": template(with_balancer), "timeout_mins": 5},
    )
    try:
        made = until(settled, client.PATIENCE)
        assert made["stack_status"] == "CREATE_COMPLETE", made["stack_status_reason"]
        told = {one["output_key"]: one["output_value"] for one in made["outputs"]}
        address, server = told["address"], told["server"]
        first = until(lambda: word(address))
        before = nodes.all()[server]
        assert nodes.find(address).spec.key == server
        if with_balancer:
            assert until(lambda: word(told["vip"])) == first

        nova.post(f"/servers/{server}/action", json={"reboot": {"type": "SOFT"}})
        until(lambda: nodes.all()[server].spec.run != before.spec.run)
        assert until(lambda: word(address)) == first

        known = nova.get(f"/servers/{server}").json()["server"]["image"]["id"]
        nova.post(f"/servers/{server}/action", json={"rebuild": {"imageRef": known}})
        until(lambda: word(address) not in (None, first))
        last = nodes.all()[server]
        assert last.spec.root != before.spec.root
    finally:
        url = heat.get("/stacks/one").json()["stack"]["links"][0]["href"]
        heat.request(
            url.partition(heat.get_endpoint())[2], "DELETE", endpoint_override=heat.get_endpoint()
        )
        until(lambda: heat.get("/stacks/one", raise_exc=False).status_code == 404, client.PATIENCE)
    until(lambda: server not in nodes.all())
    assert traces(last) == []
