"""A bay's whole life over API and conductor processes, and then a search of all they have shown for any secret."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from heatclient import client as heat_client
from keystoneauth1.identity import v3
from keystoneauth1.session import Session
from kombu.connection import Connection
from kombu.entity import Exchange, Queue

from magnum.certs import authority, keys
from magnum.common.context import service_context
from magnum.conf import CONF
from magnum.db import bays, session
from magnum.db import secrets as secret_store
from magnum.identity.bay_users import Endpoints
from magnum.lifecycle.secrets import BaySecrets
from magnum.tests import engine
from magnum.tests.api import MODEL
from magnum.tests.functional import secrets_search
from magnum.tests.functional.secrets_search import Secrets, as_text
from magnum.tests.keys import a_request
from tools.openstack import config
from tools.standin.client import StandIn

pytestmark = [pytest.mark.functional, pytest.mark.timeout(900)]

PATIENCE = 300.0
PASSWORD = "the-services-own-password-of-this-run"
LOUD = (
    *("keystoneauth=DEBUG", "keystonemiddleware=DEBUG", "heatclient=DEBUG", "urllib3=DEBUG"),
    *("sqlalchemy.engine=INFO", "oslo_messaging=DEBUG", "oslo.messaging=DEBUG", "amqp=DEBUG"),
)


def until(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)
    return found


def a_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


# --- what runs -------------------------------------------------------------------------------------------------------


@dataclass
class Run:
    """API and conductor on a stand-in's cloud, and what they have shown so far."""

    folder: Path
    standin: StandIn
    port: int
    shown: dict[str, str] = field(default_factory=dict)

    def __call__(
        self, method: str, path: str, body: Any = None, token: str | None = None
    ) -> tuple[int, Any]:
        """A request to the API; what it answers counts as shown."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method)
        request.add_header("X-Auth-Token", token or self.token)
        request.add_header("Content-Type", "application/json")
        request.add_header("OpenStack-API-Version", "container-infra latest")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                status, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read().decode()
        self.shown[f"answer {len(self.shown)} to {method} {path}"] = text
        return status, json.loads(text) if text else None

    @property
    def token(self) -> str:
        """Of somebody who has bays."""
        return self.standin.token("demo", "demo")

    @property
    def logs(self) -> list[Path]:
        """Of all processes, the stand-in's not among them."""
        return [self.folder / f"{name}.log" for name in ("api", "conductor")]


@contextmanager
def running(folder: Path, name: str, command: tuple[str, ...], file: Path) -> Iterator[None]:
    environment = {
        **os.environ,
        "OS_MAGNUM_CONFIG_FILES": str(file),
        "XDG_RUNTIME_DIR": str(folder),
    }
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            (sys.executable, "-W", "ignore", "-m", *command),
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
    try:
        yield
        assert process.poll() is None, (folder / f"{name}.log").read_text()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[StandIn]:
    place = tmp_path / "standin"
    place.mkdir()
    with StandIn(place, seconds_per_stack=0.2) as found:
        yield found


@pytest.fixture
def topic() -> str:
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def run(tmp_path: Path, standin: StandIn, topic: str, rabbit_server: str | None) -> Iterator[Run]:
    url, port = f"sqlite:///{tmp_path}/magnum.sqlite", a_port()
    engine.use_database(url)
    standin.elsewhere("container-infra", f"http://127.0.0.1:{port}/v1")
    sections = standin.sections()
    CONF.set_override("key_ring", str(sections["certificates"]["key_ring"]), group="certificates")
    own = {"password": PASSWORD}
    default: dict[str, Any] = {"debug": True, "default_log_levels": LOUD}
    if rabbit_server is not None:
        default["transport_url"] = rabbit_server
    file = tmp_path / "magnum.conf"
    ours: dict[str, Mapping[str, Any]] = {
        "DEFAULT": default,
        "database": {"connection": url},
        "conductor": {"sweep_interval": 0.3, "topic": topic},
        "lifecycle": {"poll_interval": 0.3},
        "heat_events": {"enabled": False},
        "keystone_auth": own,
        "keystone_authtoken": own,
    }
    config.write(file, config.merged(sections, ours))
    workers = ("--workers", "1", "--threads", "4", "--worker-class", "gthread")
    server = ("gunicorn", *workers, "--bind", f"127.0.0.1:{port}", "magnum.wsgi.api:application")
    conductor = ("magnum.cmd.conductor", "--config-file", str(file))
    found = Run(tmp_path, standin, port)
    with running(tmp_path, "api", server, file), running(tmp_path, "conductor", conductor, file):
        until(lambda: b"is at work" in (tmp_path / "conductor.log").read_bytes())
        until(lambda: _answers(port))
        yield found
    session.engine().dispose()
    CONF.clear_override("key_ring", group="certificates")


def _answers(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def overheard(url: str | None, topic: str) -> Iterator[list[str]]:
    """What goes over the broker to the conductors. Empty without a broker."""
    if url is None:
        yield []
        return
    heard: list[str] = []
    with Connection(url.replace("rabbit://", "amqp://")) as connection:
        exchange = Exchange("openstack", "topic", durable=False)
        queue = Queue(f"{topic}-ears", exchange, routing_key=topic, auto_delete=True)
        simple = connection.SimpleBuffer(queue)
        try:
            yield heard
            while True:
                try:
                    message = simple.get(timeout=0.5)
                except simple.Empty:
                    break
                heard.append(as_text([message.payload, message.headers]))
        finally:
            simple.close()


# --- the test --------------------------------------------------------------------------------------------------------


def test_no_secret_of_a_bays_life_shows_anywhere(
    run: Run, standin: StandIn, topic: str, rabbit_server: str | None
) -> None:
    secrets = Secrets()
    secrets.add("service password", PASSWORD)
    secrets.of_key_ring(Path(CONF.certificates.key_ring))
    with overheard(rabbit_server, topic) as heard:
        uuid = _created(run)
        _used_by_a_node(run, uuid)
        _used_by_its_owner(run, uuid)
        run.shown["the stack"] = _stack(standin, uuid)
        secrets.of_database()
        run.shown.update(secrets_search.database())
        run("PATCH", f"/v1/bays/{uuid}", [{"op": "replace", "path": "/node_count", "value": 2}])
        until(lambda: run("GET", f"/v1/bays/{uuid}")[1]["status"] == "UPDATE_COMPLETE")
        run("DELETE", f"/v1/bays/{uuid}")
        until(lambda: run("GET", f"/v1/bays/{uuid}")[0] == 404)
    for kind, texts in standin.secrets().items():
        secrets.add(kind, *texts)
    run.shown |= {f"message {number}": text for number, text in enumerate(heard)}
    run.shown.update(secrets_search.database())
    run.shown.update(secrets_search.files(run.logs))

    wanted = {"service password", "key ring", "ca", "node-credential", "credential", "token"}
    assert wanted <= secrets.known.keys()
    assert bool(heard) is (rabbit_server is not None)
    assert "POST" in run.shown["file conductor.log"], "the log is as loud as it can be"
    assert secrets_search.leaks(secrets, run.shown) == []

    assert standin.users() == []
    assert standin.live_stacks() == []
    assert secret_store.all_of(service_context(), uuid) == []


def _created(run: Run) -> str:
    model = {**MODEL, "name": "m", "flavor_id": "m1.small", "master_flavor_id": "m1.small"}
    status, made = run("POST", "/v1/baymodels", model)
    assert status == 201, made
    status, accepted = run("POST", "/v1/bays", {"name": "b", "baymodel_id": made["uuid"]})
    assert status == 202, accepted
    uuid: str = accepted["uuid"]

    def complete() -> bool:
        _, bay = run("GET", f"/v1/bays/{uuid}")
        assert not bay["status"].endswith("FAILED"), bay
        return bool(bay["status"] == "CREATE_COMPLETE")

    until(complete)
    return uuid


def _used_by_a_node(run: Run, uuid: str) -> None:
    """What a node does with its credential, and what it cannot do."""
    bay = bays.get(service_context(), uuid, all_projects=True)
    credential = BaySecrets(bay, _FakeAccess).node_credential()  # type: ignore[arg-type]
    who = v3.ApplicationCredential(
        auth_url=f"{run.standin.auth_url}/v3",
        application_credential_id=credential.ident,
        application_credential_secret=credential.secret,
    )
    token = Session(auth=who, timeout=30).get_token()
    assert token is not None
    status, ca = run("GET", f"/v1/certificates/{uuid}", token=token)
    assert status == 200, ca
    body = {"bay_uuid": uuid, "csr": a_request(addresses=("10.0.0.1",))}
    status, signed = run("POST", "/v1/certificates", body, token=token)
    assert status == 201, signed
    issuer = x509.load_pem_x509_certificate(ca["pem"].encode())
    x509.load_pem_x509_certificate(signed["pem"].encode()).verify_directly_issued_by(issuer)
    for method, path in (
        ("GET", "/v1/bays"),
        ("GET", f"/v1/bays/{uuid}"),
        ("DELETE", f"/v1/bays/{uuid}"),
        ("PATCH", f"/v1/certificates/{uuid}"),
        ("GET", f"/v1/certificates/{uuid.replace(uuid[0], 'f')}"),
    ):
        assert run(method, path, token=token)[0] == 401, path


class _FakeAccess:
    """Stands for the service's access, of which only the addresses of nodes are asked."""

    @staticmethod
    def endpoints() -> Any:
        """Not looked at here."""
        return Endpoints("", "")


def _used_by_its_owner(run: Run, uuid: str) -> None:
    """Everything that there is to see, and requests that fail."""
    for path in ("", "/operations", "/events", "/ext", "/effective"):
        run("GET", f"/v1/bays/{uuid}{path}")
    for path in ("/v1/bays/detail", "/v1/baymodels", f"/v1/certificates/{uuid}/etcd"):
        run("GET", path)
    run("POST", "/v1/certificates", {"bay_uuid": uuid, "csr": "no request"})
    run("POST", "/v1/bays", {"name": "b"})
    run("GET", f"/v1/certificates/{uuid}", token="no token at all")


def _stack(standin: StandIn, uuid: str) -> str:
    """All that somebody in the project sees of the stack: parameters and outputs."""
    who: dict[str, Any] = {"username": "demo", "user_domain_name": "Default", "password": "x"}
    auth = v3.Password(
        auth_url=standin.auth_url, project_name="demo", project_domain_name="Default", **who
    )
    heat = heat_client.Client("1", session=Session(timeout=30), auth=auth)
    stack = heat.stacks.get(f"bay-{uuid}", resolve_outputs=True)
    assert "node_credential" in stack.parameters, "its secret parameters are there, hidden"
    return as_text(stack.to_dict())


# --- the search itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", sorted(secrets_search.forms("a/secret+of 'this'=run\"")))
def test_the_search_finds_every_form(form: str) -> None:
    secrets = Secrets()
    secrets.add("it", "a/secret+of 'this'=run\"")
    assert secrets_search.leaks(secrets, {"place": f"before {form} after"}) == ["it in place"]


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
def test_the_search_finds_what_is_inside_of_something_encoded(before: str) -> None:
    secrets = Secrets()
    secrets.add("it", "a secret of this run")
    text = base64.b64encode(f"{before}a secret of this run, and more".encode()).decode()
    assert secrets_search.leaks(secrets, {"place": text}) == ["it in place"]


def test_the_search_finds_one_line_of_many() -> None:
    key = keys.new_key()
    pem = keys.to_pem(key)
    secrets = Secrets()
    secrets.add("key", pem)
    assert secrets_search.leaks(secrets, {"place": "-----BEGIN PRIVATE KEY-----"}) == []
    for line in pem.splitlines()[1:3]:
        assert secrets_search.leaks(secrets, {"place": f"x\\n{line}\\n"}) == ["key in place"]


def test_the_search_does_not_take_the_public_half_of_a_key_for_a_secret() -> None:
    for _ in range(20):
        made = authority.make("a")
        secrets = Secrets()
        secrets.add("key", made.key)
        assert secrets_search.leaks(secrets, {"place": made.certificate}) == []
