"""Console scripts, one small file each. The top floor: nothing imports it.

The first thing any of them does is to choose oslo.service's threading backend: the libraries they import would
settle on eventlet.
"""

from oslo_service import backend

backend.init_backend(backend.BackendType.THREADING)
