"""Options of no group: where this process runs and keeps its files."""

import socket

import oslo_messaging
from oslo_config import cfg

OPTS: list[cfg.Opt] = [
    cfg.HostAddressOpt(
        "host",
        default=socket.gethostname(),
        sample_default="<hostname>",
        help="Name of this node. It is part of a conductor's identity in leases, logs and messages.",
    ),
    cfg.StrOpt(
        "state_path",
        default="/var/lib/magnum",
        help="Directory for the service's own files, such as the default SQLite database.",
    ),
    cfg.IntOpt(
        "service_down_time",
        default=180,
        min=1,
        help="Seconds without a report after which a conductor is shown as down.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_opts(OPTS)
    # oslo.messaging registers its options here. Its default is a broker on this host; ours is none at all.
    oslo_messaging.TransportURL.parse(conf)
    conf.set_default("transport_url", None)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their group, for the sample generator."""
    return [("DEFAULT", OPTS)]
