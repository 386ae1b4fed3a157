"""The stand-in's users and application credentials, by the service's own code and by keystoneauth."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from keystoneauth1 import exceptions as keystone
from keystoneauth1.identity import v3
from keystoneauth1.session import Session
from oslo_config import cfg

from magnum.conf import CONF, heat_client, identity, trust
from magnum.identity import bay_users, sessions
from magnum.identity.bay_users import BayUsers, Credential, access_rules, name_of
from tools.standin.client import StandIn

BAY = "8c5d6f2e-0b0a-4f3f-9a57-1de1a8f6a001"


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[StandIn]:
    with StandIn(tmp_path) as found:
        yield found


@pytest.fixture
def users(standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BayUsers]:
    """With a configuration of its own: the options of an identity stay required in the process's."""
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
    file = tmp_path / "magnum.conf"
    file.write_text(standin.config())
    made = cfg.ConfigOpts()
    for module in (identity, heat_client, trust):
        module.register_opts(made)
    made(args=[], default_config_files=[str(file)], default_config_dirs=[])
    for module in (sessions, bay_users):
        monkeypatch.setattr(module, "CONF", made)
    standin.elsewhere("container-infra", "http://magnum.example.org/container/v1")
    yield BayUsers(sessions.ServiceIdentity())


def session_of(users: BayUsers, credential: Credential) -> Session:
    auth = v3.ApplicationCredential(
        auth_url=users.endpoints().auth_url,
        application_credential_id=credential.ident,
        application_credential_secret=credential.secret,
    )
    return Session(auth=auth, timeout=60)


def shown_token(standin: StandIn, session: Session) -> Any:
    token = session.get_token()
    headers = {"X-Subject-Token": token, "X-Auth-Token": token}
    return session.get(f"{standin.auth_url}/v3/auth/tokens", headers=headers).json()["token"]


def test_a_bays_user_and_his_credential(standin: StandIn, users: BayUsers) -> None:
    made = users.make(BAY, "p1", None)
    assert [user["name"] for user in standin.users()] == [name_of(BAY)]
    session = session_of(users, made)
    assert session.get_user_id() == made.user_id
    assert session.get_project_id() == "p1"
    token = shown_token(standin, session)
    wanted = access_rules(BAY, "http://magnum.example.org/container/v1")
    assert token["application_credential"]["access_rules"] == wanted
    assert token["user"]["domain"]["name"] == "magnum"
    assert [role["name"] for role in token["roles"]] == ["member", "reader"]


def test_no_service_takes_a_credential_with_rules(users: BayUsers) -> None:
    session = session_of(users, users.make(BAY, "p1", None))
    for service, path in (
        ("compute", "/servers"),
        ("orchestration", "/stacks"),
        ("identity", "/users"),
    ):
        asked = {"service_type": service, "interface": "public"}
        answer = session.get(path, endpoint_filter=asked, raise_exc=False)
        assert answer.status_code == 401, service


def test_a_credential_made_again_leaves_the_first_one_good(users: BayUsers) -> None:
    first = users.make(BAY, "p1", None)
    second = users.make(BAY, "p1", None)
    assert first.user_id == second.user_id
    for one in (first, second):
        time.sleep(1.1)  # what came before a new password is no good, to the second
        assert session_of(users, one).get_token()


@pytest.mark.parametrize("known", [True, False])
def test_with_the_user_all_goes(standin: StandIn, users: BayUsers, known: bool) -> None:
    made = users.make(BAY, "p1", None)
    for _ in range(2):
        users.remove(BAY, made.user_id if known else None, None)
    assert standin.users() == []
    assert not [grant for grant in standin.grants() if grant[1] == made.user_id]
    with pytest.raises(keystone.Unauthorized):
        session_of(users, made).get_token()


def test_making_a_user_costs_few_requests(standin: StandIn, users: BayUsers) -> None:
    users.make(BAY, "p1", None)  # ids of role and domain, and our own token, are known now
    before = len(standin.ledger(service="identity"))
    other = BAY.replace("8", "9")
    made = users.make(other, "p1", None)
    users.remove(other, made.user_id, None)
    asked = [(one["method"], one["path"]) for one in standin.ledger(service="identity")[before:]]
    assert [method for method, _ in asked] == ["POST", "PUT", "POST", "POST", "DELETE"], asked
