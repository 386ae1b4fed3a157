"""The service's options, one module per group; ``CONF`` is the process's configuration.

Importing it also chooses oslo.service's threading backend: libraries that the options need ask for a backend as they
are imported, and would settle on eventlet. A generator of documentation may have loaded such a library already; it
runs no service, so it is let off. Our own programs choose in ``magnum.cmd``, before anything else.
"""

from oslo_config import cfg

from magnum.common import threads

threads.choose()

# Only now: the backend must be chosen first.
from magnum.conf import opts

CONF = cfg.CONF

opts.register_all(CONF)
