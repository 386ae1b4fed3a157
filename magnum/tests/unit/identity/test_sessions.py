"""The service's identity: its clients in a bay's project, what they cost, and the request id that they pass on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from heatclient import exc as heat_exceptions
from keystoneauth1 import exceptions as ksa
from oslo_config import cfg

from magnum.conf import CONF
from magnum.conf import heat_client as heat_client_options
from magnum.conf import identity as identity_options
from magnum.db import projects
from magnum.drivers.contract import CloudUnavailable, DriverError
from magnum.identity import sessions
from magnum.identity.grants import Grants
from magnum.identity.sessions import ServiceIdentity
from magnum.lifecycle import clouds
from magnum.tests.unit.identity.network import FakeKeystone, installed

REQUEST = "req-11111111-2222-3333-4444-555555555555"
CATALOGUE = {
    "identity": "http://keystone/v3",
    "orchestration": "http://heat/v1/p1",
    "compute": "http://nova/v2.1",
    "volumev3": "http://cinder/v3/p1",
    "load-balancer": "http://octavia",
}
CONFIG = """
[keystone_auth]
auth_type = v3password
auth_url = http://keystone/v3
username = magnum
password = secret
user_domain_id = default
project_name = service
project_domain_id = default
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration for the identity alone: the options of its plugin would stay required in the process's."""
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
    file = tmp_path / "magnum.conf"
    file.write_text(CONFIG)
    made = cfg.ConfigOpts()
    for module in (identity_options, heat_client_options):
        module.register_opts(made)
    made(args=[], default_config_files=[str(file)], default_config_dirs=[])
    monkeypatch.setattr(sessions, "CONF", made)


@pytest.fixture
def keystone(own: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKeystone]:
    with installed(FakeKeystone(dict(CATALOGUE)), monkeypatch) as made:
        yield made


@pytest.fixture
def identity(keystone: FakeKeystone) -> ServiceIdentity:
    return ServiceIdentity()


@pytest.fixture
def access(identity: ServiceIdentity, monkeypatch: pytest.MonkeyPatch) -> clouds.Access:
    """The access without its note in the database that roles are granted."""
    monkeypatch.setattr(projects, "mark_granted", lambda *_: None)
    return clouds.Access(identity)


def ids(keystone: FakeKeystone, host: str) -> set[Any]:
    """Request ids that left for a host, without those of asking for a token."""
    return {
        request.headers.get("X-Openstack-Request-Id")
        for request in keystone.left
        if host in str(request.url) and request.method != "POST"
    }


def test_heat_gets_the_request_id_and_one_token_is_enough(
    keystone: FakeKeystone, identity: ServiceIdentity
) -> None:
    keystone.services = (200, {"stacks": []})
    for _ in range(3):
        assert list(identity.heat("p1", REQUEST).stacks.list()) == []
    assert keystone.urls == [
        "POST http://keystone/v3/auth/tokens",
        *["GET http://heat/v1/p1/stacks"] * 3,
    ]
    assert ids(keystone, "heat") == {REQUEST}
    assert set(keystone.timeouts) == {CONF.heat_client.timeout}


@pytest.mark.parametrize(
    ("asked", "url"),
    [
        ("compute", "http://nova/v2.1/x"),
        ("block-storage", "http://cinder/v3/p1/x"),
        ("volumev3", "http://cinder/v3/p1/x"),
        ("load-balancer", "http://octavia/x"),
        ("orchestration", "http://heat/v1/p1/x"),
    ],
)
def test_another_service_is_found_in_the_token(
    keystone: FakeKeystone, identity: ServiceIdentity, asked: str, url: str
) -> None:
    for _ in range(2):
        adapter = identity.rest("p1", asked, REQUEST)
        assert adapter is not None
        adapter.get("/x")
    assert keystone.urls == ["POST http://keystone/v3/auth/tokens", *[f"GET {url}"] * 2]
    assert ids(keystone, url) == {REQUEST}


@pytest.mark.parametrize("asked", ["network", "key-manager", "no-such-type"])
def test_a_service_that_the_cloud_does_not_have_is_none(
    keystone: FakeKeystone, identity: ServiceIdentity, asked: str
) -> None:
    assert identity.rest("p1", asked, REQUEST) is None
    assert identity.rest("p1", asked, REQUEST) is None
    assert len(keystone.left) == 1


def test_a_catalogue_that_is_empty_says_nothing(
    keystone: FakeKeystone, access: clouds.Access
) -> None:
    keystone.catalogue.clear()
    with pytest.raises(CloudUnavailable, match="catalog"):
        access.rest("p1", "compute", REQUEST)


def test_a_region_without_the_service_has_none(
    keystone: FakeKeystone, identity: ServiceIdentity
) -> None:
    CONF.set_override("region_name", "RegionTwo", "heat_client")
    try:
        assert identity.rest("p1", "compute", REQUEST) is None
    finally:
        CONF.clear_override("region_name", "heat_client")


def test_roles_are_granted_under_the_request_id(
    keystone: FakeKeystone, identity: ServiceIdentity
) -> None:
    CONF.set_override("granted_roles", ["member"], "identity")
    try:
        Grants(identity).grant("p1", REQUEST)
    finally:
        CONF.clear_override("granted_roles", "identity")
    asked = [url for url in keystone.urls if "roles" in url]
    assert asked == [
        "GET http://keystone/v3/roles?name=member",
        "PUT http://keystone/v3/projects/p1/users/service-user/roles/role-id",
    ]
    assert ids(keystone, "roles") == {REQUEST}
    assert set(keystone.timeouts) == {CONF.identity.timeout}


def test_heat_that_does_not_answer_costs_no_token(
    keystone: FakeKeystone, access: clouds.Access
) -> None:
    keystone.services = 503
    for _ in range(CONF.breaker.failure_threshold):
        with pytest.raises(heat_exceptions.HTTPServiceUnavailable):
            list(access.heat("p1", REQUEST).stacks.list())
        access.doubt("p1")
    sent = len(keystone.left)
    for _ in range(3):
        with pytest.raises(ksa.ConnectFailure, match="orchestration"):
            list(access.heat("p1", REQUEST).stacks.list())
        access.doubt("p1")
    # What was in doubt when the circuit opened is granted again, once.
    assert all("keystone" in url for url in keystone.urls[sent:])
    again = len(keystone.left)
    with pytest.raises(ksa.ConnectFailure):
        list(access.heat("p1", REQUEST).stacks.list())
    assert len(keystone.left) == again


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (requests.exceptions.ConnectionError("refused"), CloudUnavailable.code),
        (requests.exceptions.ReadTimeout("hangs"), CloudUnavailable.code),
        (500, CloudUnavailable.code),
        (503, CloudUnavailable.code),
        (401, "CLOUD_REFUSED"),
        (403, "CLOUD_REFUSED"),
    ],
    ids=str,
)
@pytest.mark.parametrize("grant_roles", [True, False])
def test_keystones_troubles_are_told_in_the_contracts_words(
    keystone: FakeKeystone, access: clouds.Access, trouble: Any, code: str, grant_roles: bool
) -> None:
    keystone.trouble = trouble
    CONF.set_override("grant_roles", grant_roles, "identity")
    try:
        for _ in range(10):
            with pytest.raises(DriverError) as caught:
                access.rest("p1", "compute", REQUEST)
    finally:
        CONF.clear_override("grant_roles", "identity")
    assert caught.value.code == code
    if code == CloudUnavailable.code:
        assert len(keystone.left) == CONF.breaker.failure_threshold
        assert "identity service" in caught.value.operator_text
