"""A control group of its own for each node, in every hierarchy of this machine.

Two containers in one group would both own what they make in it, and two kubelets even the same folder. The group is
made below the one that we are in, wherever that is.
"""

import time
from collections.abc import Iterable
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


def own(listing: str | None = None) -> dict[str, Path]:
    """The groups that this process is in, by the name of their controller (empty = cgroup v2).

    :param listing: what ``/proc/self/cgroup`` says.
    """
    text = Path("/proc/self/cgroup").read_text() if listing is None else listing
    found = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        name = controllers.removeprefix("name=")
        base = _ROOT / name if name else _v2_root()
        found[name] = base / path.lstrip("/")
    return found


def make(name: str) -> list[Path]:
    """A group of that name in every hierarchy; returns their folders.

    :raises OSError: where a hierarchy cannot be written.
    """
    made = []
    for controller, parent in own().items():
        group = parent / name
        group.mkdir(exist_ok=True)
        if controller == "cpuset":  # a new one may use nothing, which nothing could run in
            for file in ("cpuset.cpus", "cpuset.mems"):
                (group / file).write_text((parent / file).read_text())
            (group / "cgroup.clone_children").write_text("1")
        made.append(group)
    return made


def remove(groups: Iterable[Path], patience: float = 5.0) -> list[Path]:
    """Remove groups with all below them; returns those that are still in use after ``patience`` seconds."""
    deadline = time.monotonic() + patience
    left = [group for group in groups if group.exists()]
    while left:
        for group in left:
            _remove_tree(group)
        left = [group for group in left if group.exists()]
        if time.monotonic() > deadline:
            break
        time.sleep(0.05 if left else 0)
    return left


def members(groups: Iterable[Path]) -> set[int]:
    """Ids of all processes in the groups and below."""
    found: set[int] = set()
    for group in groups:
        for file in group.rglob("cgroup.procs"):
            try:
                found.update(int(word) for word in file.read_text().split())
            except OSError:  # removed meanwhile
                continue
    return found


def _remove_tree(group: Path) -> None:
    for folder in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
        _rmdir(folder)
    _rmdir(group)


def _rmdir(group: Path) -> None:
    try:
        group.rmdir()
    except OSError:  # somebody is in it still, or it has just gone
        pass


def _v2_root() -> Path:
    return _ROOT / "unified" if (_ROOT / "unified").exists() else _ROOT
