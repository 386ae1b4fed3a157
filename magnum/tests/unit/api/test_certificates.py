"""``/v1/certificates``: who may have a bay's CA, and have requests signed by it (contract 2.5)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from magnum.common.context import service_context
from magnum.db import bays, session
from magnum.db.models import Bay
from magnum.lifecycle.secrets import BaySecrets
from magnum.tests.api import (
    MEMBER,
    Client,
    Settings,
    SwarmDriver,
    a_bay,
    a_model,
    operations_of,
    settle,
)
from magnum.tests.keys import a_request, forget_key_ring, use_key_ring

Callers = Callable[..., Client]

BAY_USER = "the-bays-own-user"
DOMAIN = "the-domain-of-bays-users"


@pytest.fixture
def keys(tmp_path: Path, config: Settings) -> Iterator[Path]:
    yield use_key_ring(tmp_path)
    forget_key_ring()


@pytest.fixture
def user(caller: Callers, keys: Path) -> Client:
    return caller()


def no_cloud() -> None:
    raise AssertionError("this test has no cloud")


def prepared(uuid: str) -> str:
    """What a conductor does in the first pass of a bay. Returns its uuid."""
    bay = bays.get(service_context(), uuid, all_projects=True)
    BaySecrets(bay, no_cloud).prepare()  # type: ignore[arg-type]
    settle(uuid)
    return uuid


def a_bay_users(caller: Callers, uuid: str, config: Settings, **more: str) -> Client:
    config("trust", trustee_domain_id=DOMAIN)
    with session.writer(service_context()) as db:
        db.execute(session.changing(Bay).where(Bay.uuid == uuid).values(bay_user_id=BAY_USER))
    return caller(user=BAY_USER, user_domain_id=DOMAIN, **more)


def test_the_ca_is_shown_in_both_spellings(user: Client) -> None:
    uuid = prepared(a_bay(user))
    shown = user("GET", f"/v1/certificates/{uuid}", status=200).json
    assert shown["bay_uuid"] == shown["cluster_uuid"] == uuid
    assert shown["links"][0]["href"].endswith(f"/v1/certificates/{uuid}")
    assert "PRIVATE" not in str(shown)
    ca = x509.load_pem_x509_certificate(shown["pem"].encode())
    assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert user("GET", "/v1/certificates/bay", status=200).json["pem"] == shown["pem"]


def test_a_ca_is_had_before_microversions(user: Client) -> None:
    uuid = prepared(a_bay(user))
    assert user("GET", f"/v1/certificates/{uuid}", version=None, status=200).json["pem"]


def test_every_type_of_a_kubernetes_bay_has_a_ca_of_its_own(
    caller: Callers, keys: Path, config: Settings
) -> None:
    user = caller()
    model = a_model(user, coe="kubernetes", cluster_distro="flatcar")
    uuid = prepared(a_bay(user, baymodel_id=model["uuid"]))
    by_query = {
        kind: user("GET", f"/v1/certificates/{uuid}?ca_cert_type={kind}", status=200).json["pem"]
        for kind in ("kubernetes", "etcd", "front-proxy", "front_proxy")
    }
    assert by_query["front-proxy"] == by_query["front_proxy"]
    assert len(set(by_query.values())) == 3
    for kind, pem in by_query.items():
        assert user("GET", f"/v1/certificates/{uuid}/{kind}", status=200).json["pem"] == pem
    body = {"bay_uuid": uuid, "csr": a_request(), "ca_cert_type": "etcd"}
    signed = user("POST", "/v1/certificates", body, status=201).json["pem"]
    issuer = x509.load_pem_x509_certificate(signed.encode())
    issuer.verify_directly_issued_by(x509.load_pem_x509_certificate(by_query["etcd"].encode()))


def test_what_is_no_type_of_a_ca(user: Client) -> None:
    uuid = prepared(a_bay(user))
    path = f"/v1/certificates/{uuid}"
    assert user.error("GET", f"{path}?ca_cert_type=moon", status=400)["field"] == "ca_cert_type"
    user.error("GET", f"{path}/moon", status=404)
    user.error("GET", f"{path}/etcd?ca_cert_type=etcd", status=400)
    assert user.error("GET", f"{path}/etcd", status=409)["reason"] == "CA_NOT_READY"
    body = {"bay_uuid": uuid, "csr": a_request(), "ca_cert_type": "moon"}
    assert user.error("POST", "/v1/certificates", body, status=400)["field"] == "/ca_cert_type"


def test_a_bay_whose_creation_has_not_begun_has_no_ca_yet(user: Client) -> None:
    uuid = a_bay(user)
    assert user.error("GET", f"/v1/certificates/{uuid}", status=409)["reason"] == "CA_NOT_READY"
    body = {"cluster_uuid": uuid, "csr": a_request()}
    assert user.error("POST", "/v1/certificates", body, status=409)["reason"] == "CA_NOT_READY"


@pytest.mark.parametrize("key", ["bay_uuid", "cluster_uuid"])
def test_a_request_is_signed_by_the_bays_ca(user: Client, key: str) -> None:
    uuid = prepared(a_bay(user))
    request = a_request(addresses=("10.0.0.5",))
    answer = user("POST", "/v1/certificates", {key: uuid, "csr": request}, status=201)
    shown = answer.json
    assert shown["bay_uuid"] == shown["cluster_uuid"] == uuid
    assert shown["csr"] == request
    assert answer.headers["Location"].endswith(f"/v1/certificates/{uuid}")
    signed = x509.load_pem_x509_certificate(shown["pem"].encode())
    ca = user("GET", f"/v1/certificates/{uuid}").json["pem"]
    signed.verify_directly_issued_by(x509.load_pem_x509_certificate(ca.encode()))
    assert signed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "admin"


def test_a_bay_may_be_named_by_its_name(user: Client) -> None:
    prepared(a_bay(user, name="mine"))
    user("POST", "/v1/certificates", {"bay_uuid": "mine", "csr": a_request()}, status=201)


def test_requests_that_cannot_be_carried_out(user: Client) -> None:
    uuid, csr = prepared(a_bay(user)), a_request()
    bad = [
        ({"csr": csr}, "/cluster_uuid"),
        ({"bay_uuid": uuid}, "/csr"),
        ({"bay_uuid": uuid, "csr": None}, "/csr"),
        ({"bay_uuid": uuid, "csr": "no request at all"}, "/csr"),
        ({"bay_uuid": "no-such-bay", "csr": csr}, "/bay_uuid"),
        ({"cluster_uuid": "no-such-bay", "csr": csr}, "/cluster_uuid"),
        ({"cluster_uuid": uuid, "bay_uuid": "another", "csr": csr}, "/bay_uuid"),
        ({"bay_uuid": uuid, "csr": csr, "pem": "x"}, "/pem"),
    ]
    for body, field in bad:
        assert user.error("POST", "/v1/certificates", body, status=400)["field"] == field, body


def test_a_bay_without_tls_has_no_certificates(user: Client) -> None:
    model = a_model(user, tls_disabled=True)
    uuid = a_bay(user, baymodel_id=model["uuid"])
    body = {"bay_uuid": uuid, "csr": a_request()}
    for method, path, sent in (
        ("GET", f"/v1/certificates/{uuid}", None),
        ("POST", "/v1/certificates", body),
        ("PATCH", f"/v1/certificates/{uuid}", None),
    ):
        assert user.error(method, path, sent, status=400)["reason"] == "TLS_DISABLED"


def test_rotation_needs_a_driver_that_can(user: Client) -> None:
    uuid = prepared(a_bay(user))
    headers = {"Content-Type": "application/octet-stream"}
    error = user.error("PATCH", f"/v1/certificates/{uuid}", headers=headers, status=400)
    assert "rotate_ca" in error["detail"]
    user.error("PATCH", "/v1/certificates/no-such-bay", status=404)


def test_only_who_created_the_bay_and_the_administrator_may_have_certificates(
    caller: Callers, user: Client
) -> None:
    uuid = prepared(a_bay(user))
    body = {"bay_uuid": uuid, "csr": a_request()}
    admin = caller(project="admins", user="root", roles="admin")
    admin("GET", f"/v1/certificates/{uuid}", status=200)
    admin("POST", "/v1/certificates", body, status=201)
    colleague = caller(user="u2")
    colleague.error("GET", f"/v1/certificates/{uuid}", status=403)
    colleague.error("POST", "/v1/certificates", body, status=403)
    stranger = caller(project="p2", user="u1")
    stranger.error("GET", f"/v1/certificates/{uuid}", status=404)
    stranger.error("POST", "/v1/certificates", body, status=400)
    reader = caller(roles="reader")
    reader("GET", f"/v1/certificates/{uuid}", status=200)
    reader.error("POST", "/v1/certificates", body, status=403)


def test_a_bays_own_user_may_use_its_certificates_and_nothing_else(
    caller: Callers, user: Client, config: Settings
) -> None:
    uuid, other = prepared(a_bay(user)), prepared(a_bay(user, name="other"))
    node = a_bay_users(caller, uuid, config, roles=MEMBER)
    node("GET", f"/v1/certificates/{uuid}", status=200)
    node("POST", "/v1/certificates", {"bay_uuid": uuid, "csr": a_request()}, status=201)

    node.error("GET", f"/v1/certificates/{other}", status=403)
    node.error("POST", "/v1/certificates", {"bay_uuid": other, "csr": a_request()}, status=403)
    node.error("PATCH", f"/v1/certificates/{uuid}", status=403)
    for method, path in (
        ("GET", "/v1/bays"),
        ("GET", f"/v1/bays/{uuid}"),
        ("DELETE", f"/v1/bays/{uuid}"),
        ("GET", "/v1/baymodels"),
    ):
        node.error(method, path, status=403)


def test_a_user_with_the_id_but_of_another_domain_is_no_bays_own_user(
    caller: Callers, user: Client, config: Settings
) -> None:
    uuid = prepared(a_bay(user))
    a_bay_users(caller, uuid, config)
    other = caller(user=BAY_USER, user_domain_id="default")
    other.error("GET", f"/v1/certificates/{uuid}", status=403)


def test_without_a_role_nothing_is_allowed(caller: Callers, user: Client) -> None:
    uuid = prepared(a_bay(user))
    guest = caller(roles="guest")
    for noun, method in (
        ("certificates", "GET"),
        ("certificates", "PATCH"),
        ("credentials", "PATCH"),
    ):
        guest.error(method, f"/v1/{noun}/{uuid}", status=403)
    guest.error("POST", "/v1/certificates", {"bay_uuid": uuid, "csr": a_request()}, status=403)


def test_a_key_ring_that_is_missing_is_the_operators_business(
    user: Client, config: Settings, tmp_path: Path
) -> None:
    uuid = prepared(a_bay(user))
    config("certificates", key_ring=str(tmp_path / "nowhere"))
    user("GET", f"/v1/certificates/{uuid}", status=200)
    error = user.error(
        "POST", "/v1/certificates", {"bay_uuid": uuid, "csr": a_request()}, status=503
    )
    assert error["reason"] == "KEYS_NOT_SET_UP"
    assert "nowhere" not in str(error)


# --- the nodes' credential (contract 2.6) ----------------------------------------------------------------------------


def test_a_credential_is_rotated_where_the_driver_can(
    caller: Callers, user: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = prepared(a_bay(user))
    path = f"/v1/credentials/{uuid}"
    assert "rotate_credentials" in user.error("PATCH", path, status=400)["detail"]
    monkeypatch.setattr(
        SwarmDriver, "bay_rotate_credentials", SwarmDriver.bay_create, raising=False
    )
    assert user("PATCH", path, status=202).json == {"uuid": uuid}
    assert len(operations_of(uuid)) == 2
    user.error("PATCH", path, version="container-infra 1.11", status=406)


def test_a_credential_is_its_projects_business(
    caller: Callers, user: Client, config: Settings
) -> None:
    uuid = prepared(a_bay(user))
    path = f"/v1/credentials/{uuid}"
    caller(project="admins", user="root", roles="admin").error("PATCH", path, status=404)
    caller(roles="reader").error("PATCH", path, status=403)
    a_bay_users(caller, uuid, config).error("PATCH", path, status=403)
    caller(user="u2").error("PATCH", path, status=400)


def test_a_ca_is_rotated_where_the_driver_can(
    user: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = prepared(a_bay(user))
    monkeypatch.setattr(SwarmDriver, "bay_rotate_ca", SwarmDriver.bay_create, raising=False)
    headers = {"Content-Type": "application/octet-stream"}
    path = f"/v1/certificates/{uuid}"
    for body in (b"", b"no JSON at all"):
        answer = user("PATCH", path, body, headers=headers, version=None, status=202)
        assert answer.json == {"uuid": uuid}
    assert user("GET", f"/v1/bays/{uuid}").json["status"] == "UPDATE_IN_PROGRESS"
