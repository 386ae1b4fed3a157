"""The steps that form a Swarm, run by bash against FakeDockers: one behind the node's socket, others behind TLS."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from magnum.tests.drivers.fake_docker import TOKENS, FakeDocker, FakeSwarm, at_socket, listening
from magnum.tests.drivers.pki import Authority
from magnum.tests.unit.drivers.test_node_scripts import SCRIPTS

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")

UNIT = """\
# /lib/systemd/system/docker.service
[Service]
ExecStart=/usr/bin/dockerd -H fd:// \\
          --containerd=/run/containerd/containerd.sock $OPTIONS
"""


@dataclass
class Node:
    """A node with its own Docker; the other master is at 127.0.0.1."""

    root: Path
    stack: ExitStack
    authority: Authority = field(default_factory=Authority)
    docker: FakeDocker = field(default_factory=lambda: FakeDocker("b1-node-0"))
    port: int = 1

    def tell(self, **values: Any) -> None:
        known = {
            "role": "worker",
            "index": 0,
            "address": "10.0.0.9",
            "masters": ["127.0.0.1"],
            "api_port": self.port,
            "tls": True,
            "swarm_address_pool": "10.100.0.0/16",
        }
        (self.root / "node.json").write_text(json.dumps(known | values))

    def other_master(self, docker: FakeDocker) -> None:
        """Somebody else's Docker, behind TLS."""
        self.port = self.stack.enter_context(
            listening(docker, self.authority.server_context(self.root))
        )
        pair = self.authority.pair("node")
        certificates = self.root / "certs"
        certificates.mkdir(exist_ok=True)
        for name, text in (
            *(("ca.crt", pair.authority), ("node.crt", pair.certificate)),
            ("node.key", pair.key),
        ):
            (certificates / name).write_text(text)

    def run(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryDirectory() as short:  # the name of a socket may not be long
            socket = Path(short, "d")
            with at_socket(self.docker, socket):
                return subprocess.run(
                    ["bash", str(SCRIPTS / "swarm" / script)],
                    env={
                        "PATH": f"{self.root}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}",
                        "MAGNUM_LIB": str(SCRIPTS / "lib.sh"),
                        "MAGNUM_SWARM_LIB": str(SCRIPTS / "swarm/lib.sh"),
                        "MAGNUM_CERTIFICATES": str(self.root / "certs"),
                        "NODE_JSON": str(self.root / "node.json"),
                        "DOCKER_SOCKET": str(socket),
                        "DOCKER_CONFIGURATION": str(self.root / "daemon.json"),
                        "DOCKER_UNIT_DIRECTORY": str(self.root / "unit.d"),
                        "SWARM_FOUND_SECONDS": "2",
                        "SWARM_JOIN_SECONDS": "5",
                        **environment,
                    },
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=60,
                )

    def ran(self, script: str) -> None:
        ended = self.run(script)
        assert ended.returncode == 0, ended.stderr
        for token in TOKENS.values():
            assert token not in ended.stdout + ended.stderr

    def body(self, path: str) -> Any:
        """What the node's own Docker was sent there, once."""
        (found,) = [body for _, asked, body in self.docker.requests if asked == path]
        return found


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with ExitStack() as stack:
        yield Node(tmp_path, stack)


def manager(swarm: FakeSwarm, name: str = "b1-master-1") -> FakeDocker:
    return FakeDocker(name, "manager", swarm, swarm.add(name, "manager"))


# --- joining ----------------------------------------------------------------------------------------


def test_the_only_master_makes_a_swarm(node: Node) -> None:
    node.docker.name = "b1-master-0"
    node.tell(role="master", masters=["10.0.0.9"])
    node.ran("join")
    assert node.body("/swarm/init") == {
        "ListenAddr": "0.0.0.0:2377",
        "AdvertiseAddr": "10.0.0.9:2377",
        "DataPathAddr": "10.0.0.9",
        "DefaultAddrPool": ["10.100.0.0/16"],
        "SubnetSize": 24,
    }
    before = len(node.docker.requests)
    node.ran("join")  # a step may run again
    assert not any(method != "GET" for method, _, _ in node.docker.requests[before:])


def test_a_worker_joins_with_a_token_that_it_reads_with_its_certificate(node: Node) -> None:
    swarm = FakeSwarm()
    node.other_master(manager(swarm))
    node.docker.known = swarm
    node.tell()
    node.ran("join")
    body = node.body("/swarm/join")
    assert (body["JoinToken"], body["RemoteAddrs"]) == (TOKENS["Worker"], ["127.0.0.1:2377"])
    assert swarm.names() == ["b1-master-1", "b1-node-0"]


def test_a_further_master_joins_as_a_manager_that_version_2_drains(node: Node) -> None:
    swarm = FakeSwarm()
    node.other_master(manager(swarm, "b1-master-0"))
    node.docker.known = swarm
    node.docker.name = "b1-master-1"
    node.tell(role="master", index=1, masters=["127.0.0.1", "10.0.0.9"], managers_drained=True)
    node.ran("join")
    assert node.body("/swarm/join")["JoinToken"] == TOKENS["Manager"]
    assert node.body("/swarm/join")["RemoteAddrs"] == ["127.0.0.1:2377"]
    assert swarm.node("b1-master-1")["Spec"]["Availability"] == "drain"


def test_the_first_master_joins_where_there_is_a_swarm_and_its_earlier_self_goes(
    node: Node,
) -> None:
    """As after a rebuild: else the cluster would be torn in two."""
    swarm = FakeSwarm()
    swarm.add("b1-master-0", "manager", reachability="unreachable", state="down")
    node.other_master(manager(swarm))
    node.docker.known, node.docker.name = swarm, "b1-master-0"
    node.tell(role="master", masters=["10.0.0.9", "127.0.0.1"])
    node.ran("join")
    assert not any(path == "/swarm/init" for _, path, _ in node.docker.requests)
    assert swarm.names() == ["b1-master-0", "b1-master-1"]
    assert swarm.node("b1-master-0")["ID"] == node.docker.ident


def test_a_workers_earlier_self_goes_too(node: Node) -> None:
    swarm = FakeSwarm()
    node.other_master(manager(swarm))
    swarm.add("b1-node-0")  # killed a moment ago: nobody has noticed yet
    node.docker.known = swarm
    node.tell()
    node.ran("join")
    assert swarm.names() == ["b1-master-1", "b1-node-0"]
    assert swarm.node("b1-node-0")["ID"] == node.docker.ident


def test_masters_that_are_in_no_swarm_or_silent_do_not_keep_the_first_one(node: Node) -> None:
    node.other_master(FakeDocker())
    node.docker.name = "b1-master-0"
    node.tell(role="master", masters=["10.0.0.9", "127.0.0.1", "127.0.0.2"])
    node.ran("join")
    assert node.body("/swarm/init")


def test_a_refusal_that_passes_is_no_failure(node: Node) -> None:
    swarm = FakeSwarm()
    node.other_master(manager(swarm))
    node.docker.known, node.docker.refuse_joins = swarm, 1
    node.tell()
    node.ran("join")
    assert "b1-node-0" in swarm.names()


def test_the_last_line_says_why_a_node_cannot_join(node: Node) -> None:
    node.other_master(manager(FakeSwarm()))
    node.docker.refuse_joins = 1000
    node.tell()
    ended = node.run("join", SWARM_JOIN_SECONDS="1")
    assert ended.returncode != 0
    assert "rpc error: code = Unavailable" in ended.stderr.strip().splitlines()[-1]
    assert "joining the Swarm of the masters (127.0.0.1" in ended.stderr


def test_a_master_with_another_ca_is_not_believed(node: Node) -> None:
    swarm = FakeSwarm()
    node.other_master(manager(swarm))
    (node.root / "certs/ca.crt").write_text(Authority().pem)
    node.docker.known = swarm
    node.tell()
    ended = node.run("join", SWARM_JOIN_SECONDS="1")
    assert ended.returncode != 0
    assert ended.stderr.strip().splitlines()[-1].startswith("curl: (")
    assert swarm.requests == []


# --- the API's port ---------------------------------------------------------------------------------


def with_unit(node: Node, unit: str = UNIT) -> None:
    """Have ``systemctl cat`` show a unit."""
    folder = node.root / "bin"
    folder.mkdir(exist_ok=True)
    (node.root / "unit").write_text(unit)
    (folder / "systemctl").write_text(f'#!/bin/bash\ncat "{node.root}/unit"\n')
    (folder / "systemctl").chmod(0o755)
    (node.root / "daemon.json").write_text('{"live-restore": true, "log-driver": "journald"}')


def command(node: Node) -> list[str]:
    lines = (node.root / "unit.d/20-magnum-api.conf").read_text().splitlines()
    assert lines[:2] == ["[Service]", "ExecStart="]
    return lines[2].removeprefix("ExecStart=").split()


def test_a_master_listens_beside_what_the_image_says(node: Node) -> None:
    with_unit(node)
    node.tell(role="master", api_port=2376)
    node.ran("api")
    assert command(node) == [
        *("/usr/bin/dockerd", "-H", "fd://"),
        *("--containerd=/run/containerd/containerd.sock", "$OPTIONS"),
        *("-H", "tcp://0.0.0.0:2376"),
    ]
    certificates = f"{node.root}/certs"
    assert json.loads((node.root / "daemon.json").read_text()) == {
        "live-restore": False,
        "log-driver": "journald",
        "tlsverify": True,
        "tlscacert": f"{certificates}/ca.crt",
        "tlscert": f"{certificates}/node.crt",
        "tlskey": f"{certificates}/node.key",
    }


def test_the_step_may_run_again_over_its_own_work(node: Node) -> None:
    with_unit(node)
    node.tell(role="master", api_port=2376)
    node.ran("api")
    first = command(node)
    own = (node.root / "unit.d/20-magnum-api.conf").read_text()
    with_unit(node, f"{UNIT}\n# /etc/systemd/system/docker.service.d/20-magnum-api.conf\n{own}")
    node.ran("api")
    assert command(node) == first


def test_an_image_that_names_no_socket_keeps_the_usual_one(node: Node) -> None:
    with_unit(node, "# /a\n[Service]\nExecStart=/usr/bin/dockerd\n")
    node.tell(role="master", api_port=2376, address="2001:db8::1")
    node.ran("api")
    assert command(node)[1:] == ["-H", "unix:///var/run/docker.sock", "-H", "tcp://[::]:2376"]


def test_workers_open_no_port(node: Node) -> None:
    with_unit(node)
    node.tell()
    node.ran("api")
    assert not (node.root / "unit.d").exists()
    told = json.loads((node.root / "daemon.json").read_text())
    assert told == {"live-restore": False, "log-driver": "journald"}


def test_without_tls_that_is_said_and_the_registry_is_trusted(node: Node) -> None:
    with_unit(node)
    node.tell(role="master", tls=False, registry_enabled=True, masters=["10.0.0.9"])
    node.ran("api")
    told = json.loads((node.root / "daemon.json").read_text())
    assert (told["tls"], told["insecure-registries"]) == (False, ["10.0.0.9:5000"])
    assert "tlsverify" not in told
