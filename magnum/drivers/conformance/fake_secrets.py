"""FakeSecrets: the secrets of the suite's bay, in memory. Certificates are real ones, so that a driver can use them.

It remembers every secret that it gave, so that the suite can look for them in what a driver says and does.
"""

import base64
import functools
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.x509.oid import NameOID

from magnum.drivers.contract import CloudUnavailable, KeyPair, NodeCredential

#: What the nodes of the suite's bay authenticate with.
CREDENTIAL_SECRET = "planted-credential-secret"
#: The longest name of a secret of the driver's own.
LONGEST_NAME = 200
#: What is shorter could stand in a text by chance.
SHORTEST = 8
_LIFE = timedelta(hours=1)


class BadSecret(ValueError):
    """A driver asked for a secret in a way that the service refuses; the text says what to do."""


class FakeSecrets:
    """Stands for the secrets of one bay. ``names`` are those that :meth:`kept` was asked for.

    ``unavailable`` is the number of times that Keystone does not answer yet when the nodes' credential is asked for.
    """

    def __init__(self) -> None:
        self.unavailable = 0
        self.names: set[str] = set()
        self._kept: dict[str, str] = {}
        self._given: set[str] = set()

    def authority(self, kind: str = "") -> str:
        """The certificate of a CA."""
        return _pem(_authority(kind)[1])

    def client(self, name: str, organization: str = "", kind: str = "") -> KeyPair:
        """A certificate for a client. Its key is a secret, and another one each time."""
        key = generate_private_key(SECP256R1())
        signer, authority = _authority(kind)
        subject = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
        if organization:
            subject.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
        certificate = _certificate(x509.Name(subject), key, signer, authority.subject)
        text = _key_text(key)
        self._given.add(text)
        return KeyPair(_pem(certificate), text, _pem(authority))

    def node_credential(self) -> NodeCredential:
        """The nodes' application credential; CloudUnavailable for as long as the suite says so."""
        if self.unavailable:
            self.unavailable -= 1
            raise CloudUnavailable("The cloud's identity service does not answer.")
        self._given.add(CREDENTIAL_SECRET)
        return NodeCredential(
            "conformance-credential",
            CREDENTIAL_SECRET,
            "http://keystone.invalid/v3",
            "http://magnum.invalid/v1",
        )

    def kept(self, name: str, make: Callable[[], str]) -> str:
        """A secret of the driver's own. Raises BadSecret where the service would refuse it."""
        given: object = name
        if not isinstance(given, str) or not 0 < len(name) <= LONGEST_NAME:
            raise BadSecret(f"a secret's name has 1 to {LONGEST_NAME} characters, not {name!r:.60}")
        self.names.add(name)
        if name not in self._kept:
            made: Any = make()
            if not isinstance(made, str) or not made:
                raise BadSecret(
                    f"'make' of the secret '{name}' has to return a text that is not empty"
                )
            self._kept[name] = made
        self._given.add(self._kept[name])
        return self._kept[name]

    # --- for the suite --------------------------------------------------------------------------------------------

    def needles(self) -> Mapping[str, str]:
        """What may stand nowhere that people or a database see, with a name for each."""
        found: dict[str, str] = {}
        for secret in self._given:
            name = next(
                (f"kept secret '{n}'" for n, kept in self._kept.items() if kept == secret), ""
            )
            name = name or ("node credential" if secret == CREDENTIAL_SECRET else "private key")
            found |= dict.fromkeys(_forms(secret), name)
        return found


def _forms(secret: str) -> Iterator[str]:
    """The texts by which a secret is known: itself or its longest line, and that in base64."""
    line = max(secret.strip().splitlines() or [""], key=len)
    if len(line) < SHORTEST:
        return
    yield line
    yield base64.b64encode(secret.encode()).decode().rstrip("=")[:-1]


@functools.cache
def _authority(kind: str) -> tuple[EllipticCurvePrivateKey, x509.Certificate]:
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"conformance {kind}".strip())])
    return key, _certificate(name, key, key, name, is_authority=True)


def _certificate(
    subject: x509.Name,
    key: EllipticCurvePrivateKey,
    signer: EllipticCurvePrivateKey,
    issuer: x509.Name,
    *,
    is_authority: bool = False,
) -> x509.Certificate:
    moment = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - _LIFE)
        .not_valid_after(moment + _LIFE)
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .sign(signer, hashes.SHA256())
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_text(key: EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
