"""Options of the metrics that a process shows to Prometheus."""

from oslo_config import cfg

GROUP = cfg.OptGroup("metrics", title="Metrics for Prometheus")

OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "host",
        default="127.0.0.1",
        help="Address that metrics are shown on. They are shown to everybody who can reach it.",
    ),
    cfg.PortOpt(
        "port",
        default=0,
        help="Port that metrics are shown on, below /metrics; 0 means none. Each process has one of its own: on a "
        "machine with several (conductors, workers of the API) each takes the first that is free from this one on.",
    ),
    cfg.IntOpt(
        "ports",
        default=16,
        min=1,
        help="How many ports there are for that, beginning with port. A process that finds all of them taken says so "
        "in its log and shows no metrics.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their group, for the sample generator."""
    return [(GROUP.name, OPTS)]
