"""FakeSecrets keeps what it gave, knows it again in what a driver says, and gives certificates that fit together."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from magnum.drivers.conformance.fake_secrets import BadSecret, FakeSecrets
from magnum.drivers.contract import CloudUnavailable


def test_a_kept_secret_is_made_once() -> None:
    secrets = FakeSecrets()
    assert secrets.kept("token", lambda: "first-secret") == "first-secret"
    assert secrets.kept("token", lambda: "second-secret") == "first-secret"
    assert secrets.needles()["first-secret"] == "kept secret 'token'"


@pytest.mark.parametrize(("name", "made"), [("", "x"), ("n" * 300, "x"), ("n", "")])
def test_what_the_service_refuses_is_refused(name: str, made: str) -> None:
    with pytest.raises(BadSecret):
        FakeSecrets().kept(name, lambda: made)


def test_keystone_may_be_late() -> None:
    secrets = FakeSecrets()
    secrets.unavailable = 1
    with pytest.raises(CloudUnavailable):
        secrets.node_credential()
    assert secrets.node_credential() == secrets.node_credential()


def test_a_clients_certificate_is_signed_by_its_authority() -> None:
    secrets = FakeSecrets()
    pair = secrets.client("admin", "system:masters", "etcd")
    authority = x509.load_pem_x509_certificate(secrets.authority("etcd").encode())
    signed = x509.load_pem_x509_certificate(pair.certificate.encode())
    key = authority.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert signed.signature_hash_algorithm is not None
    key.verify(
        signed.signature, signed.tbs_certificate_bytes, ec.ECDSA(signed.signature_hash_algorithm)
    )
    assert pair.authority == secrets.authority("etcd") != secrets.authority()


def test_a_private_key_is_found_in_other_forms() -> None:
    secrets = FakeSecrets()
    key = secrets.client("admin").key
    for form in (key, key.replace("\n", " "), base64.b64encode(key.encode()).decode()):
        assert any(needle in form for needle in secrets.needles())
    assert not any(needle in secrets.authority() for needle in secrets.needles())
