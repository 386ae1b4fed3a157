"""Options of the circuit breaker around calls to the cloud's services."""

from oslo_config import cfg

GROUP = cfg.OptGroup("breaker", title="Leaving alone what does not answer")

OPTS: list[cfg.Opt] = [
    cfg.IntOpt(
        "failure_threshold",
        default=5,
        min=1,
        help="After so many failures in a row, a service of a region is not asked any more for a while. A failure is "
        "an answer that does not come, or one of 500 and above.",
    ),
    cfg.FloatOpt(
        "recovery_seconds",
        default=30.0,
        min=0.1,
        help="Seconds until one request is let through to such a service, to see whether it answers again.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their group, for the sample generator."""
    return [(GROUP.name, OPTS)]
