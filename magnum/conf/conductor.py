"""Options of the conductor."""

from oslo_config import cfg

GROUP = cfg.OptGroup("conductor", title="The process that does the work")

OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "topic", default="magnum-conductor", help="Topic of oslo.messaging that hints travel on."
    ),
    cfg.IntOpt("workers", default=1, min=1, help="Number of conductor processes on this node."),
    cfg.IntOpt(
        "threads",
        default=16,
        min=1,
        help="How many operations one conductor process works on at the same time.",
    ),
    cfg.FloatOpt(
        "stuck_seconds",
        default=60.0,
        min=0.1,
        help="A step of an operation that takes longer hangs in its driver, and its thread is not counted any more. "
        "A process in which as many hang as it has threads ends, and is started anew.",
    ),
    cfg.IntOpt(
        "memory_limit",
        default=4096,
        min=0,
        help="Address space in MiB that one conductor process may have; 0 means any. A driver that asks for more gets "
        "an error, and the operation is tried again later.",
    ),
    cfg.FloatOpt(
        "sweep_interval",
        default=2.0,
        min=0.1,
        help="Seconds between two looks for due operations and calls. One look is one SQL statement.",
    ),
    cfg.IntOpt(
        "call_threads",
        default=8,
        min=2,
        help="How many calls (endpoints of drivers, and previews) one conductor process answers at the same time, "
        "beside the operations. One driver that is slow to answer gets half of them.",
    ),
    cfg.FloatOpt(
        "call_poll",
        default=0.5,
        min=0.05,
        help="Seconds between two looks for calls while there are some and no broker tells of them. Nothing is looked "
        "for in this way once a minute has passed without a call.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their group, for the sample generator."""
    return [(GROUP.name, OPTS)]
