"""What takes minutes where nothing is cached, and is therefore made in the background while stages run."""

import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from tools.openstack import cloud_cli, venvs
from tools.openstack.console import Progress, Trouble

#: One file for each client that is tried: its environment.
CLIENTS = "magnum/tests/functional/clients/requirements"


def prepare(checkout: Path) -> None:
    """Begin with the environments of the cloud and of clients, and with what real nodes boot from."""
    _in_background("environments", lambda: _environments(checkout))
    _in_background("nodes", lambda: _nodes(checkout))


def lacking_for_nodes(checkout: Path) -> str | None:
    """What this machine lacks to boot real nodes; None where it can."""
    answer = subprocess.run(
        [checkout / "tools" / "nodes", "check"], capture_output=True, text=True, check=False
    )
    return None if answer.returncode == 0 else (answer.stdout + answer.stderr).strip()


def _in_background(name: str, work: Callable[[], None]) -> None:
    threading.Thread(target=work, name=name, daemon=True).start()


def _environments(checkout: Path) -> None:
    """The cloud's first, because everything waits for it; those of clients one after the other, giving way to tests."""
    _environment(cloud_cli.REQUIREMENTS)
    os.nice(5)  # on Linux that is this thread alone, and what it starts
    for requirements in sorted(checkout.glob(f"{CLIENTS}/*.txt")):
        _environment(requirements)


def _environment(requirements: Path) -> None:
    try:
        venvs.cached(requirements, Progress(quiet=True))
    except Trouble:  # whoever needs it meets it again, and says so
        return


def _nodes(checkout: Path) -> None:
    """Kubernetes too: where nothing is cached, that takes longest."""
    if lacking_for_nodes(checkout) is None:
        command = [str(checkout / "tools" / "nodes"), "image", "--kubernetes"]
        # What goes wrong is met again, and told, where the cloud comes up.
        subprocess.run(command, capture_output=True, check=False)
