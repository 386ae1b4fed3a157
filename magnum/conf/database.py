"""oslo.db's options, with a file under ``state_path`` as the default database."""

from oslo_config import cfg
from oslo_db import options


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register oslo.db's options on a configuration."""
    options.set_defaults(conf, connection="sqlite:///$state_path/magnum.db")


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """Nothing: oslo.db lists its own options for the sample generator."""
    return []
