"""Threads of their own for calls, so that a driver that is slow to answer one never holds up an operation."""

import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

from magnum.common.errors import MagnumError
from magnum.lifecycle.answers import Answerer

LOG = logging.getLogger(__name__)

#: Seconds after a call in which another one is likely.
_LIVELY = 60.0


class Calls:
    """Answers calls in ``threads`` threads. What does not fit waits in the database for the next look.

    Nothing can end the thread of a handler that takes too long; but it is not counted, so that up to as many others
    work beside those that hang.
    """

    def __init__(self, answerer: Answerer, threads: int) -> None:
        self._answerer = answerer
        self._threads = threads
        self._executor = ThreadPoolExecutor(2 * threads, thread_name_prefix="call")
        self._busy: set[int] = set()
        self._changed = threading.Condition()
        self._closed = False
        self._last = -_LIVELY

    def free(self) -> int:
        """How many more calls can be begun now."""
        with self._changed:
            return self._free()

    def _free(self) -> int:
        if self._closed:
            return 0
        not_counted = min(self._answerer.slow(), self._threads)
        return max(0, self._threads + not_counted - len(self._busy))

    @property
    def lively(self) -> bool:
        """Whether there was a call a short time ago."""
        return time.monotonic() < self._last + _LIVELY

    def submit(self, call_id: int) -> bool:
        """Answer a call, unless there is no room. True where it was taken."""
        with self._changed:
            self._last = time.monotonic()
            if call_id in self._busy:
                return True
            if not self._free():
                return False
            self._busy.add(call_id)
        future = self._executor.submit(self._answerer.answer, call_id)
        future.add_done_callback(lambda ended: self._ended(call_id, ended))
        return True

    def _ended(self, call_id: int, future: Future[bool]) -> None:
        if not future.cancelled() and (error := future.exception()) is not None:
            # Who asked is told that nobody answered. Not what an unknown error says: what was asked may be in it.
            told = error.operator_text if isinstance(error, MagnumError) else type(error).__name__
            LOG.error("Call %s was broken off: %s", call_id, told)
        with self._changed:
            self._busy.discard(call_id)
            self._changed.notify_all()

    def drain(self, seconds: float) -> bool:
        """Begin nothing more and wait for what is being answered. False where some did not end in time."""
        with self._changed:
            self._closed = True
            done = self._changed.wait_for(lambda: not self._busy, timeout=seconds)
        self._executor.shutdown(wait=False, cancel_futures=True)
        return done
