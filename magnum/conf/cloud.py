"""Options of the checks that the API makes in the cloud with the caller's own token."""

from oslo_config import cfg, types

GROUP = cfg.OptGroup("cloud", title="What the API verifies in the cloud for a caller")

#: Types of the services that a request may refer to.
SERVICES = ("image", "compute", "network", "volume")

OPTS: list[cfg.Opt] = [
    cfg.ListOpt(
        "absent_services",
        default=[],
        item_type=types.String(choices=SERVICES),
        help="Types of the services that this cloud does not have. What a request says about "
        "them (image, flavor, keypair, networks) is then taken as it is, unverified.",
    ),
    cfg.StrOpt(
        "region_name",
        help="Region of the services that are asked; unset means the first one in the "
        "caller's service catalogue.",
    ),
    cfg.StrOpt(
        "endpoint_type",
        default="public",
        choices=("public", "internal", "admin"),
        help="Interface of the endpoints that are asked.",
    ),
    cfg.FloatOpt(
        "timeout",
        default=10.0,
        min=0.1,
        help="Seconds until one question to a service is given up; the request is then "
        "answered 503.",
    ),
    cfg.FloatOpt(
        "remember",
        default=10.0,
        min=0,
        help="Seconds that each API process remembers what a caller's question to a service "
        "found, so that many bays of one baymodel do not ask the same again and again.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their group, for the sample generator."""
    return [(GROUP.name, OPTS)]
