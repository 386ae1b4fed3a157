"""Options of quotas."""

from oslo_config import cfg

GROUP = cfg.OptGroup("quotas", title="Quotas of projects")

OPTS: list[cfg.Opt] = [
    cfg.IntOpt(
        "max_clusters_per_project",
        default=20,
        min=-1,
        help="How many bays a project may hold; -1 means any number.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their group, for the sample generator."""
    return [(GROUP.name, OPTS)]
