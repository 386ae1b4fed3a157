"""Private keys: made as ``[certificates] key_type`` says, and read back; and which public keys may be signed."""

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from magnum.conf import CONF

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

#: Bits of an RSA key that may be signed. A longer one takes whoever checks it a long time.
RSA_BITS = (2048, 8192)
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


def new_key() -> PrivateKey:
    """A new private key. An RSA key takes a good part of a second."""
    if CONF.certificates.key_type == "rsa":
        return rsa.generate_private_key(65537, CONF.x509.rsa_key_size)
    return ec.generate_private_key(ec.SECP256R1())


def to_pem(key: PrivateKey) -> str:
    """The key as PKCS #8, unsealed."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def from_pem(text: bytes) -> PrivateKey:
    """A key that :func:`to_pem` wrote. Raises ValueError for anything else."""
    key = serialization.load_pem_private_key(text, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ValueError("a private key of a kind that is not made here")
    return key


def objection(key: object) -> str | None:
    """What is wrong with a public key that somebody wants to have signed; None where nothing is."""
    match key:
        case rsa.RSAPublicKey():
            least, most = RSA_BITS
            if least <= key.key_size <= most:
                return None
            return f"an RSA key of {key.key_size} bits, where {least} to {most} are taken"
        case ec.EllipticCurvePublicKey():
            if isinstance(key.curve, _CURVES):
                return None
            return f"a key on the curve {key.curve.name}, where P-256, P-384 and P-521 are taken"
        case ed25519.Ed25519PublicKey():
            return None
    return "a key of a kind that is not taken: use ECDSA, Ed25519 or RSA"
