"""Tools for tests of the API: callers, drivers that are only looked at, and a check of headers instead of tokens."""

import json
from collections.abc import Mapping
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from oslo_policy import policy
from sqlalchemy import select, update
from webtest import TestApp, TestResponse

from magnum.conf import CONF
from magnum.db import session
from magnum.db.models import Bay, Operation
from magnum.drivers.contract import Done, Driver, Outcome, Provides, Work
from magnum.policies import enforcer
from magnum.tests import documented

MEMBER = "member,reader"
LATEST = "container-infra latest"
#: The last version without operations.
BEFORE_OPERATIONS = "container-infra 1.14"
EVERYTHING = ["image", "compute", "network", "volume"]


class SwarmDriver(Driver):
    """A driver with all the verbs that the API can ask for now."""

    name = "swarm_test_v1"
    version = "1.2.0"
    template_version = "7"
    provides = frozenset({Provides("vm", "fedora-atomic", "swarm")})

    def bay_create(self, work: Work) -> Outcome:
        """Never called: the API runs no verb of a driver."""
        return Done()

    bay_update = bay_delete = bay_create
    bay_check = bay_rebuild = bay_soft_reboot = bay_hard_reboot = bay_create


class FixedDriver(Driver):
    """A driver that builds two engines and cannot change what it has built."""

    name = "fixed_test_v1"
    version = "0.1.0"
    provides = frozenset(
        {Provides("vm", "flatcar", "kubernetes"), Provides("vm", "flatcar", "mesos")}
    )

    def bay_create(self, work: Work) -> Outcome:
        """Never called."""
        return Done()


class Client:
    """A caller. Header names are those that keystonemiddleware would set."""

    def __init__(self, wsgi: WSGIApplication, **identity: str) -> None:
        self._app = TestApp(wsgi)
        self.headers = {
            "X-Identity-Status": "Confirmed",
            **{f"X-{name.replace('_', '-')}": value for name, value in identity.items()},
        }

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: str | None = LATEST,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Send a request. ``body`` is a text or bytes as they are, or else goes as JSON."""
        sent = {**self.headers, **({"OpenStack-API-Version": version} if version else {})}
        data = b""
        if isinstance(body, bytes):
            data = body
        elif isinstance(body, str):
            data = body.encode(errors="surrogatepass")
        elif body is not None:
            data = json.dumps(body).encode()
        if data:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        answer: TestResponse = self._app.request(
            path, method=method, headers=sent, body=data, expect_errors=True
        )
        if status is not None:
            assert answer.status_int == status, answer.text
        documented.check(answer)
        return answer

    def error(self, *request: Any, status: int, **more: Any) -> dict[str, Any]:
        """Send a request that must fail, and return what the error says."""
        answer = self(*request, status=status, **more)
        found: dict[str, Any] = answer.json["errors"][0]
        return found


class Settings:
    """Options that a test sets; put back afterwards."""

    def __init__(self) -> None:
        self._set: list[tuple[str, str]] = []

    def __call__(self, group: str, **values: Any) -> None:
        for name, value in values.items():
            CONF.set_override(name, value, group=group)
            self._set.append((name, group))

    def undo(self) -> None:
        """Put everything back."""
        for name, group in self._set:
            CONF.clear_override(name, group=group)


def trusting(wsgi: WSGIApplication) -> WSGIApplication:
    """In place of keystonemiddleware: believe the headers, refuse who sends none."""

    def check(environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        if environ.get("HTTP_X_IDENTITY_STATUS") != "Confirmed":
            headers = [
                ("Content-Type", "application/json"),
                ("WWW-Authenticate", "Keystone uri=''"),
            ]
            start_response("401 Unauthorized", headers)
            return [b'{"error": {"code": 401, "title": "Unauthorized", "message": "No token."}}']
        return wsgi(environ, start_response)

    return check


MODEL = {
    "name": "model",
    "coe": "swarm",
    "image_id": "fedora",
    "keypair_id": None,
    "external_network_id": "public",
    "cluster_distro": "fedora-atomic",
}


def a_model(client: Client, **fields: Any) -> dict[str, Any]:
    """A baymodel of a caller."""
    made: dict[str, Any] = client("POST", "/v1/baymodels", {**MODEL, **fields}, status=201).json
    return made


def a_bay(client: Client, **fields: Any) -> str:
    """A bay of a caller, of a new baymodel unless one is named. Returns its uuid."""
    if "baymodel_id" not in fields:
        fields["baymodel_id"] = a_model(client)["uuid"]
    body = {"name": "bay", **fields}
    uuid: str = client("POST", "/v1/bays", body, status=202).json["uuid"]
    return uuid


def settle(uuid: str, **values: Any) -> None:
    """Write what a conductor would write in the end."""
    with session.engine().begin() as connection:
        done = {"status": "CREATE_COMPLETE", **values}
        connection.execute(update(Bay).where(Bay.uuid == uuid).values(**done))


def shown(client: Client, uuid: str, version: str = LATEST) -> dict[str, Any]:
    """The bay as a caller sees it."""
    found: dict[str, Any] = client("GET", f"/v1/bays/{uuid}", version=version, status=200).json
    return found


def operations_of(bay: str) -> list[str]:
    """Uuids of a bay's operations, the oldest first, whatever a caller may see."""
    with session.engine().begin() as connection:
        found = select(Operation.uuid).where(Operation.bay_uuid == bay).order_by(Operation.id)
        return list(connection.scalars(found))


def stands(uuid: str, **values: Any) -> None:
    """Write what a conductor's pass would write of an operation."""
    with session.engine().begin() as connection:
        connection.execute(update(Operation).where(Operation.uuid == uuid).values(**values))


def set_rule(name: str, check: str) -> None:
    """Let the operator's policy say something else, until ``enforcer.decisions.cache_clear()``."""
    decisions = enforcer.decisions()
    rules = decisions._enforcer
    rules.load_rules()  # else the others would not be there, and everything would be refused
    rules.set_rules(policy.Rules.from_dict({name: check}), overwrite=False, use_conf=False)
    decisions._answers.clear()


def replace(path: str, value: Any) -> list[dict[str, Any]]:
    return [{"op": "replace", "path": path, "value": value}]
