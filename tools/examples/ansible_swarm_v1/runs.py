"""Playbook runs of one bay: started, found again after a restart, looked at, stopped. Nothing in here waits for one.

Everything about a bay lies below ``<state>/<uuid>``: ``cluster``, which the playbook makes, and ``run``, the private
data directory of ansible-runner. Its lock is taken here and handed over to the run, so there is never more than one.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from magnum.drivers.contract import CloudUnavailable

#: Where clusters and runs are kept, and the Python that has ansible-runner.
STATE_VARIABLE = "ANSIBLE_SWARM_STATE"
PYTHON_VARIABLE = "ANSIBLE_SWARM_PYTHON"
DEFAULT_STATE = "/var/lib/magnum/ansible_swarm_v1"
#: Has the shell start something and end at once, so that nobody has to wait for the process.
_DETACHED = 'log=$1; shift; "$@" </dev/null >"$log" 2>&1 &'
#: Seconds for the shell to do so.
_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended, as ansible-runner's artifacts tell. ``reason`` is what Ansible said of a failed task."""

    successful: bool
    reason: str


class Runs:
    """The runs of one bay."""

    def __init__(self, uuid: str) -> None:
        self._place = Path(os.environ.get(STATE_VARIABLE, DEFAULT_STATE), uuid)
        self._private = self._place / "run"
        self.cluster = self._place / "cluster"

    def is_running(self) -> bool:
        """Whether a playbook runs, whoever started it."""
        with self._lock() as lock:
            return lock is None

    def start(self, playbook: Path, variables: Mapping[str, Any], forks: int) -> str:
        """Start a playbook, and return by which name its result is found.

        Where one runs already nothing is started: its result is not for this name, and the caller looks again.
        Raises CloudUnavailable where the machine does not let us.
        """
        try:
            for folder in ("env", "project", "artifacts"):
                (self._private / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._lock() as lock:
                ident = f"{playbook.stem}-{len(list((self._private / 'artifacts').iterdir())) + 1}"
                if lock is None:
                    return ident
                self._write(playbook, variables, forks)
                self._launch(ident, playbook.name, lock)
        except (OSError, subprocess.SubprocessError) as error:
            raise CloudUnavailable(
                "The playbook could not be started.", f"{self._private}: {error!r}"
            ) from error
        return ident

    def _write(self, playbook: Path, variables: Mapping[str, Any], forks: int) -> None:
        (self._private / "pid").unlink(
            missing_ok=True
        )  # of an earlier run: it may be another's by now
        home = str(self._private / "home")
        settings = {
            "env/extravars": json.dumps(dict(variables)),
            "env/envvars": json.dumps({"ANSIBLE_HOME": home, "ANSIBLE_FORKS": str(forks)}),
            f"project/{playbook.name}": playbook.read_text(encoding="utf-8"),
        }
        for name, text in settings.items():
            path = self._private / name
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")

    def _launch(self, ident: str, playbook: str, lock: int) -> None:
        python = os.environ.get(PYTHON_VARIABLE, sys.executable)
        program = [python, "-P", str(Path(__file__).with_name("run.py"))]
        program += [str(self._private), ident, playbook]
        # Each run has its place before it begins, so that no other takes its name.
        (self._private / "artifacts" / ident).mkdir(mode=0o700)
        subprocess.run(
            ["/bin/sh", "-c", _DETACHED, "sh", str(self._private / "log"), *program],
            pass_fds=(lock,),
            start_new_session=True,
            timeout=_TIMEOUT,
            check=True,
        )

    @contextlib.contextmanager
    def _lock(self) -> Iterator[int | None]:
        """The lock of the bay's runs; None where a run holds it, or where there never was one."""
        try:
            lock = os.open(self._private / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            yield -1
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            yield None
            return
        try:
            yield lock
        finally:
            os.close(lock)  # a run that was started meanwhile has it too, and keeps it

    def result(self, ident: str) -> Result | None:
        """How a run ended; None where it has not, was killed, or left nothing that can be read."""
        folder = self._private / "artifacts" / ident
        try:
            rc = int((folder / "rc").read_text(encoding="ascii"))
            status = (folder / "status").read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return None
        return Result(rc == 0 and status == "successful", self._reason(folder) or status)

    @staticmethod
    def _reason(folder: Path) -> str:
        """The name of the task that failed. What Ansible says beyond it may hold values of variables."""
        for path in sorted((folder / "job_events").glob("*.json")):
            try:
                event = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            if event.get("event") == "runner_on_failed":
                return f"the task '{event.get('event_data', {}).get('task', '?')}' failed"
        return ""

    def stop(self) -> None:
        """Have a running playbook stop. Whether it has is to be looked at later."""
        try:
            os.kill(int((self._private / "pid").read_text(encoding="ascii")), signal.SIGTERM)
        except (OSError, ValueError):
            pass  # it has not got as far as writing its number, or has just ended

    def nodes(self) -> dict[str, Mapping[str, Any]]:
        """The nodes that are there and have joined, by name."""
        found: dict[str, Mapping[str, Any]] = {}
        for path in sorted(self.cluster.glob("*/node.json")):
            try:
                found[path.parent.name] = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
        return found

    def forget(self) -> None:
        """Remove what is left of the runs, once there is no cluster."""
        shutil.rmtree(self._place, ignore_errors=True)
