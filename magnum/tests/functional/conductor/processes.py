"""Conductor processes for tests: started on a test's database, and killed when it is over; and bays for them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from magnum.db.models import Bay
from magnum.drivers.swarm_atomic_v1.driver import Driver as SwarmDriver
from magnum.lifecycle.submit import NewBay, create_bay
from magnum.tests import engine

#: Seconds that a test waits for what should take two. Only a hang takes that long.
PATIENCE = 240.0


def until(condition: Callable[[], Any]) -> Any:
    """Wait for a condition, and return what it found."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)
    return found


class Conductors:
    """Starts conductor processes on the test's database, and ends those that are left."""

    def __init__(self, folder: Path, database: str) -> None:
        self._folder = folder
        self._database = database
        self._running: list[subprocess.Popen[bytes]] = []

    def start(
        self,
        *,
        broker: str | None = None,
        topic: str = "none",
        sweep: float = 0.3,
        poll: float = 0.2,
        lease: int = 3,
        more: str = "[heat_events]\nenabled = false\n",
        conductor: str = "threads = 4\n",
    ) -> subprocess.Popen[bytes]:
        """Start one, and wait until it says that it is at work.

        ``more`` is the rest of its configuration, ``conductor`` the rest of that group.
        """
        number = len(self._running)
        config, log = self._folder / f"{number}.conf", self._folder / f"{number}.log"
        transport = f"transport_url = {broker}\n" if broker else ""
        config.write_text(
            f"[DEFAULT]\n{transport}"
            f"[database]\nconnection = {self._database}\n"
            f"[conductor]\nsweep_interval = {sweep}\ntopic = {topic}\n{conductor}"
            f"[lifecycle]\nlease_seconds = {lease}\npoll_interval = {poll}\n{more}"
        )
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "magnum.cmd.conductor",
            "--config-file",
            str(config),
        ]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=output, start_new_session=True
            )
        self._running.append(process)
        until(lambda: b"is at work" in log.read_bytes() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        return process

    def logs(self) -> list[str]:
        """What each has written so far, in the order in which they were started."""
        return [
            (self._folder / f"{number}.log").read_text(errors="replace")
            for number in range(len(self._running))
        ]

    def until_all_say(self, words: str) -> None:
        """Wait until each process has written these words."""
        until(lambda: all(words in text for text in self.logs()))

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """kill -9 for the process and its workers."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def end(self) -> None:
        """Kill what is left."""
        for process in self._running:
            if process.poll() is None:
                self.kill(process)


def swarm_bay() -> Bay:
    """A bay that is built with Heat."""
    asker = engine.context()
    model = engine.a_baymodel(
        asker,
        coe="swarm",
        image_id="fedora",
        flavor_id="m1.small",
        master_flavor_id="m1.small",
        external_network_id="public",
        tls_disabled=True,
    )
    new = NewBay("bay", model, SwarmDriver(), flavor_id="m1.small", master_flavor_id="m1.small")
    return create_bay(asker, new).bay


def status(bay: Bay) -> str:
    """The bay's status now."""
    return engine.look(bay).status
