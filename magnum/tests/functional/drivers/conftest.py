"""What looks at the drivers' templates and at what nodes are told: a real Heat, and programs of Debian.

The Heat is that of ``tools/quickstart``: the real engine with stand-ins for what it would ask of other services, with
the real types' properties and attributes. So nothing but its own rules is tried, and that at once.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from heatclient import client as heat_client

from tools.node_run import debian
from tools.node_run.places import cache
from tools.openstack import cloud_cli, config, keystone, quickstart_cloud, venvs
from tools.openstack.console import Progress, Trouble
from tools.openstack.processes import Processes
from tools.openstack.quickstart_place import HEAT, KEYSTONE, Place, Ports

PACKAGES = (
    "cloud-init",
    "python3-configobj",
    "python3-json-pointer",
    "python3-jsonpatch",
    "ignition",
    "systemd",
    "libsystemd-shared",
)

#: Runs in cloud-init's own package; one process for all, because its start takes longer than a look.
SCHEMA = """
import pathlib, sys
from cloudinit.config.schema import SchemaValidationError, get_schema, validate_cloudconfig_file
schema = get_schema()
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        validate_cloudconfig_file(str(path), schema, annotate=False)
    except (SchemaValidationError, RuntimeError) as error:
        print(f"{path.name}: {error}")
"""


@dataclass(frozen=True)
class Checkers:
    """The programs, in a tree of their own."""

    tools: debian.Tools

    @property
    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], **self.tools.environment}

    def cloud_configs(self, folder: Path) -> str:
        """What cloud-init's schema says of the files in a folder; nothing where all is well."""
        packages = self.tools.root / "usr/lib/python3/dist-packages"
        return self._run([sys.executable, "-c", SCHEMA, str(folder)], PYTHONPATH=str(packages))

    def ignition(self, path: Path) -> str:
        """What Ignition says of a configuration; nothing where all is well."""
        return self._run([str(self.tools.root / "usr/bin/ignition-validate"), str(path)])

    def units(self, root: Path, names: list[str]) -> str:
        """What systemd says of units below a root; nothing where all is well."""
        program = str(self.tools.root / "usr/bin/systemd-analyze")
        return self._run([program, "verify", f"--root={root}", "--man=no", *names])

    def _run(self, command: list[str], **more: str) -> str:
        """All that a program prints, and its status where that is not 0."""
        done = subprocess.run(
            command,
            env={**self._environment, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        status = f"\nexit status {done.returncode}" if done.returncode else ""
        return (done.stdout + done.stderr + status).strip()


@pytest.fixture(scope="session")
def checkers() -> Checkers:
    """The programs, fetched once for all checkouts. Skips where there is no Debian to fetch them with."""
    say = Progress(quiet=True)
    root = cache() / f"checkers-{debian.fingerprint(debian.RELEASE, *PACKAGES)}"
    try:
        with debian.making(root, "the checkers of user data", say) as work:
            if work is not None:
                debian.unpack(PACKAGES, work)
    except Trouble as error:
        pytest.skip(f"no checkers of user data: {error}")
    return Checkers(debian.Tools(root))


def write(folder: Path, texts: Mapping[str, str]) -> Path:
    """Put texts into files of a new folder."""
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@dataclass(frozen=True)
class CheckoutPlace(Place):
    """Where a Heat of the tests' own keeps its things; its environment is that of ``tools/cloud``."""

    folder: Path
    environment: Path

    @property
    def state(self) -> Path:
        """The folder."""
        return self.folder

    @property
    def venv(self) -> Path:
        """It has Keystone and Heat."""
        return self.environment


@pytest.fixture(scope="session")
def real_heat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of a real Heat with stand-ins for all other services but Keystone."""
    venv = venvs.cached(cloud_cli.REQUIREMENTS, Progress(quiet=True))
    place = CheckoutPlace(Path(__file__).parents[4], tmp_path_factory.mktemp("heat"), venv)
    passwords = config.Passwords(place.state / "passwords.json")
    cloud = quickstart_cloud.Cloud(place, Ports(_offset()), passwords)
    processes = Processes(place.state)
    quickstart_cloud.write(cloud)
    try:
        for program in quickstart_cloud.programs(cloud):
            processes.start(program)
        processes.wait_for_http(KEYSTONE, f"{cloud.auth_url}/v3")
        admin = keystone.login(cloud.auth_url, "admin", passwords["admin"], "admin")
        keystone.seed(admin, cloud.auth_url, quickstart_cloud.wanted(cloud))
        processes.wait_for_http(HEAT, f"{cloud.heat_url}/")
        user = keystone.login(cloud.auth_url, "demo", passwords["demo"], "demo")
        yield heat_client.Client("1", session=user, service_type="orchestration")
    finally:
        processes.stop(*processes.names(), patience=10)


def _offset() -> int:
    """An offset for the ports at which nobody listens."""
    for offset in range(20000, 40000, 50):
        ports = [port for _, port in Ports(offset).by_process()]
        if all(_is_free(port) for port in ports):
            return offset
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        return port < 65536 and listener.connect_ex(("127.0.0.1", port)) != 0
