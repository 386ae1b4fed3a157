"""The API with its SQL statements counted, for a WSGI server; see :mod:`tools.benchmark.counted`."""

from magnum.wsgi.api import application
from tools.benchmark import counted

__all__ = ["application", "counted"]
