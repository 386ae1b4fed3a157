"""The choice of native threads, to be made before any library is imported that asks for a backend."""

import sys

from oslo_service import backend


def choose() -> None:
    """Choose oslo.service's threading backend, unless one is chosen already. Never eventlet.

    oslo.service still requires eventlet, and another library imports it wherever it is installed: a third of a second,
    nine megabytes and a long warning at every start. For this process it is not installed.
    """
    if backend.get_backend_type() is None:
        sys.modules.setdefault("eventlet", None)  # type: ignore[arg-type]
        backend.init_backend(backend.BackendType.THREADING)
