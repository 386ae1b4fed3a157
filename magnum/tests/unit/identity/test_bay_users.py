"""Bays' own users: what nodes may ask, and what is said where something is not set up."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from keystonemiddleware import auth_token
from oslo_config import cfg

from magnum.conf import CONF
from magnum.conf import heat_client as heat_client_options
from magnum.conf import identity as identity_options
from magnum.conf import trust as trust_options
from magnum.drivers.contract import CloudUnavailable
from magnum.identity import bay_users, sessions
from magnum.identity.bay_users import BayUsers, NotSetUp, access_rules
from magnum.identity.sessions import ServiceIdentity
from magnum.lifecycle import clouds
from magnum.tests.unit.identity.network import Answer, FakeKeystone, installed

BAY = "8c5d6f2e-0b0a-4f3f-9a57-1de1a8f6a001"
OTHER = BAY.replace("8", "9")
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


# --- what a node's credential allows, by keystonemiddleware's own reading of rules ----------------------------------


def allowed(rules: list[dict[str, str]], method: str, path: str) -> bool:
    return any(
        rule["method"] == method and auth_token._path_matches(path, rule["path"]) for rule in rules
    )


@pytest.mark.parametrize(
    ("service_url", "prefixes"),
    [
        ("http://magnum:9511/v1", [""]),
        ("https://cloud.example.org/container-infra/v1", ["", "/container-infra"]),
    ],
)
def test_a_node_may_use_its_bays_certificates_and_report_its_health(
    service_url: str, prefixes: list[str]
) -> None:
    rules = access_rules(BAY, service_url)
    assert {rule["service"] for rule in rules} == {"container-infra"}
    for prefix in prefixes:
        at = f"{prefix}/v1/certificates"
        assert allowed(rules, "GET", f"{at}/{BAY}")
        assert allowed(rules, "GET", f"{at}/{BAY}/etcd")
        assert allowed(rules, "POST", at)
        assert allowed(rules, "PATCH", f"{prefix}/v1/clusters/{BAY}")
        for method, path in (
            ("GET", f"{at}/{OTHER}"),
            ("GET", at),
            ("GET", f"{at}/{BAY}/etcd/more"),
            ("PATCH", f"{at}/{BAY}"),
            ("POST", f"{at}/{BAY}"),
            ("GET", f"{prefix}/v1/bays/{BAY}"),
            ("PATCH", f"{prefix}/v1/bays/{BAY}"),
            ("PATCH", f"{prefix}/v1/clusters/{OTHER}"),
            ("DELETE", f"{prefix}/v1/clusters/{BAY}"),
            ("POST", f"{prefix}/v1/bays"),
            ("DELETE", f"{prefix}/v1/bays/{BAY}"),
            ("GET", f"/elsewhere{at}/{BAY}"),
        ):
            assert not allowed(rules, method, path), path


# --- what is not set up ----------------------------------------------------------------------------------------------


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> cfg.ConfigOpts:
    """A configuration for the identity alone: the options of its plugin would stay required in the process's."""
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
    file = tmp_path / "magnum.conf"
    file.write_text(CONFIG)
    made = cfg.ConfigOpts()
    for module in (identity_options, heat_client_options, trust_options):
        module.register_opts(made)
    made(args=[], default_config_files=[str(file)], default_config_dirs=[])
    for module in (sessions, bay_users):
        monkeypatch.setattr(module, "CONF", made)
    return made


@pytest.fixture
def keystone(conf: cfg.ConfigOpts, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKeystone]:
    catalogue = {
        "identity": "http://keystone",
        "container-infra": "http://magnum:9511/v1",
    }
    with installed(FakeKeystone(catalogue), monkeypatch) as made:
        yield made


@pytest.fixture
def users(keystone: FakeKeystone) -> BayUsers:
    return BayUsers(ServiceIdentity())


def test_nodes_are_told_versioned_addresses(users: BayUsers, keystone: FakeKeystone) -> None:
    found = users.endpoints()
    assert found.auth_url == "http://keystone/v3"
    assert found.service_url == "http://magnum:9511/v1"
    keystone.catalogue["container-infra"] = "http://magnum:9511/"
    assert BayUsers(ServiceIdentity()).endpoints().service_url == "http://magnum:9511/v1"


def test_a_catalogue_without_this_service_is_told(users: BayUsers, keystone: FakeKeystone) -> None:
    del keystone.catalogue["container-infra"]
    with pytest.raises(NotSetUp, match="container-infra"):
        users.make(BAY, "p1", None)


def test_without_a_domain_nothing_is_made(users: BayUsers, keystone: FakeKeystone) -> None:
    with pytest.raises(NotSetUp, match="trustee_domain_id"):
        users.make(BAY, "p1", None)
    assert not [url for url in keystone.urls if "/users" in url]


def test_a_domain_that_is_not_there_is_named(
    conf: cfg.ConfigOpts, users: BayUsers, keystone: FakeKeystone
) -> None:
    answer = keystone.answer

    def without_domains(request: requests.PreparedRequest) -> Answer:
        if "/domains?" in str(request.url):
            return 200, {"domains": []}
        return answer(request) if callable(answer) else answer

    keystone.answer = without_domains
    conf.set_override("trustee_domain_name", "bays", group="trust")
    try:
        with pytest.raises(NotSetUp, match="'bays'"):
            users.make(BAY, "p1", None)
    finally:
        conf.clear_override("trustee_domain_name", group="trust")  # it would be there for all


def test_the_accesses_errors_are_the_contracts(keystone: FakeKeystone) -> None:
    access = clouds.Access(ServiceIdentity())
    with pytest.raises(clouds.NotSetUp) as blocked:
        access.make_bay_user(BAY, "p1", None)
    assert blocked.value.code == "IDENTITY_NOT_SET_UP"
    assert "trustee_domain" in blocked.value.operator_text
    assert "trustee_domain" not in blocked.value.text
    keystone.trouble = 503
    with pytest.raises(CloudUnavailable):
        clouds.Access(ServiceIdentity()).make_bay_user(BAY, "p1", None)


def test_a_password_is_new_each_time_and_pleases_rules() -> None:
    made = {bay_users._password() for _ in range(50)}
    assert len(made) == 50
    for one in made:
        assert 40 < len(one) <= 72, "bcrypt takes no more"
        for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]"):
            assert re.search(kind, one)
