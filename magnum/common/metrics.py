"""What a process counts and measures, and how it is shown: every metric that is not read from the database.

Ground floor: whoever sees something happen tells it here, in one call that costs no statement and no request. Nothing
is shown unless ``[metrics] port`` is set. What is found out only when somebody asks is in
:mod:`magnum.lifecycle.figures`.
"""

import errno
import logging
import os
import socket
import threading
from collections.abc import Iterable
from http import HTTPStatus

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    start_http_server,
)
from prometheus_client.registry import Collector

from magnum.conf import CONF

LOG = logging.getLogger(__name__)

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

PROCESS = Gauge(
    "magnum_process",
    "Always 1: which of our processes this is (api or conductor), and where it runs.",
    ("service", "host", "pid"),
    registry=REGISTRY,
)
OPERATIONS = Histogram(
    "magnum_operation_seconds",
    "Operations that this process brought to their end, by what was asked and how it ended (DONE, FAILED, CANCELLED), "
    "with the seconds from their acceptance to their end.",
    ("verb", "outcome"),
    buckets=(1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200),
    registry=REGISTRY,
)
PASSES = Histogram(
    "magnum_pass_seconds",
    "Passes of operations that this process made, with the seconds that each took.",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=REGISTRY,
)
PASSES_STUCK = Gauge(
    "magnum_passes_stuck",
    "Passes that hang in a driver of this process for longer than [conductor] stuck_seconds.",
    registry=REGISTRY,
)
SQL_RETRIES = Counter(
    "magnum_sql_retries",
    "Transactions that the database broke off (a deadlock, a lost connection) and that were begun anew.",
    ("error",),
    registry=REGISTRY,
)
REQUESTS = Histogram(
    "magnum_api_request_seconds",
    "Requests that this process of the API answered, with the seconds until the answer was made.",
    ("method", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30),
    registry=REGISTRY,
)

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_serving = threading.Lock()
_served_by = 0


def operation_ended(verb: str, outcome: str, seconds: float) -> None:
    """An operation has come to its end, so many seconds after it was accepted."""
    OPERATIONS.labels(verb, outcome).observe(max(0.0, seconds))


def transaction_broken(error: BaseException) -> None:
    """The database broke a transaction off that is begun anew."""
    SQL_RETRIES.labels(type(error).__name__).inc()


def request_answered(method: str, status: int, seconds: float) -> None:
    """The API has made an answer. Methods and statuses that nobody knows count as one."""
    method = method if method in _METHODS else "other"
    known = status in HTTPStatus.__members__.values()
    REQUESTS.labels(method, str(status) if known else "other").observe(seconds)


def are_shown() -> bool:
    """Whether this process is to show its metrics."""
    return bool(CONF.metrics.port)


def serve(service: str, collectors: Iterable[Collector] = ()) -> None:
    """Show this process's metrics from now on, in a thread of its own. A second call in a process does nothing.

    A process that was forked since has to call it again: threads are not forked.

    :param service: ``api`` or ``conductor``.
    :param collectors: what is found out when somebody asks.
    """
    global _served_by
    if not are_shown() or _served_by == os.getpid():
        return
    with _serving:
        if _served_by == os.getpid():
            return
        first = _served_by == 0
        _served_by = os.getpid()
    if first:
        for collector in collectors:
            REGISTRY.register(collector)
    PROCESS.clear()
    PROCESS.labels(service, CONF.host or socket.gethostname(), os.getpid()).set(1)
    host, port = CONF.metrics.host, CONF.metrics.port
    for number in range(port, port + CONF.metrics.ports):
        try:
            start_http_server(number, host, REGISTRY)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            LOG.error("No metrics are shown on %s:%s: %s", host, number, error)
            return
        LOG.info("Metrics are shown on http://%s:%s/metrics.", host, number)
        return
    LOG.error("No metrics are shown: all of [metrics] ports from %s on are taken.", port)
