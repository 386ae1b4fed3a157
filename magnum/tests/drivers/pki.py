"""A certificate authority for tests, as ``magnum/certs`` would be one: real certificates, no database."""

import ssl
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.x509.oid import NameOID

from magnum.drivers.contract import KeyPair

_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the bay")])


class Authority:
    """One CA; ``pem`` is its certificate."""

    def __init__(self) -> None:
        self._key = generate_private_key(SECP256R1())
        self.pem = self._signed(_NAME, self._key.public_key(), (), is_authority=True)

    def sign(self, request: str) -> str:
        """The certificate for a request, with everything that it asks for."""
        asked = x509.load_pem_x509_csr(request.encode())
        return self._signed(asked.subject, asked.public_key(), asked.extensions)

    def pair(self, name: str, *addresses: str) -> KeyPair:
        """A key with its certificate, good for a server at these addresses."""
        key = generate_private_key(SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(one)) for one in addresses])
        more = [x509.Extension(names.oid, False, names)] if addresses else []
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        text = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
        return KeyPair(self._signed(subject, key.public_key(), more), text, self.pem)

    def server_context(self, folder: Path, address: str = "127.0.0.1") -> ssl.SSLContext:
        """TLS for a server at an address that wants its clients' certificates to be signed by this CA."""
        pair = self.pair("server", address)
        path = folder / f"server-{id(self)}.pem"
        path.write_text(pair.certificate + pair.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        context.load_verify_locations(cadata=self.pem)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _signed(
        self,
        subject: x509.Name,
        key: Any,
        more: Iterable[x509.Extension[Any]],
        *,
        is_authority: bool = False,
    ) -> str:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(_NAME)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        )
        for one in more:
            builder = builder.add_extension(one.value, one.critical)
        signed = builder.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM).decode()
