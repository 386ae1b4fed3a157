"""Options of the calls to Heat."""

from oslo_config import cfg

GROUP = cfg.OptGroup("heat_client", title="Calls to Heat")

OPTS: list[cfg.Opt] = [
    cfg.StrOpt("region_name", help="Region of Heat; unset means that of [keystone_auth]."),
    cfg.StrOpt(
        "endpoint_type",
        default="publicURL",
        help="Interface of the endpoint to use: public, internal or admin (also with the ending URL).",
    ),
    cfg.FloatOpt(
        "timeout", default=30.0, min=1, help="Seconds until one call to Heat is given up."
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their group, for the sample generator."""
    return [(GROUP.name, OPTS)]
