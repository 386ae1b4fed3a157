"""The choice of native threads, to be made before any library is imported that asks for a backend."""

import warnings

from oslo_service import backend


def choose() -> None:
    """Choose oslo.service's threading backend, unless one is chosen already. Never eventlet.

    oslo.service still requires eventlet, and another library imports what is installed, with a long warning that
    says nothing to those who run this service.
    """
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    if backend.get_backend_type() is None:
        backend.init_backend(backend.BackendType.THREADING)
