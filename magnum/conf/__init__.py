"""The service's options, one module per group; ``CONF`` is the process's configuration."""

from oslo_config import cfg

from magnum.conf import opts

CONF = cfg.CONF

opts.register_all(CONF)
