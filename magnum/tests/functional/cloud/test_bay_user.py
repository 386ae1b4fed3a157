"""A bay's own user on a real Keystone, and what its credential opens: certificates of its bay, and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from keystoneauth1 import exceptions as keystone
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity import v3
from keystoneauth1.session import Session
from oslo_config import cfg

from magnum.common.context import service_context
from magnum.conf import CONF, heat_client, identity, trust
from magnum.db import bays, session
from magnum.drivers.contract import NodeCredential
from magnum.identity import bay_users, sessions
from magnum.lifecycle.clouds import Access
from magnum.lifecycle.secrets import BaySecrets
from magnum.tests.functional.cloud import client
from magnum.tests.functional.cloud.client import Magnum, Tenant
from magnum.tests.functional.cloud.conftest import Service, running
from magnum.tests.keys import a_request
from tools.openstack import config
from tools.openstack.magnum import DOMAIN


@pytest.fixture
def service(tmp_path: Path, passwords: config.Passwords) -> Iterator[Service]:
    with running(tmp_path, passwords, f"sqlite:///{tmp_path}/magnum.sqlite", {}) as started:
        yield started


@dataclass
class Conductor:
    """What a conductor of the service would do for a driver, in this process."""

    access: Access

    def credential(self, bay_uuid: str) -> NodeCredential:
        bay = bays.get(service_context(), bay_uuid, all_projects=True)
        return BaySecrets(bay, lambda: self.access).node_credential()


@pytest.fixture
def conductor(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Conductor]:
    """With a configuration of its own: the options of an identity stay required in the process's."""
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
    own = cfg.ConfigOpts()
    for module in (identity, heat_client, trust):
        module.register_opts(own)
    own(args=[], default_config_files=[str(service.settings.config_file)], default_config_dirs=[])
    for module in (sessions, bay_users):
        monkeypatch.setattr(module, "CONF", own)
    CONF.set_override("key_ring", str(service.settings.keys), group="certificates")
    session.configure(service.settings.database)
    yield Conductor(Access(sessions.ServiceIdentity()))
    session.engine().dispose()
    CONF.clear_override("key_ring", group="certificates")


def a_node(credential: NodeCredential) -> Session:
    who = v3.ApplicationCredential(
        auth_url=credential.auth_url,
        application_credential_id=credential.ident,
        application_credential_secret=credential.secret,
    )
    return Session(auth=who, timeout=120)


def users(admin: Session) -> list[str]:
    """Names in the domain of the bays' users."""
    keystone_api = client.service(admin, "identity")
    (domain,) = keystone_api.get("/domains", params={"name": DOMAIN}).json()["domains"]
    found = keystone_api.get("/users", params={"domain_id": domain["id"]}).json()["users"]
    return [user["name"] for user in found]


def test_a_node_gets_certificates_and_nothing_else(
    service: Service, conductor: Conductor, tenant: Tenant, admin: Session
) -> None:
    magnum = Magnum(tenant.session, service.port)
    model = magnum.make(
        "/baymodels", name="m", coe="noop", image_id="fedora-atomic", keypair_id=None
    )["uuid"]
    uuid, other = (
        magnum.make("/bays", name=name, baymodel_id=model, node_count=1)["uuid"]
        for name in ("a", "b")
    )
    for one in (uuid, other):
        magnum.settled(one, "CREATE_COMPLETE")
    credential = conductor.credential(uuid)
    assert f"bay-{uuid}" in users(admin)
    assert conductor.credential(uuid) == credential, "made once"

    node = Magnum(a_node(credential), service.port)
    shown = node.call("GET", f"/certificates/{uuid}")
    assert shown.status_code == 200, shown.text
    signed = node.make("/certificates", bay_uuid=uuid, csr=a_request())["pem"]
    x509.load_pem_x509_certificate(signed.encode()).verify_directly_issued_by(
        x509.load_pem_x509_certificate(shown.json()["pem"].encode())
    )
    # The access rules cannot tell whose certificate is asked for in a body: the policy does.
    foreign = node.call("POST", "/certificates", json={"bay_uuid": other, "csr": a_request()})
    assert foreign.status_code == 403
    health = [{"op": "replace", "path": "/health_status", "value": "HEALTHY"}]
    reported = node.call("PATCH", f"/clusters/{uuid}", json=health)
    assert reported.status_code == 202, reported.text
    other_change = [{"op": "replace", "path": "/node_count", "value": 2}]
    assert node.call("PATCH", f"/clusters/{uuid}", json=other_change).status_code == 403
    for method, path in (
        ("GET", f"/certificates/{other}"),
        ("PATCH", f"/certificates/{uuid}"),
        ("PATCH", f"/clusters/{other}"),
        ("GET", "/bays"),
        ("DELETE", f"/bays/{uuid}"),
    ):
        assert node.call(method, path).status_code == 401, path
    for service_type, path in (
        ("compute", "/servers"),
        ("network", "/v2.0/networks"),
        ("orchestration", "/stacks"),
        ("identity", "/projects"),
    ):
        adapter = Adapter(a_node(credential), service_type=service_type, interface="public")
        assert adapter.get(path, raise_exc=False).status_code == 401, service_type

    magnum.delete(uuid)
    assert f"bay-{uuid}" not in users(admin)
    with pytest.raises((keystone.Unauthorized, keystone.NotFound)):
        a_node(credential).get_token()
    magnum.delete(other)


def test_a_credential_whose_secret_was_lost_is_made_anew(
    service: Service, conductor: Conductor, tenant: Tenant, admin: Session
) -> None:
    """The first one stays good, for nodes may hold it."""
    access, bay = conductor.access, "8c5d6f2e-0b0a-4f3f-9a57-1de1a8f6a001"
    try:
        first = access.make_bay_user(bay, tenant.project_id, None)
        second = access.make_bay_user(bay, tenant.project_id, None)
        assert first.user_id == second.user_id
        found = access.endpoints()
        for one in (first, second):
            held = NodeCredential(one.ident, one.secret, found.auth_url, found.service_url)
            assert a_node(held).get_user_id() == first.user_id
    finally:
        access.remove_bay_user(bay, None, None)
    access.remove_bay_user(bay, first.user_id, None)
    assert f"bay-{bay}" not in users(admin)
