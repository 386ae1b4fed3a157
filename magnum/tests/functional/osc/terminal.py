"""Shells of users, with a terminal and without: what the real ``openstack`` command writes, and how it ends."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.openstack.processes import child_environment

COMMAND = Path(sys.prefix) / "bin" / "openstack"

#: Seconds for one command; only there to end one that hangs.
PATIENCE = 300.0


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer of a command with ``-f json``."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Shell:
    """What a user has set, and a folder of his own."""

    variables: Mapping[str, str]
    folder: Path

    def openstack(self, *words: str, code: int = 0) -> Ended:
        """Run a command without a terminal; it must end with this status, and never with a traceback."""
        done = subprocess.run(
            [str(COMMAND), *words],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            env=self._environment(),
            timeout=PATIENCE,
            check=False,
        )
        ended = Ended(done.returncode, done.stdout, done.stderr)
        assert ended.code == code, (words, ended)
        assert "Traceback" not in ended.err, (words, ended)
        return ended

    def json(self, *words: str) -> Any:
        """Run a command that must succeed, and return its answer."""
        return self.openstack(*words, "-f", "json").json

    @contextmanager
    def terminal(self, *words: str, columns: int = 100) -> Iterator["Terminal"]:
        """A command on a terminal; it is killed at the end, if it still runs."""
        pid, screen = pty.fork()
        if pid == 0:
            # The child has this terminal as its own: Ctrl-C there is a signal to it.
            try:
                os.chdir(self.folder)
                os.execve(COMMAND, [str(COMMAND), *words], self._environment())
            finally:
                os._exit(127)
        fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        shown = Terminal(pid, screen)
        try:
            yield shown
        finally:
            shown.end()

    def _environment(self) -> dict[str, str]:
        return child_environment({"HOME": str(self.folder), "TERM": "xterm", **self.variables})


class Terminal:
    """A command on a terminal. ``text`` is everything that it has written."""

    def __init__(self, pid: int, screen: int) -> None:
        self._pid = pid
        self._screen = screen
        self._status: int | None = None
        self.text = ""

    def until(self, pattern: str) -> str:
        """Read until something matches; returns that."""
        end = time.monotonic() + PATIENCE
        while (found := re.search(pattern, self.text)) is None:
            assert time.monotonic() < end, (pattern, self.text)
            assert self._read(), (pattern, self.text)
        return found[0]

    def press_ctrl_c(self) -> None:
        """What the key does: the terminal sends the signal."""
        os.write(self._screen, b"\x03")

    def code(self) -> int:
        """Read to the end; how the command ended."""
        end = time.monotonic() + PATIENCE
        while self._read():
            assert time.monotonic() < end, self.text
        return self._wait(0)

    def end(self) -> None:
        """Have no process and no terminal left."""
        if self._status is None:
            os.kill(self._pid, signal.SIGKILL)
            self._wait(0)
        os.close(self._screen)

    def _read(self) -> bool:
        """Take in what there is, or wait for it a little; False at the end."""
        if not select.select([self._screen], [], [], 1.0)[0]:
            return True
        try:
            more = os.read(self._screen, 65536)
        except OSError:  # the other side has been closed
            return False
        self.text += more.decode(errors="replace")
        return bool(more)

    def _wait(self, options: int) -> int:
        if self._status is None:
            _, status = os.waitpid(self._pid, options)
            self._status = os.waitstatus_to_exitcode(status)
        return self._status
