"""The steps of a DC/OS node, run by bash in a directory, with stubs for systemd, curl and DC/OS's own programs.

DC/OS is in no registry that tests reach: what is real here are the steps and the files that they write.
"""

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SHARED = Path(str(resources.files("magnum.drivers.common") / "templates"))

#: Notes the call; as curl it also writes what was to be fetched.
STUB = """#!/bin/bash
echo "${0##*/} $*" >>"$CALLS"
while (($#)); do
    if [[ ${0##*/} == curl && $1 == --output && $2 != /dev/null ]]; then
        printf 'echo "dcos $*" >>"$CALLS"\\nmkdir -p genconf/serve\\n' >"$2"
    fi
    shift
done
"""
FETCHED = 'echo "dcos $*" >>"$CALLS"\nmkdir -p genconf/serve\n'


@dataclass
class DcosNode:
    """A directory that stands for a node's root."""

    root: Path

    def run(self, step: str, *, without: str = "", **told: Any) -> subprocess.CompletedProcess[str]:
        """Run one of the steps on a node that is told these things; ``without`` names a program that is not there."""
        plain = {
            "name": "c-master-0",
            "role": "master",
            "index": 0,
            "address": "10.0.0.5",
            "masters": ["10.0.0.5", "10.0.0.6", "10.0.0.7"],
            "cluster_name": "c",
            "dns_nameservers": "8.8.4.4, 8.8.8.8",
            "dcos_installer_url": "https://example.com/dcos.sh",
            "dcos_installer_sha256": "",
            "dcos_agent_role": "slave_public",
            "dcos_oauth_enabled": True,
            "api_port": 8443,
            "tls": True,
        }
        (self.root / "node.json").write_text(json.dumps({**plain, **told}))
        stubs = self.root / "stubs"
        stubs.mkdir(exist_ok=True)
        for name in ("systemctl", "curl", "docker", "ipset", "unzip", "xz", "groupadd", "getent"):
            (stubs / name).unlink(missing_ok=True)
            if name != without:
                (stubs / name).write_text(STUB)
                (stubs / name).chmod(0o755)
        for name in (
            "bash",
            "python3",
            "tar",
            "sed",
            "cat",
            "mkdir",
            "chmod",
            "mv",
            "head",
            "sha256sum",
        ):
            if not (stubs / name).exists():
                (stubs / name).symlink_to(f"/usr/bin/{name}")
        return subprocess.run(
            ["/usr/bin/bash", str(SHARED / "dcos" / step)],
            env={
                "PATH": str(stubs),
                "CALLS": str(self.root / "calls"),
                "MAGNUM_LIB": str(SHARED / "lib.sh"),
                "MAGNUM_DCOS_LIB": str(SHARED / "dcos" / "lib.sh"),
                "NODE_JSON": str(self.root / "node.json"),
                "DCOS_HOME": str(self.root / "home"),
                "DCOS_INSTALLED": str(self.root / "mesosphere"),
                "DCOS_UNIT_DIRECTORY": str(self.root / "units"),
                "DCOS_SECONDS": "0",
                "SELINUX_CONFIGURATION": str(self.root / "selinux"),
                "HOME": os.environ["HOME"],
            },
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=60,
        )

    def calls(self) -> list[str]:
        """What was called."""
        path = self.root / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def configuration(self) -> dict[str, Any]:
        """What DC/OS is told, read as YAML."""
        found = yaml.safe_load((self.root / "home/genconf/config.yaml").read_text(encoding="utf-8"))
        assert isinstance(found, dict)
        return found


@pytest.fixture
def node(tmp_path: Path) -> DcosNode:
    return DcosNode(tmp_path)


def test_the_first_master_makes_the_installer_and_serves_it(node: DcosNode) -> None:
    ended = node.run("bootstrap")
    assert ended.returncode == 0, ended.stderr
    assert node.configuration() == {
        "bootstrap_url": "http://10.0.0.5:9090",
        "cluster_name": "c",
        "exhibitor_storage_backend": "static",
        "master_discovery": "static",
        "master_list": ["10.0.0.5", "10.0.0.6", "10.0.0.7"],
        "resolvers": ["8.8.4.4", "8.8.8.8"],
        "ip_detect_filename": "genconf/ip-detect",
        "oauth_enabled": "true",
        "telemetry_enabled": "false",
        "process_timeout": 10000,
    }
    assert "dcos --genconf" in node.calls()
    unit = (node.root / "units/magnum-dcos-bootstrap.service").read_text()
    assert "-m http.server 9090 --bind 10.0.0.5" in unit
    assert os.access(node.root / "home/genconf/ip-detect", os.X_OK)
    again = node.run("bootstrap")  # as after a restart in the middle: nothing is fetched twice
    assert again.returncode == 0
    assert len([call for call in node.calls() if "dcos_generate_config" in call]) == 1


@pytest.mark.parametrize("told", [{"index": 1}, {"role": "worker"}])
def test_nobody_else_does(node: DcosNode, told: dict[str, Any]) -> None:
    assert node.run("bootstrap", **told).returncode == 0
    assert node.calls() == []


def test_what_has_another_sum_is_not_run(node: DcosNode) -> None:
    ended = node.run("bootstrap", dcos_installer_sha256="0" * 64)
    assert ended.returncode == 1
    assert "has not the sum of dcos_installer_sha256" in ended.stderr
    assert "dcos --genconf" not in node.calls()
    good = hashlib.sha256(FETCHED.encode()).hexdigest()
    assert node.run("bootstrap", dcos_installer_sha256=good).returncode == 0
    assert "dcos --genconf" in node.calls()


any_text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(any_text.filter(bool))
def test_hostile_values_are_the_same_in_dcos_s_yaml(node: DcosNode, value: str) -> None:
    ended = node.run("bootstrap", http_proxy=value, no_proxy=f"{value},b", cluster_name=value)
    assert ended.returncode == 0, ended.stderr
    found = node.configuration()
    assert (found["http_proxy"], found["cluster_name"], found["use_proxy"]) == (
        value,
        value,
        "true",
    )
    parts = [part.strip() for part in f"{value},b".split(",")]
    assert found["no_proxy"] == [part for part in parts if part]


@pytest.mark.parametrize(
    ("told", "kind"),
    [({}, "master"), ({"index": 2}, "master"), ({"role": "worker"}, "slave_public")],
)
def test_every_node_installs_itself_from_the_first_master(
    node: DcosNode, told: dict[str, Any], kind: str
) -> None:
    ended = node.run("install", **told)
    assert ended.returncode == 0, ended.stderr
    assert f"dcos {kind}" in node.calls()
    assert any("http://10.0.0.5:9090/dcos_install.sh" in call for call in node.calls())


def test_what_is_installed_is_not_installed_again(node: DcosNode) -> None:
    (node.root / "mesosphere").mkdir()
    assert node.run("install").returncode == 0
    assert not any(call.startswith("dcos ") for call in node.calls())


@pytest.mark.parametrize("program", ["ipset", "unzip"])
def test_a_host_without_a_program_is_refused_with_its_name(node: DcosNode, program: str) -> None:
    ended = node.run("host", without=program)
    assert ended.returncode == 1
    assert f"the image has no {program}, which DC/OS needs" in ended.stderr


def test_a_host_is_prepared(node: DcosNode) -> None:
    (node.root / "selinux").write_text("SELINUX=enforcing\nSELINUXTYPE=targeted\n")
    ended = node.run("host")
    assert ended.returncode == 0, ended.stderr
    assert (node.root / "selinux").read_text() == "SELINUX=permissive\nSELINUXTYPE=targeted\n"
    assert "systemctl disable --now firewalld.service" in node.calls()


def test_a_gate_stands_before_masters_with_tls_only(node: DcosNode) -> None:
    for told in ({"tls": False}, {"role": "worker"}):
        assert node.run("gates", **told).returncode == 0
        assert not (node.root / "units").exists()
    assert node.run("gates").returncode == 0
    unit = (node.root / "units/magnum-gate-dcos.service").read_text()
    assert "ExecStart=/opt/magnum/bin/gate 8443 10.0.0.5 80 /etc/magnum/certs" in unit
