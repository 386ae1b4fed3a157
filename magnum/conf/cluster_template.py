"""Options of baymodels: which network drivers each container engine may have."""

from oslo_config import cfg

GROUP = cfg.OptGroup("cluster_template", title="Network drivers of container engines")

#: Engine to the network driver it has by default.
_DEFAULTS = {"kubernetes": "flannel", "swarm": "docker", "mesos": "docker"}


def _options(engine: str, default: str) -> list[cfg.Opt]:
    return [
        cfg.ListOpt(
            f"{engine}_allowed_network_drivers",
            default=["all"],
            deprecated_group="baymodel",
            help=f"Network drivers that a baymodel for {engine} may name; 'all' means all known.",
        ),
        cfg.StrOpt(
            f"{engine}_default_network_driver",
            default=default,
            deprecated_group="baymodel",
            help=f"Network driver of a baymodel for {engine} that names none.",
        ),
    ]


OPTS: list[cfg.Opt] = [
    option for engine, default in _DEFAULTS.items() for option in _options(engine, default)
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their group, for the sample generator."""
    return [(GROUP.name, OPTS)]
