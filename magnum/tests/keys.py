"""A key ring and signing requests for tests."""

import ipaddress
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from magnum.certs import rotation
from magnum.conf import CONF


def use_key_ring(folder: Path) -> Path:
    """Make a key ring below a folder, and have this process use it. Returns its directory."""
    directory = folder / "keys"
    rotation.setup(directory)
    CONF.set_override("key_ring", str(directory), group="certificates")
    return directory


def forget_key_ring() -> None:
    """The configured one again."""
    CONF.clear_override("key_ring", group="certificates")


def a_request(
    *extensions: tuple[x509.ExtensionType, bool], key: Any = None, addresses: tuple[str, ...] = ()
) -> str:
    """A signing request as PEM, with extensions and whether each is critical."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"),
            x509.NameAttribute(NameOID.COMMON_NAME, "admin"),
        ]
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    if addresses:
        named = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        builder = builder.add_extension(x509.SubjectAlternativeName(named), critical=False)
    request = builder.sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()
