"""The command line of tools/cloud, as far as it goes without a cloud."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.openstack import choices, cloud_cli

LAUNCHER = cloud_cli.CHECKOUT / "tools" / "cloud"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would, with the Python of this test."""
    environment = {**os.environ, "PYTHON": sys.executable}
    return subprocess.run(
        [str(LAUNCHER), *arguments], capture_output=True, text=True, check=False, env=environment
    )


def test_help_names_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    for command in ("up", "down", "status", "openrc", "restart"):
        assert f"\n    {command} " in done.stdout


@pytest.mark.parametrize("command", [["status"], ["down"], ["openrc", "demo"], ["restart"]])
def test_without_a_cloud_the_next_step_is_named(command: list[str], tmp_path: Path) -> None:
    done = run(*command, "--state", str(tmp_path / "none"))
    assert done.returncode == 1
    assert done.stderr.startswith("error: there is no cloud in ")
    assert "`tools/cloud up`" in done.stderr
    assert done.stdout == ""


def test_openrc_can_be_sourced(tmp_path: Path) -> None:
    choices.save(tmp_path, choices.Choices())
    script = (
        f". <({LAUNCHER} openrc reader --state {tmp_path}) && echo $OS_USERNAME $OS_PROJECT_NAME"
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "reader demo\n"


def test_openrc_knows_its_users(tmp_path: Path) -> None:
    choices.save(tmp_path, choices.Choices())
    done = run("openrc", "nobody", "--state", str(tmp_path))
    assert done.returncode == 1
    assert (
        done.stderr == "error: there is no user 'nobody'; there are admin, demo, other, reader.\n"
    )


def test_an_unknown_extra_is_refused() -> None:
    done = run("up", "--with", "cinder,swift")
    assert done.returncode == 2
    assert "swift: only cinder, barbican, octavia can be added" in done.stderr
