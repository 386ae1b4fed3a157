"""Processes by number and time of birth: so that a number which was handed out again is never taken for ours."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.openstack.processes import birth_of


@dataclass(frozen=True)
class Process:
    """A process of this machine, dead or alive.

    :param birth: when it was started, in the kernel's own words.
    """

    pid: int
    birth: str

    @property
    def lives(self) -> bool:
        """Whether it does still (a zombie does not)."""
        return birth_of(self.pid) == self.birth

    def signal(self, number: int) -> None:
        """Send it a signal, if it lives."""
        if self.lives:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass

    def ends(self, patience: float) -> bool:
        """Wait so many seconds for its end; says whether it came."""
        deadline = time.monotonic() + patience
        while self.lives:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def living(pid: int) -> Process | None:
    """The process that has this number now."""
    birth = birth_of(pid)
    return None if birth is None else Process(pid, birth)


def told(file: Path, patience: float = 5.0) -> Process | None:
    """The process that writes its number into a file; None when it has ended already, or never wrote."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            return living(int(file.read_text()))
        except FileNotFoundError:
            time.sleep(0.01)
    return None


def first_of_node(supervisor: Process, patience: float) -> Process | None:
    """The systemd of the node that a systemd-nspawn runs; None when that ended, or took too long."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and supervisor.lives:
        for pid in _descendants(supervisor.pid, depth=2):
            found = living(pid) if _is_first(pid) else None
            if found is not None:
                return found
        time.sleep(0.02)
    return None


def _descendants(pid: int, depth: int) -> Iterator[int]:
    try:
        tasks = [*Path(f"/proc/{pid}/task").iterdir()]
        children = [int(word) for task in tasks for word in (task / "children").read_text().split()]
    except OSError:
        return
    for child in children:
        yield child
        if depth > 1:
            yield from _descendants(child, depth - 1)


def _is_first(pid: int) -> bool:
    """Whether a process is the first of a process namespace, and has become the program that it shall be."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        program = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return False
    line = next((line for line in status.splitlines() if line.startswith("NSpid:")), "")
    return line.split()[-1:] == ["1"] and len(line.split()) > 2 and program == "systemd"
