"""The gate before Mesos and Marathon, with real TLS: who has a certificate of the bay's CA is let in, nobody else.

Behind it, and before the driver's monitor, scaler and endpoint, stand FakeMesos and FakeMarathon: an HTTP server with
the answers that those give.
"""

import http.server
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from magnum.drivers.common.mesos import cluster
from magnum.drivers.conformance.fake_secrets import FakeSecrets
from magnum.drivers.contract import HealthStatus, Work
from magnum.drivers.mesos_ubuntu_v1 import api, monitor
from magnum.drivers.mesos_ubuntu_v1.monitor import Monitor
from magnum.drivers.mesos_ubuntu_v1.scale import Scaler
from magnum.tests.drivers import tree
from magnum.tests.unit.drivers.fakes import FakeAnswer
from tools.openstack.processes import free_port

GATE = Path(str(resources.files("magnum.drivers.common") / "templates" / "mesos" / "gate"))


def agent(ident: str, node: str, *, active: bool = True, cpus: float = 0) -> dict[str, Any]:
    return {
        "id": ident,
        "active": active,
        "attributes": {"node": node},
        "resources": {"cpus": 4, "mem": 1000},
        "used_resources": {"cpus": cpus, "mem": 0},
    }


class FakeMesos:
    """Answers by path. ``silent`` ones are not there."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "/ping": "pong\n",
            "/v2/info": {"version": "1.11.24"},
            "/v2/queue": {"queue": []},
            "/version": {"version": "1.11.0"},
            "/metrics/snapshot": {
                "master/elected": 1.0,
                "master/cpus_percent": 0.25,
                "master/mem_percent": 0.5,
                "master/slaves_active": 2.0,
                "master/tasks_running": 3.0,
            },
            "/master/state": {
                "slaves": [agent("S0", "w-0", cpus=2), agent("S1", "w-1")],
                "frameworks": [{"tasks": [{"slave_id": "S0"}, {"slave_id": "S0"}]}],
            },
        }


@pytest.fixture
def mesos() -> Iterator[tuple[FakeMesos, int]]:
    """Both of them on one port, without TLS."""
    fake = FakeMesos()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = fake.answers.get(self.path)
            self.send_response(404 if found is None else 200)
            self.end_headers()
            self.wfile.write((found if isinstance(found, str) else json.dumps(found)).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield fake, int(server.server_address[1])
        server.shutdown()
        thread.join()


@pytest.fixture
def secrets() -> FakeSecrets:
    return FakeSecrets()


@pytest.fixture
def gate(mesos: tuple[FakeMesos, int], secrets: FakeSecrets, tmp_path: Path) -> Iterator[int]:
    """The real gate, before the fake ones; its port."""
    own = secrets.client("localhost")
    for name, text in (
        ("ca.crt", own.authority),
        ("node.crt", own.certificate),
        ("node.key", own.key),
    ):
        (tmp_path / name).write_text(text)
    port = free_port()
    words = [sys.executable, str(GATE), str(port), "127.0.0.1", str(mesos[1]), str(tmp_path)]
    process = subprocess.Popen(words)
    end = time.monotonic() + 240
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.05)
    yield port
    process.terminate()
    process.wait(10)


def context(secrets: FakeSecrets, tmp_path: Path, *, known: bool = True) -> ssl.SSLContext:
    """A caller's TLS, with a certificate of the bay's CA or of another one."""
    pair = secrets.client("somebody", kind="" if known else "another")
    made = ssl.create_default_context(cadata=secrets.authority())
    made.check_hostname = False  # the suite's certificates have no addresses in them
    (tmp_path / "me.crt").write_text(pair.certificate)
    (tmp_path / "me.key").write_text(pair.key)
    made.load_cert_chain(tmp_path / "me.crt", tmp_path / "me.key")
    return made


def ask(port: int, tls: ssl.SSLContext) -> str:
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls)
    )
    with opener.open(f"https://127.0.0.1:{port}/ping", timeout=60) as answer:
        return str(answer.read().decode())


def test_with_a_certificate_of_the_bay_one_is_let_in(
    gate: int, secrets: FakeSecrets, tmp_path: Path
) -> None:
    for _ in range(3):
        assert ask(gate, context(secrets, tmp_path)) == "pong\n"


def test_nobody_else_is(gate: int, secrets: FakeSecrets, tmp_path: Path) -> None:
    nobody = ssl.create_default_context(cadata=secrets.authority())
    nobody.check_hostname = False
    for tls in (nobody, context(secrets, tmp_path, known=False)):
        with pytest.raises(OSError):
            ask(gate, tls)
    with pytest.raises(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{gate}/ping", timeout=60)


def test_what_is_long_comes_whole(
    mesos: tuple[FakeMesos, int], gate: int, secrets: FakeSecrets, tmp_path: Path
) -> None:
    mesos[0].answers["/ping"] = "x" * 3_000_000
    assert len(ask(gate, context(secrets, tmp_path))) == 3_000_000


# --- the driver's own looks, which find the fake ones without TLS ---------------------------------


class FakeNova:
    """Nova with one master and two workers; the answers are as Nova's."""

    def __init__(self) -> None:
        self.servers = [
            self._one("m-0", "master"),
            self._one("w-0", "worker"),
            self._one("w-1", "worker"),
        ]

    @staticmethod
    def _one(name: str, role: str) -> dict[str, Any]:
        return {
            "id": f"id-{name}",
            "name": name,
            "status": "ACTIVE",
            "metadata": {"magnum_role": role},
            "addresses": {"net": [{"addr": "127.0.0.1", "OS-EXT-IPS:type": "fixed"}]},
        }

    def get(self, path: str, **_: Any) -> FakeAnswer:
        assert path == "/servers/detail"
        return FakeAnswer({"servers": self.servers})

    def rest(self, service_type: str) -> "FakeNova":
        assert service_type == "compute"
        return self

    def heat(self) -> Any:
        raise AssertionError("not asked")


@pytest.fixture
def work(mesos: tuple[FakeMesos, int], monkeypatch: pytest.MonkeyPatch) -> Work:
    """A bay whose Marathon and Mesos are the fake ones."""
    for module in (cluster, api, monitor):
        monkeypatch.setattr(module, "MESOS_PORT", mesos[1])
    made = tree.work(
        "mesos_ubuntu_v1",
        bay={"api_address": f"http://127.0.0.1:{mesos[1]}"},
        baymodel={"tls_disabled": True},
    )
    return replace(made, clouds=FakeNova())


def test_a_cluster_that_is_well(work: Work) -> None:
    health = Monitor().look(work)
    assert health.status == HealthStatus.HEALTHY
    assert set(health.reasons) == {"api", "mesos", "m-0", "w-0", "w-1"}
    assert set(health.reasons.values()) == {"ok"}
    assert health.utilisation == {"cpu": 0.25, "memory": 0.5}
    assert health.facts.coe_version == "1.11.0"


@pytest.mark.parametrize(
    ("path", "answer", "part", "words"),
    [
        ("/ping", None, "api", "it answers 404"),
        ("/ping", "hello", "api", "no sense"),
        ("/metrics/snapshot", {"master/elected": 0.0}, "mesos", "no master leads"),
        ("/metrics/snapshot", [], "mesos", "no sense"),
        ("/master/state", {"slaves": [agent("S0", "w-0")]}, "w-1", "is not with the masters"),
        (
            "/master/state",
            {"slaves": [agent("S0", "w-0", active=False), agent("S1", "w-1")]},
            "w-0",
            "does not answer the masters",
        ),
        ("/master/state", {"slaves": [{}]}, "mesos", "no sense"),
    ],
)
def test_what_is_wrong_is_said_of_its_part(
    work: Work, mesos: tuple[FakeMesos, int], path: str, answer: Any, part: str, words: str
) -> None:
    mesos[0].answers[path] = answer
    health = Monitor().look(work)
    assert health.status == HealthStatus.UNHEALTHY
    assert words in health.reasons[part]


def test_a_server_that_is_down_is_named(work: Work) -> None:
    clouds = work.clouds
    assert isinstance(clouds, FakeNova)
    clouds.servers[2]["status"] = "SHUTOFF"
    assert Monitor().look(work).reasons["w-1"] == "its server is SHUTOFF"


def test_idle_nodes_go_first(work: Work, mesos: tuple[FakeMesos, int]) -> None:
    assert Scaler().removable(work, 1) == ("id-w-1",)
    assert Scaler().removable(work, 5) == ("id-w-1", "id-w-0")
    mesos[0].answers["/master/state"]["slaves"][0]["active"] = False
    mesos[0].answers["/master/state"]["frameworks"] = [{"tasks": [{"slave_id": "S1"}]}]
    assert Scaler().removable(work, 1) == ("id-w-0",)
    mesos[0].answers["/metrics/snapshot"] = None
    assert Scaler().removable(work, 1) == ()


def test_one_more_is_missed_while_something_waits(work: Work, mesos: tuple[FakeMesos, int]) -> None:
    assert Scaler().missing(work) == 0
    mesos[0].answers["/v2/queue"] = {"queue": [{"count": 4, "app": {"id": "/a"}}]}
    assert Scaler().missing(work) == 1
    mesos[0].answers["/v2/queue"] = {"queue": [3]}
    assert Scaler().missing(work) == 0


def test_info(work: Work, mesos: tuple[FakeMesos, int]) -> None:
    url = f"http://127.0.0.1:{mesos[1]}"
    assert api.info(work, {}) == {
        "marathon": {"url": url, "version": "1.11.24"},
        "mesos": {"url": url, "version": "1.11.0"},
        "agents": 2,
        "tasks": 3,
    }


def test_a_gate_is_asked_with_a_certificate(gate: int, secrets: FakeSecrets) -> None:
    """The certificate of this test's gate names no address, and so it is refused for that and for nothing else."""
    made = tree.work("mesos_ubuntu_v1", bay={"api_address": f"https://127.0.0.1:{gate}"})
    work = replace(made, clouds=FakeNova(), secrets=secrets)
    said = Monitor().look(work).reasons["api"]
    assert said.startswith("its certificate is not good: ") and "127.0.0.1" in said
