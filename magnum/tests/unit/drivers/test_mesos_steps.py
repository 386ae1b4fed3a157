"""The steps of a Mesos node, run by bash in a directory, with stubs for systemctl and for what they would start.

Mesos itself is in no registry that tests reach: what is real here are the steps, the files they write, and the gate.
ZooKeeper's four-letter words and the health pages are answered by FakeServers on ports of the loopback.
"""

import http.server
import json
import os
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SHARED = Path(str(resources.files("magnum.drivers.common") / "templates"))

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")

STUB = """#!/bin/bash
echo "${0##*/} $*" >>"$CALLS"
[[ ${0##*/} != systemctl || $1 != cat || -n ${KNOWS_ALL:-} ]]
"""


@dataclass
class MesosNode:
    """A directory that stands for a node's root."""

    root: Path

    def tell(self, **values: object) -> None:
        """Write node.json."""
        told = {"index": 0, "address": "127.0.0.1", "masters": ["127.0.0.1"], "api_port": 8080}
        text = json.dumps({**told, "name": "n-0", "role": "master", "tls": False, **values})
        (self.root / "node.json").write_text(text)

    def run(self, step: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one of the steps."""
        stubs = self.root / "stubs"
        stubs.mkdir(exist_ok=True)
        for name in ("systemctl", "journalctl"):
            (stubs / name).write_text(STUB)
            (stubs / name).chmod(0o755)
        return subprocess.run(
            ["bash", str(SHARED / "mesos" / step)],
            env={
                "PATH": f"{stubs}:{os.environ['PATH']}",
                "CALLS": str(self.root / "calls"),
                "MAGNUM_LIB": str(SHARED / "lib.sh"),
                "MAGNUM_MESOS_LIB": str(self.root / "mesos.sh"),
                "NODE_JSON": str(self.root / "node.json"),
                "MESOS_ETC": str(self.root / "etc"),
                "MESOS_UNIT_DIRECTORY": str(self.root / "units"),
                "MAGNUM_CERTIFICATES": str(self.root / "certs"),
                "ZOOKEEPER_CONFIGURATION": str(self.root / "zk/zoo.cfg"),
                "ZOOKEEPER_DATA": str(self.root / "zkdata"),
                "ZOOKEEPER_SECONDS": "0",
                **environment,
            },
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=60,
        )

    def flags(self, kind: str) -> dict[str, str]:
        """The options of a daemon, as its package would give them to it."""
        folder = self.root / "etc" / kind
        return {path.name: path.read_text() for path in folder.iterdir()} if folder.exists() else {}

    def calls(self) -> list[str]:
        """What was asked of systemd."""
        path = self.root / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def node(tmp_path: Path) -> MesosNode:
    """A node on which nothing waits for what cannot come."""
    text = (SHARED / "mesos" / "lib.sh").read_text()
    # Health is not waited for here: nobody would answer. Where it is, is tried below.
    (tmp_path / "mesos.sh").write_text(f"{text}\nanswers() {{ [[ -z ${{SILENT:-}} ]]; }}\n")
    return MesosNode(tmp_path)


THREE = ["10.0.0.5", "10.0.0.6", "10.0.0.7"]


def test_zookeeper_is_told_of_all_masters_and_who_it_is(node: MesosNode) -> None:
    node.tell(masters=THREE, index=2, address="10.0.0.7")
    ended = node.run("zookeeper")
    assert ended.returncode == 1, "nobody answers as ZooKeeper"
    assert "a majority of ZooKeepers (10.0.0.5,10.0.0.6,10.0.0.7): not within 0" in ended.stderr
    assert (node.root / "zkdata/myid").read_text() == "3\n"
    lines = (node.root / "zk/zoo.cfg").read_text().splitlines()
    assert [line for line in lines if line.startswith("server.")] == [
        f"server.{number}={address}:2888:3888" for number, address in enumerate(THREE, 1)
    ]
    assert f"dataDir={node.root}/zkdata" in lines
    assert "systemctl restart zookeeper.service" in node.calls()


def test_zookeeper_with_ipv6(node: MesosNode) -> None:
    node.tell(masters=["2001:db8::5"])
    node.run("zookeeper")
    assert "server.1=[2001:db8::5]:2888:3888" in (node.root / "zk/zoo.cfg").read_text()


@contextmanager
def fake_zookeeper(answer: bytes) -> Iterator[None]:
    """Something on ZooKeeper's port that answers a four-letter word."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            assert self.request.recv(4) == b"srvr"
            self.request.sendall(answer)

    class Server(socketserver.TCPServer):
        allow_reuse_address = True

    with Server(("127.0.0.1", 2181), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"Zookeeper version: 3.8.0\nMode: follower\nNode count: 5\n", 0),
        (b"This ZooKeeper instance is not currently serving requests\n", 1),
    ],
)
def test_zookeeper_is_waited_for_until_it_serves(
    node: MesosNode, answer: bytes, status: int
) -> None:
    node.tell()
    with fake_zookeeper(answer):
        assert node.run("zookeeper").returncode == status


@pytest.mark.parametrize("step", ["zookeeper", "marathon", "gates"])
def test_agents_have_no_part_in_what_masters_do(node: MesosNode, step: str) -> None:
    node.tell(role="worker")
    assert node.run(step, KNOWS_ALL="1").returncode == 0
    assert not [call for call in node.calls() if " restart " in call]
    if step == "zookeeper":  # the package starts it by itself
        assert "systemctl disable --now zookeeper.service" in node.calls()


@pytest.mark.parametrize(("masters", "quorum"), [(1, "1"), (2, "2"), (3, "2"), (5, "3")])
def test_a_master_s_options(node: MesosNode, masters: int, quorum: str) -> None:
    addresses = [f"10.0.0.{5 + index}" for index in range(masters)]
    node.tell(masters=addresses, address="10.0.0.5", mesos_master_work_dir="/srv/m")
    assert node.run("mesos").returncode == 0
    assert node.flags("mesos-master") == {
        "ip": "10.0.0.5",
        "hostname": "10.0.0.5",
        "port": "5050",
        "quorum": quorum,
        "cluster": "n-0",
        "work_dir": "/srv/m",
    }
    url = ",".join(f"{address}:2181" for address in addresses)
    assert (node.root / "etc/mesos/zk").read_text() == f"zk://{url}/mesos"
    assert node.calls()[-1] == "systemctl restart mesos-master.service"


def test_with_tls_mesos_and_marathon_are_inside(node: MesosNode) -> None:
    node.tell(tls=True)
    assert node.run("mesos").returncode == 0
    assert node.run("marathon").returncode == 0
    assert node.flags("mesos-master")["port"] == "15050"
    assert node.flags("marathon/conf")["http_port"] == "18080"
    node.tell(tls=False)
    node.run("marathon")
    assert node.flags("marathon/conf") == {
        "master": "zk://127.0.0.1:2181/mesos",
        "zk": "zk://127.0.0.1:2181/marathon",
        "hostname": "127.0.0.1",
        "http_address": "127.0.0.1",
        "http_port": "8080",
    }


def test_an_agent_s_options_and_only_those_that_were_chosen(node: MesosNode) -> None:
    node.tell(role="worker", mesos_slave_work_dir="/srv/a", mesos_slave_isolation="posix/cpu")
    assert node.run("mesos").returncode == 0
    found = node.flags("mesos-slave")
    assert found["attributes"] == "node:n-0"
    assert (found["work_dir"], found["isolation"]) == ("/srv/a", "posix/cpu")
    assert not {"image_providers", "executor_environment_variables"} & found.keys()
    node.tell(role="worker", mesos_slave_isolation="")
    node.run("mesos")
    assert "isolation" not in node.flags("mesos-slave")


def test_what_is_not_healthy_fails_its_step(node: MesosNode) -> None:
    text = (node.root / "mesos.sh").read_text()
    (node.root / "mesos.sh").write_text(
        f'{text}\nwait_for() {{ shift; echo "$1: no" >&2; return 1; }}\n'
    )
    node.tell()
    for step, words in (("mesos", "the Mesos master"), ("marathon", "Marathon")):
        ended = node.run(step)
        assert (ended.returncode, ended.stderr) == (1, f"{words}: no\n")


any_text = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30
)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(any_text)
def test_hostile_options_reach_the_daemon_s_files_as_they_are(node: MesosNode, value: str) -> None:
    """All but line ends at the end, which bash drops."""
    value = f"{value}|"
    chosen = {
        "mesos_slave_isolation": value,
        "mesos_slave_image_providers": value,
        "mesos_slave_executor_env_variables": value,
    }
    node.tell(role="worker", **chosen)
    assert node.run("mesos").returncode == 0
    for path in ("isolation", "image_providers", "executor_environment_variables"):
        assert (node.root / "etc/mesos-slave" / path).read_bytes().decode() == value


def test_the_health_page_is_asked_on_the_node_s_own_address(tmp_path: Path) -> None:
    """With the real ``answers``, against something that answers as Marathon does."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/ping" else 404)
            self.end_headers()
            self.wfile.write(b"pong\n")

        def log_message(self, format: str, *args: object) -> None:
            pass

    real = MesosNode(tmp_path)
    (tmp_path / "mesos.sh").write_text((SHARED / "mesos" / "lib.sh").read_text())
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        real.tell(api_port=server.server_address[1])
        assert real.run("marathon", http_proxy="http://127.0.0.1:1").returncode == 0
        server.shutdown()
        thread.join()
