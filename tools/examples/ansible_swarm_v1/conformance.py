"""The world of this driver in the conformance suite: folders in a temporary place, and a FakeRunner for ansible-runner.

The FakeRunner is a process that holds the lock which it inherits, as the real one does, and sleeps. What the playbook
would do is done by ``settle``. So the suite tries what the driver does about runs, hundreds of times in seconds. That
the real ansible-runner and the real playbooks do what is assumed here, the functional tests of Magnum show.
"""

import fcntl
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Collection
from pathlib import Path

from magnum.drivers.conformance import world
from magnum.drivers.conformance.world import Fault
from magnum.drivers.contract import Driver

from .runs import PYTHON_VARIABLE, STATE_VARIABLE

#: Stands for Python and run.py: "$3" is the private data directory, "$4" the run's name, "$5" the playbook.
_FAKE_RUNNER = """#!/bin/sh
echo run >>"$0.count"
number=$(($(wc -l <"$0.count")))
test ! -e "$0.dies-$number" || exit 1
echo "$4 $5" >"$3/asked"
echo $$ >"$3/pid.new"
mv "$3/pid.new" "$3/pid"
exec sleep 60
"""
_DIES = Fault("the run dies at once", passes=True)
_RUBBISH = Fault("the run leaves rubbish", passes=True)


class World(world.World):
    """Folders for hosts, and runs that end when the suite says so."""

    has_cloud = True
    faults = (_DIES, _RUBBISH)

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver)
        self._state = Path(tempfile.mkdtemp(prefix="ansible-swarm-"))
        self._runner = self._state / "fake-runner"
        self._runner.write_text(_FAKE_RUNNER, encoding="ascii")
        self._runner.chmod(0o700)
        self._before = {name: os.environ.get(name) for name in (STATE_VARIABLE, PYTHON_VARIABLE)}
        os.environ[STATE_VARIABLE] = str(self._state)
        os.environ[PYTHON_VARIABLE] = str(self._runner)
        self._rubbish: set[int] = set()
        self._place = self._state / self.bay.uuid
        self._private = self._place / "run"

    # --- what the playbook would do -----------------------------------------------------------------------------------

    def settle(self) -> None:
        """The run does its work and ends."""
        if not self._asked():
            return
        ident, playbook = (self._private / "asked").read_text(encoding="ascii").split()
        variables = json.loads((self._private / "env" / "extravars").read_text(encoding="utf-8"))
        cluster = Path(variables["cluster"])
        if self.calls() not in self._rubbish:
            shutil.rmtree(cluster, ignore_errors=True)
            for node in variables.get("nodes", ()) if playbook == "apply.yml" else ():
                (cluster / node["name"]).mkdir(parents=True)
                (cluster / node["name"] / "node.json").write_text(
                    json.dumps(node), encoding="utf-8"
                )
        self._end(ident, "0", "successful")

    def fail(self) -> bool:
        """The run fails."""
        if not self._asked():
            return False
        ident = (self._private / "asked").read_text(encoding="ascii").split()[0]
        self._end(ident, "2", "failed")
        return True

    def _asked(self) -> bool:
        """Whether a run is under way; waits for one that has been started to get that far."""
        while self.busy():
            if (self._private / "pid").exists():
                return True
        return False

    def _end(self, ident: str, rc: str, status: str) -> None:
        rubbish = self.calls() in self._rubbish
        folder = self._private / "artifacts" / ident
        (folder / "rc").write_text("rubbish" if rubbish else rc, encoding="ascii")
        (folder / "status").write_text(status, encoding="ascii")
        pid = self._private / "pid"
        os.kill(int(pid.read_text(encoding="ascii")), signal.SIGKILL)
        pid.unlink()
        self._wait()

    def _wait(self) -> None:
        """Until no run holds the lock."""
        with (self._private / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)

    # --- what the suite asks ------------------------------------------------------------------------------------------

    def busy(self) -> bool:
        """Whether a run holds the lock."""
        if not (self._private / "lock").exists():
            return False
        with (self._private / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def clusters(self) -> Collection[str]:
        """The bay's folder, with its hosts and its runs."""
        return (self.bay.uuid,) if self._place.exists() else ()

    def calls(self) -> int:
        """Runs that were begun."""
        count = Path(f"{self._runner}.count")
        return len(count.read_text(encoding="ascii").splitlines()) if count.exists() else 0

    def break_call(self, number: int, fault: Fault) -> None:
        """Have one run go wrong."""
        number += self.calls()
        if fault == _DIES:
            Path(f"{self._runner}.dies-{number}").touch()
        else:
            self._rubbish.add(number)

    def close(self) -> None:
        """No run and no folder is left."""
        if self._asked():
            os.kill(int((self._private / "pid").read_text(encoding="ascii")), signal.SIGKILL)
            self._wait()
        shutil.rmtree(self._state, ignore_errors=True)
        for name, value in self._before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
