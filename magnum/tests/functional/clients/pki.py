"""Keys and requests for certificates, as users make them before they ask for a signature."""

from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.x509.oid import NameOID


def request_file(folder: Path, name: str, address: IPv4Address | None = None) -> Path:
    """A new request for a certificate, ``<name>.csr``; its key is beside it, ``<name>.key``.

    :param address: where a server with this certificate is found.
    """
    folder.mkdir(parents=True, exist_ok=True)
    key = generate_private_key(SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if address is not None:
        names = x509.SubjectAlternativeName([x509.IPAddress(address)])
        request = request.add_extension(names, critical=False)
    pem = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    path = folder / f"{name}.csr"
    path.write_bytes(pem)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.with_suffix(".key").write_bytes(private)
    return path
