"""Options of the bays' secrets: where they are kept, how they are sealed, and what CAs look like."""

from oslo_config import cfg

GROUP = cfg.OptGroup("certificates", title="The bays' CAs and other secrets")

OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "cert_manager_type",
        default="x509keypair",
        choices=(
            ("x509keypair", "in the database, sealed with the key ring"),
            ("barbican", "in Barbican, in the service's own project"),
            ("local", "in files below storage_path, unsealed; for development on one machine"),
        ),
        help="Where the secret half of what belongs to a bay is kept. A change concerns what is made from then on: "
        "what was kept elsewhere is still found there.",
    ),
    cfg.StrOpt(
        "key_ring",
        default="/etc/magnum/keys",
        help="Directory of the keys that seal secrets in the database. The command magnum-key-manage makes and "
        "rotates them. Every API and conductor process needs the same keys.",
    ),
    cfg.StrOpt(
        "storage_path",
        default="/var/lib/magnum/certificates/",
        help="Directory of secrets where cert_manager_type is local. All processes must share it.",
    ),
    cfg.StrOpt(
        "key_type",
        default="ecdsa",
        choices=(
            ("ecdsa", "elliptic curve P-256: small, and made in no time"),
            ("rsa", "RSA of [x509] rsa_key_size bits"),
        ),
        help="Kind of the private keys that this service makes.",
    ),
    cfg.FloatOpt(
        "ca_validity_days",
        default=3650,
        min=0.001,
        help="Days for which a bay's new CA is good. No certificate is good for longer than its CA.",
    ),
    cfg.FloatOpt(
        "warn_days",
        default=90,
        min=0,
        help="A bay whose CA is good for less than so many days gets an event that says so.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their group, for the sample generator."""
    return [(GROUP.name, OPTS)]
