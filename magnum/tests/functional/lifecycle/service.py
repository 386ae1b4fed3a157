"""The whole service for a test: real processes of API and conductor, an empty path of drivers, a stand-in cloud."""

import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from magnum.tests.functional.conductor.processes import until
from tools.openstack import config
from tools.openstack.processes import free_port
from tools.standin.client import StandIn

VERSION = "container-infra 1.15"


class Service:
    """API and conductor on a stand-in cloud, with one empty path of drivers."""

    def __init__(self, folder: Path, database: str, cloud: StandIn) -> None:
        self.drivers = folder / "drivers"
        self.drivers.mkdir(mode=0o755)
        self.cloud = cloud
        self._folder = folder
        self.config = folder / "magnum.conf"
        self._port = free_port()
        own: config.Sections = {
            "DEFAULT": {"state_path": str(folder), "use_stderr": True},
            "database": {"connection": database.replace("%", "%%")},
            "conductor": {"sweep_interval": 0.3, "threads": 4},
            "drivers": {"paths": str(self.drivers), "refresh_seconds": 0.2},
            "lifecycle": {"poll_interval": 0.3, "blocked_interval": 1.0, "settle_seconds": 0.5},
            "heat_events": {"enabled": False},
        }
        config.write(self.config, config.merged(cloud.sections(), own))
        self.token = cloud.token()
        self._processes = [self._start("magnum.cmd.conductor", "--config-file", str(self.config))]
        bind = ("--bind", f"127.0.0.1:{self._port}", "--graceful-timeout", "2")
        self._processes.append(self._start("gunicorn", *bind, "magnum.wsgi.api:application"))

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{command[0]}.log").open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", *command],
                stdout=output,
                stderr=output,
                env={**os.environ, "OS_MAGNUM_CONFIG_FILES": str(self.config)},
                start_new_session=True,
            )

    def end(self) -> None:
        for process in self._processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @property
    def url(self) -> str:
        """Where the API is, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    def processes(self) -> list[int]:
        """Ids of all processes, workers too."""
        shown = subprocess.run(
            ["ps", "-eo", "pid,pgid"], capture_output=True, text=True, check=True
        )
        groups = {process.pid for process in self._processes}
        lines = [line.split() for line in shown.stdout.splitlines()[1:]]
        return sorted(int(pid) for pid, group in lines if int(group) in groups)

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in self._folder.glob("*.log"))

    # --- what people ask -----------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=240)
        headers = {
            "X-Auth-Token": self.token,
            "OpenStack-API-Version": VERSION,
            "Content-Type": "application/json",
        }
        try:
            connection.request(method, f"/v1{path}", json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        status, found = self.ask("GET", path)
        assert status == 200, found
        return found

    def is_up(self) -> bool:
        assert all(process.poll() is None for process in self._processes), self.logs()
        try:
            return self.ask("GET", "/bays")[0] == 200
        except OSError:
            return False

    def bay(self, name: str, driver: str) -> str:
        """A complete bay of a driver, made as soon as the API knows that; returns its uuid."""
        model = {
            "name": f"for-{name}",
            "driver": driver,
            "image_id": "fedora-atomic",
            "cluster_distro": "fedora-atomic",
            "external_network_id": "public",
            "flavor_id": "m1.small",
            "master_flavor_id": "m1.small",
            "keypair_id": None,
        }

        def made() -> bool:
            status, found = self.ask("POST", "/baymodels", model)
            assert status in (201, 400), found
            return status == 201

        until(made)
        status, found = self.ask("POST", "/bays", {"name": name, "baymodel_id": f"for-{name}"})
        assert status == 202, found
        self.until_status(name, "CREATE_COMPLETE")
        return str(found["uuid"])

    def status(self, name: str) -> str:
        return str(self.get(f"/bays/{name}")["status"])

    def until_status(self, name: str, wanted: str) -> None:
        def reached() -> bool:
            seen = self.get(f"/bays/{name}")
            assert not seen["status"].endswith("_FAILED"), seen
            return bool(seen["status"] == wanted)

        until(reached)

    def versions(self, name: str) -> tuple[str, str, str]:
        seen = self.get(f"/bays/{name}")
        return seen["driver"], seen["driver_version"], seen["template_version"]

    def resize(self, name: str, count: int) -> None:
        change = [{"op": "replace", "path": "/node_count", "value": count}]
        status, found = self.ask("PATCH", f"/bays/{name}", change)
        assert status == 202, found

    def operation(self, name: str) -> Any:
        """The newest operation of a bay."""
        return self.get(f"/bays/{name}/operations?sort_key=created_at&sort_dir=desc&limit=1")[
            "operations"
        ][0]

    def sent(self, uuid: str) -> dict[str, str]:
        """The parameters of the stack of a bay, as Heat has them."""
        (stack,) = self.cloud.live_stacks(f"bay-{uuid}")
        found: dict[str, str] = stack["parameters"]
        return found

    # --- what an operator does -----------------------------------------------------------------------------------

    def manage(self, *words: str) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "magnum.cmd.driver_manage"]
        command += ["--config-file", str(self.config), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
