"""A bounded pool of threads that run passes, each operation in at most one thread of this process at a time."""

import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

from magnum.lifecycle.passes import Worker

LOG = logging.getLogger(__name__)

#: A pass that is due again within this many seconds is kept in memory instead of waiting for a sweep.
_SOON = 1.0


class Pool:
    """Runs passes in ``threads`` threads. What does not fit waits in the database for the next sweep."""

    def __init__(self, worker: Worker, threads: int) -> None:
        self._worker = worker
        self._threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="pass")
        self._busy: set[int] = set()
        self._idle = threading.Condition()
        self._closed = False

    def free(self) -> int:
        """How many more operations can be begun now."""
        with self._idle:
            return 0 if self._closed else self._threads - len(self._busy)

    def submit(self, operation_id: int) -> bool:
        """Run a pass of an operation, unless there is no room or it is being run. True where it was taken."""
        with self._idle:
            if self._closed or operation_id in self._busy or len(self._busy) >= self._threads:
                return False
            self._busy.add(operation_id)
        future = self._executor.submit(self._run, operation_id)
        future.add_done_callback(lambda ended: self._ended(operation_id, ended))
        return True

    def _run(self, operation_id: int) -> None:
        while (next_in := self._worker.run(operation_id)) is not None and next_in <= _SOON:
            with self._idle:
                self._idle.wait_for(lambda: self._closed, timeout=next_in)
                if self._closed:
                    return

    def _ended(self, operation_id: int, future: Future[None]) -> None:
        if (error := future.exception()) is not None:
            # Nothing was written: the lease runs out, and the operation is found again.
            LOG.error(
                "The pass of operation %s was broken off: %s", operation_id, error, exc_info=error
            )
        with self._idle:
            self._busy.discard(operation_id)
            self._idle.notify_all()

    def drain(self, seconds: float) -> bool:
        """Begin nothing more and wait until the steps that run are done. False where some did not end in time."""
        end = time.monotonic() + seconds
        with self._idle:
            self._closed = True
            self._idle.notify_all()
            done = self._idle.wait_for(
                lambda: not self._busy, timeout=max(0.0, end - time.monotonic())
            )
        self._executor.shutdown(wait=False, cancel_futures=True)
        return done
