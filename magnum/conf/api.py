"""Options of the REST API."""

from oslo_config import cfg

GROUP = cfg.OptGroup("api", title="The REST API")

OPTS: list[cfg.Opt] = [
    cfg.HostAddressOpt(
        "host",
        default="127.0.0.1",
        help="Address that the development server magnum-api listens on. A production server, "
        "such as gunicorn, has settings of its own.",
    ),
    cfg.PortOpt("port", default=9511, help="Port that the development server listens on."),
    cfg.IntOpt(
        "max_limit",
        default=1000,
        min=1,
        help="The longest page of a list, and the length of a page where the caller gives none.",
    ),
    cfg.IntOpt(
        "max_request_body_size",
        default=114688,
        min=1024,
        help="The largest request body in bytes. A larger one is refused unread.",
    ),
    cfg.IntOpt(
        "token_cache_size",
        default=2000,
        min=0,
        help="How many checked tokens each API process remembers, for "
        "[keystone_authtoken]/token_cache_time seconds. 0 asks Keystone at every request. Not "
        "used where [keystone_authtoken]/memcached_servers is set.",
    ),
    cfg.FloatOpt(
        "call_timeout",
        default=30.0,
        min=1.0,
        max=600.0,
        help="Seconds that a request waits for what a driver answers through a conductor: an endpoint of the driver, "
        "or a preview. Keep it below the timeout of the server and of proxies before it.",
    ),
    cfg.IntOpt(
        "max_calls",
        default=6,
        min=1,
        help="How many requests wait for drivers at the same time in one API process. More wait a moment for their "
        "turn and are then answered 503. Keep it below the number of threads, so that drivers that do not answer leave "
        "some to all other requests.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their group, for the sample generator."""
    return [(GROUP.name, OPTS)]
