"""Hints to the conductors: "look at this operation", or call. Losing one costs a sweep's delay, never work.

A request must not wait for the broker, so one thread per process sends what a short queue holds, and what does not
fit is dropped. Without ``[DEFAULT] transport_url`` nothing is sent at all.
"""

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import oslo_messaging as messaging

from magnum.conf import CONF

LOG = logging.getLogger(__name__)

#: Hints that may wait for the broker in one process.
_WAITING = 1000


class Sender:
    """Sends hints from one thread of its own, which begins with the first hint, in the process that needs it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._room = threading.BoundedSemaphore(_WAITING)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hints")

    def cast(self, method: str, **ident: int) -> None:
        """Queue a hint; never waits."""
        if not self._room.acquire(blocking=False):
            LOG.warning("The broker is too slow: a hint is dropped. The sweep will find the work.")
            return
        sent = self._thread.submit(self._client.cast, {}, method, **ident)
        sent.add_done_callback(self._sent)

    def _sent(self, sent: Future[None]) -> None:
        self._room.release()
        if not sent.cancelled() and (error := sent.exception()) is not None:
            LOG.warning("A hint could not be sent, the sweep will find the work: %s", error)


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
        _sender.cast("look_at", operation_id=operation_id)


def look_at_call(call_id: int) -> None:
    """Tell the conductors that somebody waits for the answer to a call."""
    if _sender is not None:
        _sender.cast("look_at_call", call_id=call_id)
