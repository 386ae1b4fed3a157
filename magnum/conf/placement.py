"""Options of placement: which driver a request gets that does not name one."""

from oslo_config import cfg, types

GROUP = cfg.OptGroup("placement", title="Which driver a request gets that does not name one")

OPTS: list[cfg.Opt] = [
    cfg.ListOpt(
        "filters",
        default=["enabled", "named", "capability", "server_type", "room", "health"],
        help="Filters in use, in the order in which they are asked: entry points of magnum.placement.filters.",
    ),
    cfg.Opt(
        "weights",
        type=types.Dict(value_type=types.Float(min=0)),
        default={"preference": 8.0, "version": 4.0, "load": 1.0, "affinity": 0.5},
        help="Weighers in use, entry points of magnum.placement.weighers, each with the factor that its weight (0 to "
        "1) is multiplied with.",
    ),
    cfg.ListOpt(
        "preferred_drivers",
        default=[],
        help="Drivers in the order in which the operator prefers them.",
    ),
    cfg.Opt(
        "max_bays",
        type=types.Dict(value_type=types.Integer(min=0)),
        default={},
        help="How many bays a driver may have in this cloud, by its name: swarm_atomic_v1:500. Not named: any number.",
    ),
    cfg.FloatOpt(
        "outages_remembered",
        default=5.0,
        min=0,
        help="Seconds that each API process remembers which services of the cloud do not answer.",
    ),
    cfg.Opt(
        "zones",
        type=types.Dict(value_type=types.Float(min=0)),
        default={},
        help="Availability zones that bays may be built in, each with a weight: one with twice the weight of another "
        "gets twice the bays. One with the weight 0 is for those who ask for it. None named: all that the cloud has.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their group, for the sample generator."""
    return [(GROUP.name, OPTS)]
