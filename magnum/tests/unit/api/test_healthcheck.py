"""``GET /healthcheck`` (contract 2.11)."""

from pathlib import Path
from wsgiref.types import WSGIApplication

import pytest
from webtest import TestApp

from magnum.tests.api import Settings


@pytest.fixture
def balancer(wsgi: WSGIApplication) -> TestApp:
    """Somebody without a token."""
    return TestApp(wsgi)


@pytest.mark.parametrize("path", ["/healthcheck", "/healthcheck/"])
def test_anybody_may_ask(balancer: TestApp, path: str) -> None:
    answer = balancer.get(path, status=200)
    assert (answer.content_type, answer.text) == ("text/plain", "OK")
    assert answer.headers["X-Openstack-Request-Id"].startswith("req-")
    balancer.head(path, status=204)


def test_in_json(balancer: TestApp) -> None:
    answer = balancer.get("/healthcheck", headers={"Accept": "application/json"}, status=200)
    assert answer.json["reasons"] == ["OK"]


def test_a_file_takes_the_process_out(balancer: TestApp, config: Settings, tmp_path: Path) -> None:
    file = tmp_path / "disable"
    config("healthcheck", disable_by_file_path=str(file))
    file.touch()
    assert balancer.get("/healthcheck", status=503).text == "DISABLED BY FILE"
    file.unlink()
    balancer.get("/healthcheck", status=200)


@pytest.mark.parametrize("path", ["/v1/healthcheck", "/healthcheck/more", "/healthchecks"])
def test_nothing_else_is_open(balancer: TestApp, path: str) -> None:
    balancer.get(path, status=401)
    balancer.post("/healthcheck", status=401)
