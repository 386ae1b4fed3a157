"""Options of the certificates that bays' CAs sign (contract 2.5)."""

from oslo_config import cfg, types

GROUP = cfg.OptGroup("x509", title="Certificates that bays' CAs sign")

#: Extensions of a request that may be allowed, by the names that they have in RFC 5280.
EXTENSIONS = (
    "keyUsage",
    "extendedKeyUsage",
    "subjectAltName",
    "basicConstraints",
    "subjectKeyIdentifier",
)

#: Uses of a key that may be allowed, by the names that OpenSSL has for them.
KEY_USAGES = (
    "Digital Signature",
    "Content Commitment",
    "Key Encipherment",
    "Data Encipherment",
    "Key Agreement",
    "Certificate Sign",
    "CRL Sign",
    "Encipher Only",
    "Decipher Only",
)

OPTS: list[cfg.Opt] = [
    cfg.BoolOpt(
        "allow_ca",
        default=False,
        help="Whether a signed certificate may be that of a CA itself. Where not, such a request gets an ordinary one.",
    ),
    cfg.ListOpt(
        "allowed_extensions",
        default=list(EXTENSIONS),
        item_type=types.String(choices=EXTENSIONS),
        help="Extensions that are taken over from a signing request. Others are left out; a request in which another "
        "one is critical is refused.",
    ),
    cfg.ListOpt(
        "allowed_key_usage",
        default=["Digital Signature", "Key Encipherment", "Content Commitment"],
        item_type=types.String(choices=KEY_USAGES),
        help="Key usages that are taken over from a signing request; others are left out.",
    ),
    cfg.FloatOpt(
        "term_of_validity",
        default=1825,
        min=0.001,
        help="Days for which a signed certificate is good.",
    ),
    cfg.IntOpt(
        "rsa_key_size",
        default=2048,
        choices=(2048, 3072, 4096),
        help="Bits of an RSA key, where [certificates] key_type is rsa.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their group, for the sample generator."""
    return [(GROUP.name, OPTS)]
