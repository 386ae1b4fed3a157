"""Background processes of a tool: start, watch, wait for, stop. Knows nothing of OpenStack.

Every process gets a session (and so a process group) of its own, a log ``<state>/log/<name>.log`` and
a pid file ``<state>/run/<name>.pid``. The pid file also holds the time at which the kernel started the
process, so that a number which was handed out again is never mistaken for ours, and never killed.
"""

import fcntl
import http.client
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.openstack.console import Trouble

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Program:
    """One process to run in the background.

    :param name: its name in pid file, log file and messages.
    :param command: the executable and its arguments.
    :param environment: variables set for it, on top of ``child_environment()``.
    :param port: the loopback TCP port on which it listens, if it does.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None


class Processes:
    """The processes whose pid files lie in one state folder."""

    def __init__(self, state: Path) -> None:
        self._run = state / "run"
        self._log = state / "log"
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, program: Program) -> bool:
        """Start ``program`` unless it is running; says whether it had to be started.

        :raises Trouble: when its port is taken or its executable is missing.
        """
        if self.pid(program.name) is not None:
            return False
        if program.port is not None:
            require_free_port(program.port, program.name)
        self._run.mkdir(parents=True, exist_ok=True)
        self._log.mkdir(parents=True, exist_ok=True)
        with self.log(program.name).open("ab") as log:
            try:
                child = subprocess.Popen(
                    program.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=child_environment(program.environment),
                    start_new_session=True,
                )
            except OSError as error:
                raise Trouble(
                    f"{program.name} cannot be started ({program.command[0]}: {error.strerror})."
                ) from error
        self._children[program.name] = child
        self._pid_file(program.name).write_text(f"{child.pid} {birth_of(child.pid)}\n")
        return True

    def pid(self, name: str) -> int | None:
        """Process id of ``name``, or None when it does not run (a zombie does not run)."""
        child = self._children.get(name)
        if child is not None:
            child.poll()  # reap it if it ended, so that it is not seen as a zombie
        recorded = self._recorded(name)
        if recorded is None:
            return None
        pid, birth = recorded
        return pid if birth_of(pid) == birth else None

    def names(self) -> list[str]:
        """Names of all processes that were started and not stopped, dead ones too, sorted."""
        return sorted(path.stem for path in self._run.glob("*.pid"))

    def stop(self, *names: str, patience: float = 10.0) -> list[str]:
        """Stop processes, together: TERM to each group, wait, then KILL to what is left of them.

        :param patience: seconds between TERM and KILL.
        :returns: the names that really ran.
        """
        groups: dict[str, int] = {}
        for name in names:
            group = self._group(name)
            if group is None:
                self._forget(name)
            elif _signal_group(group, signal.SIGTERM):
                groups[name] = group
        stopped = list(groups)
        deadline = time.monotonic() + patience
        while groups:
            late = time.monotonic() > deadline
            for name, group in list(groups.items()):
                child = self._children.get(name)
                if child is not None:
                    child.poll()
                if late:
                    _signal_group(group, signal.SIGKILL)
                    if child is not None:
                        child.wait()
                if late or not _signal_group(group, 0):
                    self._forget(name)
                    del groups[name]
            time.sleep(0.05)
        return stopped

    def log(self, name: str) -> Path:
        """Path of the log of ``name``."""
        return self._log / f"{name}.log"

    def tail(self, name: str, lines: int = 15) -> str:
        """The last lines of its log."""
        try:
            text = self.log(name).read_text(errors="replace")
        except FileNotFoundError:
            return "(no log)"
        return "\n".join(text.splitlines()[-lines:])

    def wait_for_port(self, name: str, port: int, timeout: float = 240.0) -> None:
        """Wait until something listens on the loopback port.

        :raises Trouble: with the end of the log when ``name`` died or the time is over.
        """
        for _ in self._patiently(name, f"listen on port {port}", timeout):
            if port_answers(port):
                return

    def wait_for_http(self, name: str, url: str, timeout: float = 240.0) -> None:
        """Wait until ``url`` gives any HTTP answer below 500.

        :raises Trouble: with the end of the log when ``name`` died or the time is over.
        """
        for _ in self._patiently(name, f"answer on {url}", timeout):
            status = http_status(url)
            if status is not None and status < 500:
                return

    def _patiently(self, name: str, what: str, timeout: float) -> Iterator[None]:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            yield
            if self.pid(name) is None:
                raise Trouble(
                    f"{name} ended before it could {what}; the end of {self.log(name)}:\n"
                    f"{self.tail(name)}"
                )
            time.sleep(0.1)
        raise Trouble(
            f"{name} did not {what} within {timeout:.0f} s; the end of {self.log(name)}:\n"
            f"{self.tail(name)}"
        )

    def _group(self, name: str) -> int | None:
        """Its process group, if a process of ours is still in it.

        A dead leader's number cannot be handed out again while its group lives, so a group whose leader
        is gone is ours; a living leader with another birth is somebody else.
        """
        recorded = self._recorded(name)
        if recorded is None:
            return None
        pid, birth = recorded
        now = birth_of(pid)
        if now not in (None, birth) or not _signal_group(pid, 0):
            return None
        return pid

    def _recorded(self, name: str) -> tuple[int, str] | None:
        try:
            pid, _, birth = self._pid_file(name).read_text().strip().partition(" ")
            return int(pid), birth
        except (FileNotFoundError, ValueError):
            return None

    def _forget(self, name: str) -> None:
        self._children.pop(name, None)
        self._pid_file(name).unlink(missing_ok=True)

    def _pid_file(self, name: str) -> Path:
        return self._run / f"{name}.pid"


def child_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child: ours without what would mislead it, plus ``extra``.

    ``OS_*`` belongs to whoever sourced an openrc file, not to a service; loopback never goes through a
    proxy; byte code is kept, because start-up is mostly imports.
    """
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("OS_") and key not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")
    }
    direct = ",".join(filter(None, [kept.get("no_proxy"), "127.0.0.1,localhost"]))
    return {
        **kept,
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
        "no_proxy": direct,
        "NO_PROXY": direct,
        **extra,
    }


def port_answers(port: int, host: str = LOOPBACK) -> bool:
    """Whether something accepts TCP connections there."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((host, port)) == 0


def free_port() -> int:
    """A port of the loopback interface on which nobody listens now. A connection may take it before it is used."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def require_free_port(port: int, purpose: str, advice: str = "") -> None:
    """Raise ``Trouble`` when a program (not ours, or one we lost) holds the loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise Trouble(
                f"port {port}, needed for {purpose}, is taken by another program; "
                f"{advice or 'stop that program'}; `ss -ltnp 'sport = :{port}'` shows which one it is."
            ) from error


def http_status(url: str, timeout: float = 5.0) -> int | None:
    """Status of a GET, or None when nothing answered. Never goes through a proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except (OSError, http.client.HTTPException):
        return None


@contextmanager
def exclusive(path: Path, busy: str) -> Iterator[None]:
    """Hold the lock file ``path``; ``Trouble(busy)`` at once when another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Trouble(busy) from error
        yield


def check(command: Iterable[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
    """Run a short command to its end, its output into ``log``.

    :raises Trouble: with the end of the log when it fails.
    """
    words = [*command]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=child_environment(environment or {}),
            check=False,
        )
    if done.returncode != 0:
        end = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise Trouble(f"`{' '.join(words)}` failed; the end of {log}:\n{end}")


def _signal_group(group: int, number: int) -> bool:
    """Send a signal (0 = only look); False when the group is empty."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # what macOS says of a group of zombies
        return False
    return True


def birth_of(pid: int) -> str | None:
    """When the process was started, in the kernel's own words; None for a dead one or a zombie."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            # The command name (second field) may hold blanks; behind its bracket come state, ...,
            # start time as fields 3 and 22. See proc(5).
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] in "ZX" else fields[19]
    shown = subprocess.run(
        ["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split(maxsplit=1)
    return None if not shown or shown[0].startswith("Z") else shown[1].strip()
