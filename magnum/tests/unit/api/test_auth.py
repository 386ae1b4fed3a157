"""The token check: keystonemiddleware with a Keystone that is a few lines long."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
import requests
from keystoneauth1 import loading
from requests.adapters import BaseAdapter
from webtest import TestApp

from magnum.api import app
from magnum.api.middleware.auth import KeystoneAuth
from magnum.conf import CONF
from magnum.drivers import catalogue
from magnum.tests.api import MODEL, Settings, a_bay

EXPIRES = "2099-01-01T00:00:00.000000Z"


@dataclass
class Keystone(BaseAdapter):
    """Knows tokens by name. Counts what it is asked."""

    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    validations: int = 0
    calls: int = 0
    trouble: Exception | int | None = None

    def send(self, request: requests.PreparedRequest, *_: Any, **more: Any) -> requests.Response:
        """Answer one request of keystoneauth."""
        self.calls += 1
        assert more["timeout"] is not None
        if isinstance(self.trouble, Exception):
            raise self.trouble
        answer = requests.Response()
        answer.url, answer.request = str(request.url), request
        answer.headers["Content-Type"] = "application/json"
        status, body = self._answer(request, answer)
        answer.status_code = self.trouble or status
        answer._content = json.dumps(body).encode()
        return answer

    def close(self) -> None:
        """Nothing is held."""

    def _answer(self, request: requests.PreparedRequest, answer: Any) -> tuple[int, Any]:
        if str(request.path_url).rstrip("/") in ("", "/v3"):
            link = {"rel": "self", "href": "http://keystone/v3/"}
            version = {"id": "v3.14", "status": "stable", "links": [link]}
            return 200, {"version": version, "versions": {"values": [version]}}
        if request.method == "POST":
            answer.headers["X-Subject-Token"] = "service-token"
            return 201, {"token": a_token("magnum", "service", ["service"])}
        self.validations += 1
        found = self.tokens.get(str(request.headers["X-Subject-Token"]))
        return (200, {"token": found}) if found else (404, {"error": {"code": 404}})


def a_token(user: str, project: str, roles: list[str], **more: Any) -> dict[str, Any]:
    """What Keystone says of a token."""
    default = {"id": "default", "name": "Default"}
    endpoint = {
        "id": "e",
        "interface": "internal",
        "region": "RegionOne",
        "region_id": "RegionOne",
        "url": "http://keystone/v3",
    }
    return {
        "methods": ["password"],
        "user": {"id": user, "name": user, "domain": default},
        "project": {"id": project, "name": project, "domain": default},
        "roles": [{"id": role, "name": role} for role in roles],
        "issued_at": "2026-01-01T00:00:00.000000Z",
        "expires_at": EXPIRES,
        "catalog": [
            {"type": "identity", "name": "keystone", "id": "k", "endpoints": [endpoint]},
            {"type": "container-infra", "name": "magnum", "id": "m", "endpoints": []},
        ],
        **more,
    }


@pytest.fixture
def keystone(monkeypatch: pytest.MonkeyPatch, config: Settings) -> Iterator[Keystone]:
    """A Keystone at the end of every HTTP connection of this process."""
    made = Keystone({"demo": a_token("u1", "p1", ["member", "reader"])})
    monkeypatch.setattr(requests.Session, "get_adapter", lambda self, url: made)
    KeystoneAuth(lambda *_: [])  # registers the options
    options = {
        "auth_type": "password",
        "auth_url": "http://keystone",
        "www_authenticate_uri": "http://keystone",
        "username": "magnum",
        "password": "x",
        "project_name": "service",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    plugin = loading.get_auth_plugin_conf_options("password")
    CONF.register_opts(plugin, group="keystone_authtoken")
    for name, value in options.items():
        CONF.set_override(name, value, group="keystone_authtoken")
    yield made
    for name in options:
        CONF.clear_override(name, group="keystone_authtoken")
    # Some of them are mandatory, which would spoil the next reading of the configuration.
    CONF.reset()
    CONF.unregister_opts(plugin, group="keystone_authtoken")


@pytest.fixture
def client(keystone: Keystone, database: None, drivers: catalogue.Catalogue) -> TestApp:
    """The whole application as it is served."""
    return TestApp(app.make())


def ask(client: TestApp, token: str | None, path: str = "/v1/bays", **more: Any) -> Any:
    headers = {"X-Auth-Token": token} if token else {}
    return client.get(path, headers=headers, expect_errors=True, **more)


def test_a_good_token_is_let_in_and_asked_for_once(client: TestApp, keystone: Keystone) -> None:
    assert ask(client, "demo").status_int == 200
    asked = keystone.calls
    for _ in range(5):
        assert ask(client, "demo").json == {"bays": []}
    assert keystone.calls == asked
    assert keystone.validations == 1


@pytest.mark.parametrize("token", [None, "rubbish"])
def test_a_bad_token_is_401(client: TestApp, token: str | None) -> None:
    answer = ask(client, token)
    assert answer.status_int == 401
    assert answer.headers["WWW-Authenticate"] == 'Keystone uri="http://keystone"'
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["X-Openstack-Request-Id"].startswith("req-")


def test_discovery_needs_no_token_and_no_keystone(client: TestApp, keystone: Keystone) -> None:
    for path in ("/", "/v1", "/v1/"):
        assert ask(client, "rubbish", path).status_int == 200
    assert keystone.calls == 0


def test_headers_that_only_keystonemiddleware_may_set_are_not_believed(client: TestApp) -> None:
    forged = {
        "X-Identity-Status": "Confirmed",
        "X-User-Id": "root",
        "X-Project-Id": "p1",
        "X-Roles": "admin",
    }
    assert client.get("/v1/bays", headers=forged, expect_errors=True).status_int == 401
    answer = client.get("/v1/baymodels", headers={**forged, "X-Auth-Token": "demo"})
    assert answer.json == {"baymodels": []}
    made = client.post_json(
        "/v1/baymodels", {**MODEL}, headers={**forged, "X-Auth-Token": "demo"}
    ).json
    assert (made["user_id"], made["project_id"]) == ("u1", "p1")


@pytest.mark.parametrize(
    "trouble",
    [requests.exceptions.ConnectionError("refused"), requests.exceptions.Timeout("slow"), 500],
)
def test_a_keystone_that_does_not_answer_is_503(
    client: TestApp, keystone: Keystone, trouble: Any
) -> None:
    CONF.set_override("http_request_max_retries", 0, group="keystone_authtoken")
    keystone.trouble = trouble
    answer = ask(TestApp(app.make()), "demo")
    CONF.clear_override("http_request_max_retries", group="keystone_authtoken")
    assert answer.status_int == 503
    (error,) = answer.json["errors"]
    assert "identity" in error["detail"]
    assert error["reason"] == "UNAVAILABLE"


def test_an_expired_token_is_401_even_when_remembered(client: TestApp, keystone: Keystone) -> None:
    keystone.tokens["old"] = a_token(
        "u1", "p1", ["member"], expires_at="2020-01-01T00:00:00.000000Z"
    )
    assert ask(client, "old").status_int == 401


def test_access_rules_hold_for_every_spelling_of_a_path(
    client: TestApp, keystone: Keystone
) -> None:
    rule = {"service": "container-infra", "method": "GET", "path": "/v1/bays"}
    keystone.tokens["restricted"] = a_token(
        "u1",
        "p1",
        ["member", "reader"],
        application_credential={"id": "a", "restricted": True, "access_rules": [rule]},
    )
    for path in ("/v1/bays", "/v1/bays/", "/bays", "//v1//bays"):
        assert ask(client, "restricted", path).status_int == 200
    for path in ("/v1/baymodels", "/baymodels", "/v1/bays/x", "/v1/bays//x"):
        assert ask(client, "restricted", path).status_int == 401


def test_memcached_is_used_where_the_operator_has_one(keystone: Keystone, config: Settings) -> None:
    seen: list[WSGIEnvironment] = []

    def inner(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return []

    config("keystone_authtoken", memcached_servers=["127.0.0.1:11211"])
    auth = KeystoneAuth(inner)

    def check(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(environ)
        return []

    auth._check = check
    auth({}, lambda *_: lambda _: None)
    assert seen == [{}]


def test_a_request_goes_all_the_way(client: TestApp) -> None:
    class Demo:
        """Just enough of a caller for the helper."""

        def __call__(self, method: str, path: str, body: Any, *, status: int) -> Any:
            headers = {
                "X-Auth-Token": "demo",
                "OpenStack-API-Version": "container-infra latest",
            }
            return client.post_json(path, body, headers=headers, status=status)

    uuid = a_bay(Demo())  # type: ignore[arg-type]
    assert ask(client, "demo", f"/v1/bays/{uuid}").json["status"] == "CREATE_IN_PROGRESS"
