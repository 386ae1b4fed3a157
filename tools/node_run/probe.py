"""Can this machine boot nodes? Each thing that is needed is tried, and what is missing is said in one line."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

from tools.node_run import cgroups
from tools.node_run.places import Places


def missing(places: Places) -> list[str]:
    """What keeps this machine from booting nodes; empty when nothing does. Leaves nothing behind."""
    if os.geteuid() != 0:
        return ["you are not root: namespaces, mounts and control groups need it"]
    found = [f"the program {name} is missing" for name in _absent_programs()]
    if not found:
        checks: tuple[Callable[[Path], str | None], ...] = (_namespaces, _links, _overlay, _groups)
        found = [reason for check in checks if (reason := check(places.state)) is not None]
    return found


def _absent_programs() -> list[str]:
    wanted = ("ip", "nsenter", "unshare", "mount", "chroot", "apt-get", "dpkg")
    return [name for name in wanted if shutil.which(name) is None]


def _namespaces(state: Path) -> str | None:
    spaces = ("--mount", "--net", "--pid", "--uts", "--ipc", "--cgroup", "--fork")
    return _refused("no new namespaces", ["unshare", *spaces, "true"])


def _links(state: Path) -> str | None:
    for kind in ("bridge", "veth"):
        command = f"ip link set lo up && ip link add probe0 type {kind}"
        reason = _refused(
            f"no network interface of type {kind}", ["unshare", "--net", "sh", "-c", command]
        )
        if reason is not None:
            return reason
    return None


def _overlay(state: Path) -> str | None:
    try:
        state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return f"the folder {state} cannot be made ({error.strerror})"
    with tempfile.TemporaryDirectory(dir=state, prefix="probe-") as folder:
        for name in ("low", "up", "work", "root"):
            Path(folder, name).mkdir()
        options = f"lowerdir={folder}/low,upperdir={folder}/up,workdir={folder}/work"
        mount = f"mount -t overlay overlay -o {options} {folder}/root"
        advice = f"no overlay on the file system of {state} (MAGNUM_NODES_STATE may name another)"
        return _refused(
            advice, ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount]
        )


def _groups(state: Path) -> str | None:
    try:
        made = cgroups.make(f"magnum-probe-{uuid.uuid4().hex[:8]}")
    except OSError as error:
        return f"no control groups: {error}"
    cgroups.remove(made)
    if not any("memory" in group.parts[:5] for group in made):
        return (
            "no control groups of version 1 (memory, cpu, pids): docker in a node would find none"
        )
    return None


def _refused(what: str, command: list[str]) -> str | None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    return f"{what} ({done.stderr.strip() or f'status {done.returncode}'})"
