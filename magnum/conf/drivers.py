"""Options of the catalogue of drivers: which of those that are installed may be used."""

from oslo_config import cfg

GROUP = cfg.OptGroup("drivers", title="Drivers")

OPTS: list[cfg.Opt] = [
    cfg.ListOpt(
        "paths",
        default=["/usr/share/magnum/drivers", "/etc/magnum/drivers"],
        help="Directories whose subdirectories are drivers, by the name of the subdirectory. They need no packaging, "
        "go before installed drivers of the same name, and are taken up without a restart. Only root or the user "
        "that this service runs as may be able to write there.",
    ),
    cfg.FloatOpt(
        "refresh_seconds",
        default=2.0,
        min=0,
        help="Seconds between two looks at these directories. What has changed is taken up once it has not changed "
        "any more between two looks.",
    ),
    cfg.ListOpt(
        "enabled_drivers",
        default=[],
        help="Names of the drivers that may be used, for example swarm_atomic_v1. Empty means "
        "every driver that is installed. A name that is not installed is listed as broken.",
    ),
    cfg.ListOpt(
        "disabled_drivers",
        default=[],
        help="Names of drivers that may not be used, even if they are enabled. Bays of such a "
        "driver stay listed, with DRIVER_MISSING as their reason.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their group, for the sample generator."""
    return [(GROUP.name, OPTS)]
