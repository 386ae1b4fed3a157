"""Options of the health loop: how often conductors look at the clusters themselves."""

from oslo_config import cfg

GROUP = cfg.OptGroup("health", title="Looking at running clusters")

OPTS: list[cfg.Opt] = [
    cfg.FloatOpt(
        "interval",
        default=60.0,
        min=1,
        help="About how many seconds are between two looks at a cluster whose driver has a monitor, and which nobody "
        "is changing. Where there are more clusters than looks_per_minute allows, each waits longer.",
    ),
    cfg.IntOpt(
        "looks_per_minute",
        default=120,
        min=0,
        help="How many looks one conductor process takes in a minute at most; a hundred cost about a tenth of a "
        "percent of a core and a dozen statements. Raise it where there are many more clusters than that for each "
        "conductor. 0 turns its health loop off.",
    ),
    cfg.IntOpt(
        "threads",
        default=8,
        min=1,
        help="How many looks one conductor process takes at the same time. Looks that hang are not counted, but a "
        "driver with so many of them is not asked any more until some come back.",
    ),
    cfg.FloatOpt(
        "timeout",
        default=20.0,
        min=0.1,
        help="Seconds after which a look hangs. The health of such a cluster is UNKNOWN.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their group, for the sample generator."""
    return [(GROUP.name, OPTS)]
