"""Two versions of the service side by side: this checkout, and the release before it out of the history.

Each runs as processes of its own, which import the code of their version and nothing of the other one's.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[4]

#: The newest migration that the release before had. To be raised with each release.
PREVIOUS = "0001"

#: Seconds that a test waits for what should take two.
PATIENCE = 240.0

_MIGRATIONS = "magnum/db/migrations/versions"


@dataclass(frozen=True)
class Version:
    """Code that can be run. ``name`` is for files and messages, ``root`` has the folder ``magnum``."""

    name: str
    root: Path

    def environment(self) -> dict[str, str]:
        """Variables with which Python imports this version, before the one that is installed."""
        return {**os.environ, "PYTHONPATH": str(self.root), "PYTHONWARNINGS": "ignore"}


NEW = Version("new", CHECKOUT)


def release_before(folder: Path) -> Version:
    """The code of the release before, unpacked into a folder. Skips the test where the history does not have it."""
    if not (CHECKOUT / ".git").exists():
        pytest.skip("this is no clone: the code of the release before is not here")
    added = f"{_MIGRATIONS}/v{int(PREVIOUS) + 1:04}_*"
    commits = _git("log", "--diff-filter=A", "--format=%H", "--", added).decode().split()
    if not commits:
        pytest.skip(f"no commit of this history added {added}")
    (folder / "code.tar").write_bytes(_git("archive", f"{commits[-1]}^", "magnum"))
    root = folder / "code"
    root.mkdir()
    subprocess.run(["tar", "-xf", folder / "code.tar", "-C", root], check=True)
    newest = max(path.name for path in (root / _MIGRATIONS).glob("v*.py"))
    assert newest.startswith(f"v{PREVIOUS}_"), newest
    return Version("old", root)


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=CHECKOUT, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        pytest.skip(f"the history does not have the release before (a whole clone has): {said}")
    return done.stdout


def until(condition: Callable[[], Any]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


class Api:
    """A running API, as a member of a project sees it."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __call__(self, method: str, path: str, body: Any = None, *, status: int) -> Any:
        """Send a request and return what the answer holds."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        headers = {
            "X-Identity-Status": "Confirmed",
            "X-Project-Id": "p1",
            "X-User-Id": "u1",
            "X-Roles": "member,reader",
            "OpenStack-API-Version": "container-infra latest",
            "Content-Type": "application/json",
        }
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        assert answer.status == status, text
        return json.loads(text) if text else None

    def a_model(self) -> str:
        """A baymodel of bays without a cloud; its uuid."""
        body = {
            "name": "model",
            "coe": "noop",
            "driver": "noop_v1",
            "image_id": "none",
            "keypair_id": None,
            "external_network_id": "none",
        }
        return str(self("POST", "/v1/baymodels", body, status=201)["uuid"])

    def a_bay(self, model: str, seconds: float) -> str:
        """A bay whose every operation takes so many seconds; its uuid."""
        labels = {"noop_delay": str(seconds)}
        body = {"name": "bay", "baymodel_id": model, "labels": labels}
        return str(self("POST", "/v1/bays", body, status=202)["uuid"])

    def scale(self, bay: str, node_count: int) -> None:
        """Ask for another number of nodes."""
        change = [{"op": "replace", "path": "/node_count", "value": node_count}]
        self("PATCH", f"/v1/bays/{bay}", change, status=202)

    def delete(self, bay: str) -> None:
        """Ask for a deletion."""
        self("DELETE", f"/v1/bays/{bay}", status=204)

    def statuses(self) -> dict[str, str]:
        """What the list shows: status by uuid."""
        return {bay["uuid"]: bay["status"] for bay in self("GET", "/v1/bays", status=200)["bays"]}


class Process:
    """One process of one version, with its log."""

    def __init__(self, version: Version, folder: Path, name: str, *command: str) -> None:
        self.version = version
        self._log = folder / f"{name}.log"
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, *command],
                cwd=version.root,
                env=version.environment(),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def said(self) -> str:
        """Its log."""
        return self._log.read_text(errors="replace")

    def wait_for(self, condition: Callable[[], Any]) -> None:
        """Wait until something is so, or it has ended, which it must not."""
        until(lambda: condition() or self._process.poll() is not None)
        assert self._process.poll() is None, self.said()

    def ended(self, verb: str) -> int:
        """How many operations of a verb it has brought to a good end."""
        return self.said().count(f"({verb}): DONE")

    def kill(self) -> None:
        """kill -9 for it and its children; harmless where it has ended."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class House:
    """All processes of a test, on one database."""

    def __init__(self, folder: Path, database: str, broker: str = "") -> None:
        self._folder = folder
        self._started: list[Process] = []
        self._config = folder / "magnum.conf"
        self._write_config(database, broker)

    def _write_config(self, database: str, broker: str, sweep: float = 0.3) -> None:
        self._config.write_text(
            f"[DEFAULT]\nstate_path = {self._folder}\ntransport_url = {broker}\n"
            f"[database]\nconnection = {database}\n"
            f"[conductor]\nsweep_interval = {sweep}\nthreads = 4\ntopic = {self._folder.name}\n"
            "[lifecycle]\nlease_seconds = 3\npoll_interval = 0.2\nblocked_interval = 2\n"
            "[cloud]\nabsent_services = image,compute,network,volume\n"
            "[keystone_authtoken]\nwww_authenticate_uri = http://127.0.0.1:1\n"
        )

    def upgrade(self, version: Version) -> None:
        """Bring the database to a version's schema, as its operator does."""
        command = [sys.executable, "-m", "magnum.cmd.db_manage", "--config-file", str(self._config)]
        subprocess.run(
            [*command, "upgrade"], cwd=version.root, env=version.environment(), check=True
        )

    def conductor(self, version: Version) -> Process:
        """Start a conductor and wait until it is at work."""
        command = ("-m", "magnum.cmd.conductor", "--config-file", str(self._config))
        process = self._start(version, *command)
        process.wait_for(lambda: "is at work" in process.said())
        return process

    def api(self, version: Version) -> Api:
        """Start an API."""
        port = self._folder / f"{len(self._started)}.port"
        serve = str(Path(__file__).with_name("serve.py"))
        process = self._start(version, "-P", serve, str(self._config), str(port))
        process.wait_for(port.exists)
        return Api(int(port.read_text()))

    def _start(self, version: Version, *command: str) -> Process:
        name = f"{version.name}-{len(self._started)}"
        process = Process(version, self._folder, name, *command)
        self._started.append(process)
        return process

    def end(self) -> None:
        """Kill what is left."""
        for process in self._started:
            process.kill()
