"""What `tools/quickstart` says where it cannot work: one sentence, status 1, no traceback."""

import ast
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tools.openstack.quickstart import CHECKOUT
from tools.openstack.quickstart_place import Ports

PROGRAM = CHECKOUT / "tools" / "quickstart"
#: What describes the package, and the tools: enough of a checkout to begin with.
PARTS = ("setup.cfg", "setup.py", "pyproject.toml", "requirements.txt", "README.rst", "tools")


@pytest.fixture(name="checkout")
def a_checkout(tmp_path: Path) -> Path:
    """A clone of its own, so that nobody's environment is touched."""
    checkout = tmp_path / "magnum"
    checkout.mkdir()
    for part in PARTS:
        source = CHECKOUT / part
        if source.is_dir():
            shutil.copytree(source, checkout / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, checkout / part)
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-q", "-m", "all"]):
        subprocess.run(["git", *command], cwd=checkout, check=True)
    return checkout


@pytest.fixture(name="offset")
def an_offset() -> int:
    return free_offset()


def free_offset() -> int:
    """A --port-offset at which nobody listens, below the ports that the kernel hands out by itself."""
    return next(
        offset for offset in range(8000, 20000, 7) if all(map(is_free, numbers(Ports(offset))))
    )


def numbers(ports: Ports) -> list[int]:
    return [port for _, port in ports.by_process()]


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def run(
    *command: str | Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        env={**os.environ, **(environment or {})},
        check=False,
    )


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The one line on stderr of a run that ended with status 1."""
    lines = done.stderr.splitlines()
    assert (done.returncode, len(lines)) == (1, 1), done.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


@pytest.mark.parametrize("version", [(3, 8, 18), (3, 10, 13), (3, 14, 0)])
def test_another_python(version: tuple[int, int, int]) -> None:
    pretend = (
        f"import runpy, sys; sys.version_info = {version}; sys.argv = [{str(PROGRAM)!r}];"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    said = sentence(run("-c", pretend))
    assert f"this is Python 3.{version[1]}" in said
    assert "needs Python 3.11 to 3.13" in said


def test_an_old_python_can_read_it() -> None:
    ast.parse(PROGRAM.read_text(), feature_version=(3, 6))


@pytest.mark.parametrize("which", range(4))
def test_a_taken_port(checkout: Path, offset: int, which: int) -> None:
    taken = numbers(Ports(offset))[which]
    with socket.socket() as other:
        other.bind(("127.0.0.1", taken))
        other.listen()
        done = run(checkout / "tools" / "quickstart", "--port-offset", str(offset))
    assert f"port {taken}, needed for" in sentence(done)
    assert not (checkout / ".state").exists()


def test_no_network(checkout: Path, offset: int) -> None:
    nowhere = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "PIP_RETRIES": "0",
        "PIP_NO_CACHE_DIR": "1",
    }
    command = (checkout / "tools" / "quickstart", "--port-offset", str(offset))
    done = run(*command, environment=nowhere)
    assert "No package index could be reached" in sentence(done)


def test_no_git(checkout: Path, tmp_path: Path) -> None:
    nothing = tmp_path / "empty"
    nothing.mkdir()
    done = run(checkout / "tools" / "quickstart", environment={"PATH": str(nothing)})
    assert "git is needed" in sentence(done)


def test_no_clone(checkout: Path) -> None:
    shutil.rmtree(checkout / ".git")
    done = run(checkout / "tools" / "quickstart", environment={"GIT_DIR": "/nowhere"})
    assert "is not a usable git clone" in sentence(done)


def test_nothing_to_stop(checkout: Path) -> None:
    done = run(checkout / "tools" / "quickstart", "--down")
    assert (done.returncode, done.stdout, done.stderr) == (0, "nothing was running\n", "")
    done = run(checkout / "tools" / "quickstart", "--clean")
    assert done.returncode == 0
    assert not (checkout / ".state" / "quickstart").exists()


def test_help(checkout: Path) -> None:
    done = run(checkout / "tools" / "quickstart", "--help")
    assert done.returncode == 0
    for option in ("--driver", "--keep", "--down", "--clean", "--port-offset"):
        assert option in done.stdout
    assert not (checkout / ".state").exists()
