"""One request id from the API's answer to the cloud's services, and in the logs of both processes."""

import json
import logging
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from oslo_context import context as oslo_context

from magnum.api import app
from magnum.common.context import service_context
from magnum.conf import CONF
from magnum.db import bays
from magnum.tests import engine
from magnum.tests.api import MEMBER, Client, trusting
from magnum.tests.functional.conductor.processes import PATIENCE, Conductors, status, until
from tools.standin.client import StandIn

HEADER = "X-Openstack-Request-Id"
MODEL = {
    "name": "model",
    "coe": "swarm",
    "image_id": "fedora",
    "flavor_id": "m1.small",
    "master_flavor_id": "m1.small",
    "external_network_id": "public",
    "keypair_id": "key",
    "tls_disabled": True,
    "driver": "swarm_atomic_v1",
}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One kind of database is enough here."""
    return f"sqlite:///{tmp_path}/magnum.sqlite"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[StandIn]:
    with StandIn(tmp_path, seconds_per_stack=0.2) as found:
        yield found


class Api:
    """The API as a process of its own."""

    def __init__(self, folder: Path, database: str, cloud: StandIn) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        self._log = folder / "api.log"
        self._token = cloud.token()
        config = folder / "api.conf"
        config.write_text(
            f"[DEFAULT]\nstate_path = {folder}\n[api]\nport = {port}\n"
            f"[database]\nconnection = {database}\n{cloud.config()}"
        )
        command = ["-W", "ignore", "-m", "magnum.cmd.api", "--debug", "--config-file", str(config)]
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *command], stdout=output, stderr=output
            )
        until(self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log()
        try:
            urllib.request.urlopen(self.url, timeout=PATIENCE).close()
        except urllib.error.URLError:
            return False
        return True

    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text(errors="replace")

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[str, Any]:
        """Send a request. Returns the request id of the answer, and the answer."""
        request = urllib.request.Request(
            self.url + path, None if body is None else json.dumps(body).encode(), method=method
        )
        sent = {
            "X-Auth-Token": self._token,
            "Content-Type": "application/json",
            "OpenStack-API-Version": "container-infra latest",
            **headers,
        }
        for name, value in sent.items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.headers[HEADER], json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.headers[HEADER], json.loads(error.read())


@pytest.fixture
def api(tmp_path: Path, database: str, cloud: StandIn) -> Iterator[Api]:
    made = Api(tmp_path, database, cloud)
    yield made
    made.process.kill()
    made.process.wait()


def test_the_id_of_a_request_reaches_the_cloud_and_both_logs(
    api: Api, cloud: StandIn, conductors: Conductors
) -> None:
    conductors.start(more=cloud.config())
    _, model = api("POST", "/baymodels", MODEL)
    theirs = "req-12345678-1111-2222-3333-444455556666"
    before = len(cloud.ledger())
    asked, accepted = api(
        "POST",
        "/bays",
        {"name": "bay", "baymodel_id": model["uuid"]},
        **{HEADER: theirs},
    )
    assert "uuid" in accepted, accepted
    bay = bays.get(service_context(), accepted["uuid"], all_projects=True)
    until(lambda: status(bay) == "CREATE_COMPLETE")
    assert asked != theirs
    (operation,) = engine.operations_of(bay)
    assert operation.request_id == asked

    sent = [entry for entry in cloud.ledger(before) if entry["user"] == "magnum"]
    assert {entry["request_id"] for entry in sent if entry["service"] == "orchestration"} == {asked}
    grants = [entry for entry in sent if "/roles/" in entry["path"]]
    assert {entry["request_id"] for entry in grants} == {asked}
    assert grants

    (log,) = conductors.logs()
    lines = [line for line in log.splitlines() if bay.uuid in line]
    assert lines
    assert all(f" {asked} " in line for line in lines), lines


def test_a_refusal_is_logged_under_the_id_of_its_answer(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In one thread, where a request's context stays until the next one's."""
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
    told: list[tuple[str, str | None]] = []

    class Named(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            current = oslo_context.get_current()
            told.append((record.getMessage(), current.request_id if current else None))

    handler = Named(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "magnum.api")
    logging.getLogger("magnum.api").addHandler(handler)
    try:
        caller = Client(app.make(auth=trusting), Project_Id="p1", User_Id="u1", Roles=MEMBER)
        asked = {
            path: caller("GET", path).headers[HEADER]
            for path in ("/v1/bays", "/v1/bays/nothing", "/v1/no-such-path", "/v1/bays?limit=x")
        }
    finally:
        logging.getLogger("magnum.api").removeHandler(handler)
    assert [request_id for _, request_id in told] == list(asked.values())[1:]
