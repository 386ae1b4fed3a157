"""Work that goes on beside other work: its output line by line behind a name, and its end when the rest has to end."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO

#: Seconds that a command has to clean up after it was told to end. Tests take down services and stacks meanwhile.
PATIENCE = 180.0
#: Seconds to read what a command wrote last. A process that it left behind may hold its output open for ever.
LAST_WORDS = 5.0


class Stopped(Exception):
    """The lane was told to end."""


def follow(
    name: str,
    command: list[str],
    folder: Path,
    environment: Mapping[str, str],
    begun: Callable[[subprocess.Popen[str]], None] = lambda process: None,
) -> int:
    """Run a command, and print each line of its output behind a name.

    It runs in a session of its own, so that an interrupt at the terminal reaches it once, through us.

    :param begun: is told the process when it runs.
    :returns: its exit status.
    """
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    assert process.stdout is not None
    reader = threading.Thread(target=_copy, args=(name, process.stdout), daemon=True)
    reader.start()
    try:
        begun(process)
        return process.wait()
    except BaseException:  # an interrupt, usually
        end(process)
        raise
    finally:
        reader.join(LAST_WORDS)


def _copy(name: str, output: IO[str]) -> None:
    with output:
        for line in output:
            sys.stdout.write(f"{name:6}| {line.rstrip()}\n")
            sys.stdout.flush()


def end(process: subprocess.Popen[str]) -> None:
    """Interrupt a command that leads a session, and kill all of the session that does not end."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Lane:
    """A thread of its own for work whose commands run beside those of the stages.

    :param name: stands before each line of their output.
    :param work: what is done; it gets the lane, and says whether all was well.
    """

    def __init__(self, name: str, work: Callable[["Lane"], bool]) -> None:
        self.name = name
        self._work = work
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._stopped = False
        self._process: subprocess.Popen[str] | None = None
        self._end: Future[bool] | None = None

    def start(self) -> None:
        """Begin."""
        self._end = self._pool.submit(self._work, self)

    def result(self) -> bool:
        """Wait for the end; whether all was well.

        :raises Stopped: when the lane was told to end.
        :raises Exception: what the work raised.
        """
        assert self._end is not None
        return self._end.result()

    def stop(self) -> None:
        """Interrupt the work, and wait until it has cleaned up. Nothing happens where it is over."""
        with self._lock:
            self._stopped = True
            process = self._process
        if process is not None:
            end(process)
        self._pool.shutdown()

    def run(self, command: list[str], folder: Path, environment: Mapping[str, str]) -> int:
        """Run a command of the work; returns its exit status.

        :raises Stopped: when the lane was told to end, before it or meanwhile.
        """
        status = follow(self.name, command, folder, environment, self._note)
        with self._lock:
            self._process = None
            if self._stopped:
                raise Stopped
        return status

    def clean_up(self, command: list[str], folder: Path, environment: Mapping[str, str]) -> int:
        """Run a command that has to be run when the lane was told to end, too; returns its exit status."""
        return follow(self.name, command, folder, environment)

    def _note(self, process: subprocess.Popen[str]) -> None:
        with self._lock:
            if self._stopped:
                raise Stopped
            self._process = process
