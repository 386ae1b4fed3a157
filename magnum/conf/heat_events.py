"""Options of listening to what Heat says on the notification bus."""

from oslo_config import cfg

GROUP = cfg.OptGroup("heat_events", title="Listening to Heat's notifications")

OPTS: list[cfg.Opt] = [
    cfg.BoolOpt(
        "enabled",
        default=True,
        help="Whether conductors listen. Heat has to send: [oslo_messaging_notifications] driver = messagingv2 in "
        "heat.conf. Without a broker, or without messages, stacks are polled.",
    ),
    cfg.StrOpt(
        "transport_url",
        secret=True,
        help="Broker on which Heat sends, as oslo.messaging writes it; unset means [DEFAULT]/transport_url. Heat "
        "often has a virtual host of its own.",
    ),
    cfg.ListOpt(
        "topics",
        default=["notifications"],
        help="Topics on which Heat sends: its [oslo_messaging_notifications]/topics.",
    ),
    cfg.StrOpt(
        "exchange", default="heat", help="Exchange on which Heat sends: its control_exchange."
    ),
    cfg.StrOpt(
        "pool",
        default="magnum",
        help="Name of the queue that all conductors share, beside those of other listeners such as telemetry. Empty "
        "means the topic's own queue, which is right where nobody else listens: Heat fills that one anyway.",
    ),
    cfg.FloatOpt(
        "trusted_seconds",
        default=600.0,
        min=0,
        help="A conductor that has heard Heat within so many seconds looks at stacks every "
        "[heat_events]/poll_interval seconds instead of every [lifecycle]/poll_interval.",
    ),
    cfg.FloatOpt(
        "poll_interval",
        default=30.0,
        min=0.1,
        help="Seconds between two looks at a stack in progress while Heat is heard; a lost message costs that much.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their group, for the sample generator."""
    return [(GROUP.name, OPTS)]
