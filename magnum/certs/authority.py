"""A certificate authority: made, and signing what ``[x509]`` allows (contract 2.5)."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from magnum.certs import keys
from magnum.certs.errors import RequestRefused
from magnum.conf import CONF

#: Certificates are good from so long before they are made, for clocks that are late.
_EARLIER = datetime.timedelta(days=1)

#: How long a certificate is good that this service makes for its own use.
SHORT = datetime.timedelta(hours=1)

#: Extensions that may be taken over from a request, by the names of ``[x509] allowed_extensions``.
_EXTENSIONS = {
    "keyUsage": ExtensionOID.KEY_USAGE,
    "extendedKeyUsage": ExtensionOID.EXTENDED_KEY_USAGE,
    "subjectAltName": ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    "basicConstraints": ExtensionOID.BASIC_CONSTRAINTS,
    "subjectKeyIdentifier": ExtensionOID.SUBJECT_KEY_IDENTIFIER,
}

#: Uses of a key, by the names of ``[x509] allowed_key_usage``.
_USAGES = {
    "Digital Signature": "digital_signature",
    "Content Commitment": "content_commitment",
    "Key Encipherment": "key_encipherment",
    "Data Encipherment": "data_encipherment",
    "Key Agreement": "key_agreement",
    "Certificate Sign": "key_cert_sign",
    "CRL Sign": "crl_sign",
    "Encipher Only": "encipher_only",
    "Decipher Only": "decipher_only",
}
#: Those that mean something only together with key agreement.
_OF_AGREEMENT = ("encipher_only", "decipher_only")
_OF_A_CA = ("key_cert_sign", "crl_sign")

#: What reading a request that somebody made up may end in, beside ValueError.
_ODD_REQUEST = (
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


@dataclass(frozen=True, slots=True)
class Made:
    """A certificate with its private key, as PEM."""

    certificate: str
    key: str = field(repr=False)


class Authority:
    """A CA that can sign."""

    def __init__(self, certificate: str, key: bytes) -> None:
        """``certificate`` and ``key`` are PEM. Raises ValueError where they cannot be read."""
        self.pem = certificate
        self._certificate = x509.load_pem_x509_certificate(certificate.encode())
        self._key = keys.from_pem(key)

    def sign(self, request: str, field: str = "/csr") -> str:
        """The certificate for a signing request, both as PEM, good for ``[x509] term_of_validity`` days.

        :param field: where the request stands in the body, for errors.

        Raises RequestRefused.
        """
        csr = _read(request, field)
        builder = self._builder(csr.subject, datetime.timedelta(days=CONF.x509.term_of_validity))
        builder = builder.public_key(csr.public_key())
        for extension, critical in _taken_over(csr, field):
            builder = builder.add_extension(extension, critical)
        identifier = x509.SubjectKeyIdentifier.from_public_key(csr.public_key())
        return self._signed(builder.add_extension(identifier, critical=False))

    def client(self, name: str, organization: str = "") -> Made:
        """A new key with a certificate for a client, good for an hour.

        Raises ValueError for names that do not fit into a certificate.
        """
        key = keys.new_key()
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = (
            self._builder(_name(name, organization), SHORT)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage("digital_signature", "key_encipherment"), critical=True)
            .add_extension(usage, critical=False)
        )
        return Made(self._signed(builder), keys.to_pem(key))

    def _builder(self, subject: x509.Name, validity: datetime.timedelta) -> x509.CertificateBuilder:
        """A certificate of ours, which ends with the CA at the latest."""
        moment = _now()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._certificate.subject)
            .serial_number(x509.random_serial_number())
            .not_valid_before(max(moment - _EARLIER, self._certificate.not_valid_before_utc))
            .not_valid_after(min(moment + validity, self._certificate.not_valid_after_utc))
        )

    def _signed(self, builder: x509.CertificateBuilder) -> str:
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        try:
            made = builder.sign(self._key, hashes.SHA256())
        except ValueError as error:  # such as a validity that ends before it begins
            raise RequestRefused(f"It cannot be signed: {error}", field="/csr") from error
        return _pem(made)


def make(name: str) -> Made:
    """A new CA of this name (at most 64 characters), good for ``[certificates] ca_validity_days``."""
    key = keys.new_key()
    moment = _now()
    public = key.public_key()
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(name))
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - _EARLIER)
        .not_valid_after(moment + datetime.timedelta(days=CONF.certificates.ca_validity_days))
        .public_key(public)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage("digital_signature", *_OF_A_CA), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    return Made(_pem(certificate), keys.to_pem(key))


def expires_at(certificate: str) -> datetime.datetime:
    """When a certificate ends, in UTC without a zone, as the database keeps it."""
    end = x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc
    return end.replace(tzinfo=None)


def _read(text: str, field: str) -> x509.CertificateSigningRequest:
    try:
        csr = x509.load_pem_x509_csr(text.encode())
        key = csr.public_key()
        signed = csr.is_signature_valid
    except (ValueError, *_ODD_REQUEST) as error:
        raise RequestRefused(
            "The signing request cannot be read. It must be PEM.",
            f"an unreadable signing request: {type(error).__name__}: {error}",
            field,
        ) from error
    if (objection := keys.objection(key)) is not None:
        raise RequestRefused(f"The signing request has {objection}", field=field)
    if not signed:
        raise RequestRefused("The signing request is not signed with its own key", field=field)
    return csr


def _taken_over(
    csr: x509.CertificateSigningRequest, field: str
) -> Iterator[tuple[x509.ExtensionType, bool]]:
    """The extensions of a request that go into its certificate, and whether each is critical."""
    try:
        asked = list(csr.extensions)
    except (ValueError, *_ODD_REQUEST) as error:
        raise RequestRefused(
            "The extensions of the signing request cannot be read.",
            f"unreadable extensions: {type(error).__name__}: {error}",
            field,
        ) from error
    allowed = {_EXTENSIONS[name] for name in CONF.x509.allowed_extensions}
    is_ca = False
    for extension in asked:
        if extension.oid not in allowed:
            if extension.critical:
                name = extension.oid._name
                raise RequestRefused(
                    f"The signing request has a critical extension that is not allowed: {name}",
                    field=field,
                )
            continue
        match extension.value:
            case x509.BasicConstraints():
                is_ca = extension.value.ca and CONF.x509.allow_ca
            case x509.KeyUsage():
                if (usage := _allowed_usage(extension.value)) is not None:
                    yield usage, extension.critical
            case x509.SubjectKeyIdentifier():
                pass  # worked out from the key, so that it is the right one
            case value:
                yield value, extension.critical
    yield x509.BasicConstraints(ca=is_ca, path_length=0 if is_ca else None), True


def _allowed_usage(asked: x509.KeyUsage) -> x509.KeyUsage | None:
    """The uses of a key that are asked for and allowed; None where none is left."""
    allowed = {_USAGES[name] for name in CONF.x509.allowed_key_usage}
    if not CONF.x509.allow_ca:
        allowed -= set(_OF_A_CA)
    agreement = asked.key_agreement and "key_agreement" in allowed
    left = [
        use for use in allowed if (use not in _OF_AGREEMENT or agreement) and getattr(asked, use)
    ]
    return _key_usage(*left) if left else None


def _key_usage(*uses: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{use: use in uses for use in _USAGES.values()})


def _name(common: str, organization: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organization:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
