"""Options of baymodels: which network drivers each container engine may have."""

from oslo_config import cfg

GROUP = cfg.OptGroup("cluster_template", title="Network drivers of container engines")

#: Engine to the network driver it has by default, and those that it may have.
_DEFAULTS = {
    # What drivers of ours build; cilium is known, for drivers from elsewhere.
    "kubernetes": ("flannel", ["flannel", "calico"]),
    "swarm": ("docker", ["all"]),
    "mesos": ("docker", ["all"]),
}


def _options(engine: str, default: str, allowed: list[str]) -> list[cfg.Opt]:
    return [
        cfg.ListOpt(
            f"{engine}_allowed_network_drivers",
            default=allowed,
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
    option for engine, settings in _DEFAULTS.items() for option in _options(engine, *settings)
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their group, for the sample generator."""
    return [(GROUP.name, OPTS)]
