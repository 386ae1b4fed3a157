"""Options of the lifecycle engine: leases, deadlines, polling."""

from oslo_config import cfg

GROUP = cfg.OptGroup("lifecycle", title="The life of an operation")

OPTS: list[cfg.Opt] = [
    cfg.IntOpt(
        "lease_seconds",
        default=30,
        min=3,
        help="How long a conductor owns an operation without a sign of life. Renewed at a third of it.",
    ),
    cfg.IntOpt(
        "default_deadline",
        default=60,
        min=1,
        help="Minutes until an operation without a timeout of its own must have ended.",
    ),
    cfg.IntOpt(
        "force_deadline",
        default=5,
        min=1,
        help="Minutes that a forced deletion tries; then it ends and lists what it leaves behind.",
    ),
    cfg.FloatOpt(
        "settle_seconds",
        default=60.0,
        min=0,
        help="How long a request to the cloud may still take effect after its answer was lost. A deletion looks that "
        "long for a cluster that was asked for and never seen. Longer than [heat_client]/timeout.",
    ),
    cfg.FloatOpt(
        "check_quiet",
        default=10.0,
        min=0,
        help="The cloud's word that somebody has touched a bay's stack is looked into where the bay was not observed "
        "for so many seconds; within them, it is the echo of our own doing.",
    ),
    cfg.FloatOpt(
        "poll_interval",
        default=5.0,
        min=0.1,
        help="Seconds between two looks at a Heat stack in progress.",
    ),
    cfg.FloatOpt(
        "blocked_interval",
        default=30.0,
        min=0.1,
        help="Seconds between two tries of an operation that is blocked.",
    ),
    cfg.FloatOpt(
        "retry_first",
        default=1.0,
        min=0.01,
        help="Seconds until an operation is tried again after the first transient error; doubles each time.",
    ),
    cfg.FloatOpt(
        "retry_longest",
        default=60.0,
        min=0.01,
        help="Longest time in seconds between two tries after transient errors.",
    ),
    cfg.IntOpt(
        "keep_finished_days",
        default=30,
        min=0,
        help="Days that finished operations and events of deleted bays are kept.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their group, for the sample generator."""
    return [(GROUP.name, OPTS)]
