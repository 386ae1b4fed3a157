"""CAs, and what they sign: the rules of ``[x509]``, one by one."""

import base64
import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from hypothesis import given
from hypothesis import strategies as st

from magnum.certs import authority, keys
from magnum.certs.authority import Authority
from magnum.certs.errors import RequestRefused
from magnum.conf import CONF
from magnum.tests.api import Settings
from magnum.tests.keys import a_request

DAY = datetime.timedelta(days=1)
_USES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


@pytest.fixture(autouse=True)
def config() -> Iterator[Settings]:
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
    settings = Settings()
    yield settings
    settings.undo()


def an_authority() -> Authority:
    made = authority.make("magnum-a-bay")
    return Authority(made.certificate, made.key.encode())


def signed(*extensions: tuple[x509.ExtensionType, bool], **more: Any) -> x509.Certificate:
    pem = an_authority().sign(a_request(*extensions, **more))
    return x509.load_pem_x509_certificate(pem.encode())


def has(certificate: x509.Certificate, kind: type[x509.ExtensionType]) -> bool:
    return any(isinstance(one.value, kind) for one in certificate.extensions)


def value(certificate: x509.Certificate, kind: Any) -> Any:
    return certificate.extensions.get_extension_for_class(kind).value


def usage(*uses: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{use: use in uses for use in _USES})


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


# --- the CA ----------------------------------------------------------------------------------------------------------


def test_a_ca_can_sign_and_do_little_else() -> None:
    made = authority.make("magnum-a-bay")
    ca = x509.load_pem_x509_certificate(made.certificate.encode())
    ca.verify_directly_issued_by(ca)
    assert value(ca, x509.BasicConstraints) == x509.BasicConstraints(ca=True, path_length=0)
    assert value(ca, x509.KeyUsage) == usage("digital_signature", "key_cert_sign", "crl_sign")
    assert ca.not_valid_before_utc <= now() - DAY
    assert abs(ca.not_valid_after_utc - (now() + 3650 * DAY)) < DAY
    assert authority.expires_at(made.certificate).tzinfo is None
    assert made.key not in repr(made)


def test_a_ca_is_good_for_the_configured_time(config: Settings) -> None:
    config("certificates", ca_validity_days=10 / 24 / 60)
    ca = x509.load_pem_x509_certificate(authority.make("a").certificate.encode())
    minutes = (ca.not_valid_after_utc - now()).total_seconds() / 60
    assert 9 < minutes <= 10


@pytest.mark.parametrize(
    ("kind", "size", "wanted"), [("ecdsa", 2048, 256), ("rsa", 2048, 2048), ("rsa", 4096, 4096)]
)
def test_keys_are_of_the_configured_kind(
    config: Settings, kind: str, size: int, wanted: int
) -> None:
    config("certificates", key_type=kind)
    config("x509", rsa_key_size=size)
    key = keys.new_key()
    assert key.key_size == wanted
    assert isinstance(key, rsa.RSAPrivateKey) is (kind == "rsa")
    assert keys.to_pem(keys.from_pem(keys.to_pem(key).encode())) == keys.to_pem(key)


def test_an_rsa_ca_signs_too(config: Settings) -> None:
    config("certificates", key_type="rsa")
    assert signed().signature_hash_algorithm is not None


# --- what is signed --------------------------------------------------------------------------------------------------


def test_a_certificate_has_the_requests_subject_key_and_addresses() -> None:
    ca = an_authority()
    key = ec.generate_private_key(ec.SECP256R1())
    pem = ca.sign(a_request(key=key, addresses=("10.0.0.5", "fd00::5")))
    made = x509.load_pem_x509_certificate(pem.encode())
    issuer = x509.load_pem_x509_certificate(ca.pem.encode())
    made.verify_directly_issued_by(issuer)
    assert made.public_key() == key.public_key()
    assert (
        made.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "system:masters"
    )
    found = value(made, x509.SubjectAlternativeName).get_values_for_type(x509.IPAddress)
    assert [str(one) for one in found] == ["10.0.0.5", "fd00::5"]
    assert made.not_valid_before_utc <= now() - DAY + datetime.timedelta(minutes=1)
    assert abs(made.not_valid_after_utc - (now() + 1825 * DAY)) < DAY


def test_what_is_signed_passes_a_strict_verifier() -> None:
    ca = an_authority()
    san = x509.SubjectAlternativeName([x509.DNSName("api.example.org")])
    eku = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    request = a_request((san, False), (eku, False), (usage("digital_signature"), True))
    made = x509.load_pem_x509_certificate(ca.sign(request).encode())
    roots = verification.Store([x509.load_pem_x509_certificate(ca.pem.encode())])
    builder = verification.PolicyBuilder().store(roots)
    chain = builder.build_server_verifier(x509.DNSName("api.example.org")).verify(made, [])
    assert len(chain) == 2


def test_no_certificate_outlives_its_ca(config: Settings) -> None:
    config("certificates", ca_validity_days=1)
    ca = an_authority()
    made = x509.load_pem_x509_certificate(ca.sign(a_request()).encode())
    issuer = x509.load_pem_x509_certificate(ca.pem.encode())
    assert made.not_valid_after_utc == issuer.not_valid_after_utc
    assert made.not_valid_before_utc >= issuer.not_valid_before_utc


def test_a_request_to_be_a_ca_gets_an_ordinary_certificate(config: Settings) -> None:
    wish = (x509.BasicConstraints(ca=True, path_length=None), True)
    uses = (usage("digital_signature", "key_cert_sign", "crl_sign"), True)
    made = signed(wish, uses)
    assert value(made, x509.BasicConstraints).ca is False
    assert value(made, x509.KeyUsage) == usage("digital_signature")
    # Not even where its operator has allowed the usage alone.
    config("x509", allowed_key_usage=["Certificate Sign", "CRL Sign", "Digital Signature"])
    assert value(signed(wish, uses), x509.KeyUsage) == usage("digital_signature")


def test_a_ca_is_signed_where_that_is_allowed(config: Settings) -> None:
    config("x509", allow_ca=True, allowed_key_usage=["Certificate Sign", "CRL Sign"])
    wish = (x509.BasicConstraints(ca=True, path_length=None), True)
    made = signed(wish, (usage("key_cert_sign", "digital_signature"), True))
    assert value(made, x509.BasicConstraints).ca is True
    assert value(made, x509.KeyUsage) == usage("key_cert_sign")
    assert value(signed(), x509.BasicConstraints).ca is False


def test_uses_that_are_not_allowed_are_left_out() -> None:
    made = signed((usage("key_encipherment", "key_agreement", "encipher_only"), True))
    assert value(made, x509.KeyUsage) == usage("key_encipherment")
    assert not has(signed((usage("data_encipherment"), False)), x509.KeyUsage)


def test_an_extension_that_is_not_allowed_is_left_out_unless_it_is_critical() -> None:
    unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    assert not has(signed((unknown, False)), x509.UnrecognizedExtension)
    with pytest.raises(RequestRefused, match=r"critical"):
        signed((unknown, True))


def test_the_operator_decides_about_extensions(config: Settings) -> None:
    config("x509", allowed_extensions=["keyUsage"])
    assert not has(signed(addresses=("10.0.0.5",)), x509.SubjectAlternativeName)


def test_a_key_is_identified_by_itself_not_by_what_the_request_says() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    lie = x509.SubjectKeyIdentifier(b"somebody else")
    made = signed((lie, False), key=key)
    wanted = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    assert value(made, x509.SubjectKeyIdentifier) == wanted


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP521R1()),
    ],
)
def test_keys_that_are_taken(key: Any) -> None:
    assert signed(key=key).public_key() == key.public_key()


@pytest.mark.parametrize(
    ("key", "word"),
    [
        (rsa.generate_private_key(65537, 1024), "1024 bits"),
        (ec.generate_private_key(ec.SECP256K1()), "secp256k1"),
        (ec.generate_private_key(ec.SECP224R1()), "secp224r1"),
    ],
)
def test_keys_that_are_refused(key: Any, word: str) -> None:
    with pytest.raises(RequestRefused, match=word) as refused:
        signed(key=key)
    assert refused.value.field == "/csr"


def test_which_public_keys_are_taken() -> None:
    assert keys.objection(ed25519.Ed25519PrivateKey.generate().public_key()) is None
    assert keys.objection(dsa.generate_private_key(2048).public_key()) is not None


def test_a_request_must_be_signed_with_its_own_key() -> None:
    request = x509.load_pem_x509_csr(a_request().encode())
    other = x509.load_pem_x509_csr(a_request().encode())
    raw = bytearray(request.public_bytes(Encoding.DER))
    raw[-8:] = other.public_bytes(Encoding.DER)[-8:]
    body = base64.encodebytes(bytes(raw)).decode()
    forged = f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n"
    with pytest.raises(RequestRefused, match=r"own key|cannot be read"):
        an_authority().sign(forged)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_nonsense_is_refused_and_nothing_else(text: str) -> None:
    with pytest.raises(RequestRefused):
        _CA.sign(text)


@given(st.data())
def test_a_damaged_request_is_refused_or_signed(data: st.DataObject) -> None:
    """Whatever is changed in a good one, no other error comes out."""
    place = data.draw(st.integers(0, len(_GOOD) - 1))
    sign = data.draw(st.sampled_from("ABCxyz019+/=\n- "))
    try:
        _CA.sign(_GOOD[:place] + sign + _GOOD[place + 1 :])
    except RequestRefused:
        pass


def test_a_client_certificate_is_short() -> None:
    ca = an_authority()
    made = ca.client("magnum", "system:masters")
    certificate = x509.load_pem_x509_certificate(made.certificate.encode())
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(ca.pem.encode()))
    assert certificate.not_valid_after_utc - now() <= datetime.timedelta(hours=1)
    assert value(certificate, x509.ExtendedKeyUsage)._usages == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert keys.from_pem(made.key.encode()).public_key() == certificate.public_key()
    assert made.key not in repr(made)


CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
_CA = an_authority()
_GOOD = a_request()
