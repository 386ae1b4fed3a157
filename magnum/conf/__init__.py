"""The service's options, one module per group; ``CONF`` is the process's configuration.

Importing it also chooses oslo.service's threading backend: libraries that the options need ask for a backend as they
are imported, and would settle on eventlet.
"""

from oslo_config import cfg
from oslo_service import backend

backend.init_backend(backend.BackendType.THREADING)

from magnum.conf import opts  # noqa: E402 - the backend must be chosen first

CONF = cfg.CONF

opts.register_all(CONF)
