"""Hints to the conductors: "look at this operation". Losing one costs a sweep's delay, never work.

A request must not wait for the broker, so one thread per process sends what a short queue holds, and what does not
fit is dropped. Without ``[DEFAULT] transport_url`` nothing is sent at all.
"""

import logging
import queue
import threading
from typing import Any

import oslo_messaging as messaging

from magnum.conf import CONF

LOG = logging.getLogger(__name__)

_QUEUE_LENGTH = 1000


class Sender:
    """Sends hints from a thread of its own, started with the first hint, in the process that needs it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._queue: queue.Queue[int] = queue.Queue(_QUEUE_LENGTH)
        self._started = False
        self._lock = threading.Lock()

    def look_at(self, operation_id: int) -> None:
        """Queue a hint; never waits."""
        with self._lock:
            if not self._started:
                threading.Thread(target=self._run, name="hints", daemon=True).start()
                self._started = True
        try:
            self._queue.put_nowait(operation_id)
        except queue.Full:
            LOG.warning(
                "The broker is too slow: a hint was dropped. The sweep will find the operation."
            )

    def _run(self) -> None:
        while True:
            operation_id = self._queue.get()
            try:
                self._client.cast({}, "look_at", operation_id=operation_id)
            except messaging.MessagingException as error:
                LOG.warning(
                    "A hint could not be sent, the sweep will find the operation: %s", error
                )


_sender: Sender | None = None


def target() -> messaging.Target:
    """Where hints go."""
    return messaging.Target(topic=CONF.conductor.topic)


def transport() -> Any:
    """The broker of ``[DEFAULT] transport_url``, not yet connected; None where no broker is configured."""
    return messaging.get_rpc_transport(CONF) if CONF.transport_url else None


def start() -> None:
    """Make this process able to send hints. Without a broker in the configuration, hints do nothing."""
    global _sender
    found = transport()
    _sender = Sender(messaging.get_rpc_client(found, target(), retry=1)) if found else None


def look_at(operation_id: int) -> None:
    """Tell the conductors that an operation is due."""
    if _sender is not None:
        _sender.look_at(operation_id)
