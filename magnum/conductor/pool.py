"""A bounded pool of threads that run passes, each operation in at most one thread of this process at a time."""

import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from magnum.common import metrics
from magnum.lifecycle.passes import Worker

LOG = logging.getLogger(__name__)

#: A pass that is due again within this many seconds is kept in memory instead of waiting for a sweep.
_SOON = 1.0


@dataclass(slots=True, eq=False)
class _Run:
    """An operation's passes in one thread; ``began`` is when the present one did, on the monotonic clock."""

    began: float


class Pool:
    """Runs passes in ``threads`` threads. What does not fit waits in the database for the next sweep.

    A pass that takes longer than ``stuck_seconds`` hangs in its driver: nothing can end its thread, but it does not
    count any more, so that one driver's bays do not take the room of all others, and the operation may be run anew once
    its lease is over. See :meth:`stuck`.
    """

    def __init__(self, worker: Worker, threads: int, stuck_seconds: float = 60.0) -> None:
        self._worker = worker
        self._threads = threads
        self._stuck_seconds = stuck_seconds
        # Threads are made when they are needed; beyond the number that may work only those are alive that hang.
        self._executor = ThreadPoolExecutor(2 * threads, thread_name_prefix="pass")
        self._busy: dict[int, _Run] = {}
        #: Runs that hang, and whose operation has been begun anew.
        self._given_up: set[_Run] = set()
        self._again: set[int] = set()
        self._changed = threading.Condition()
        self._closed = False
        metrics.PASSES_STUCK.set_function(self.stuck)

    def free(self) -> int:
        """How many more operations can be begun now."""
        with self._changed:
            return self._free()

    def _free(self) -> int:
        if self._closed:
            return 0
        stuck = self._stuck()
        hanging_at_most = min(stuck, self._threads)
        alive = len(self._busy) + len(self._given_up)
        return max(0, self._threads + hanging_at_most - alive)

    def stuck(self) -> int:
        """How many passes hang. Where they are as many as ``threads``, this process has no room for more of them."""
        with self._changed:
            return self._stuck()

    def _stuck(self) -> int:
        return len(self._given_up) + sum(1 for run in self._busy.values() if self._hangs(run))

    def _hangs(self, run: _Run) -> bool:
        return run.began < time.monotonic() - self._stuck_seconds

    def wait_for_room(self, seconds: float) -> bool:
        """Wait until half of the threads have nothing to do. False where that took longer, or the pool is closed."""

        def enough() -> bool:
            return self._closed or self._free() * 2 >= self._threads

        with self._changed:
            return self._changed.wait_for(enough, timeout=seconds) and not self._closed

    def submit(self, operation_id: int) -> bool:
        """Run a pass of an operation, unless there is no room. True where it was taken.

        One that is being run is run once more afterwards: what it is told about now, its present pass may have missed.
        """
        with self._changed:
            if self._closed:
                return False
            present = self._busy.get(operation_id)
            if present is not None and not self._hangs(present):
                self._again.add(operation_id)
                self._changed.notify_all()
                return True
            if not self._free():
                return False
            if present is not None:
                self._given_up.add(present)
            run = self._busy[operation_id] = _Run(time.monotonic())
        future = self._executor.submit(self._run, operation_id, run)
        future.add_done_callback(lambda ended: self._ended(operation_id, run, ended))
        return True

    def _run(self, operation_id: int, run: _Run) -> None:
        again = True
        while again:
            run.began = time.monotonic()
            with metrics.PASSES.time():
                next_in = self._worker.run(operation_id)
            again = self._goes_on(operation_id, run, next_in)

    def _goes_on(self, operation_id: int, run: _Run, next_in: float | None) -> bool:
        """Whether another pass follows at once; waits for it where it is due soon."""
        with self._changed:
            if run in self._given_up:
                self._forget(operation_id, run)
                return False
            if next_in is not None and next_in <= _SOON:
                self._changed.wait_for(
                    lambda: self._closed or operation_id in self._again, timeout=next_in
                )
                self._again.add(operation_id)
            if operation_id in self._again and not self._closed:
                self._again.discard(operation_id)
                return True
            # In the same breath, so that no submission falls between the last look and the end.
            self._forget(operation_id, run)
        return False

    def _forget(self, operation_id: int, run: _Run) -> None:
        self._given_up.discard(run)
        if self._busy.get(operation_id) is run:
            del self._busy[operation_id]
            self._again.discard(operation_id)
        self._changed.notify_all()

    def _ended(self, operation_id: int, run: _Run, future: Future[None]) -> None:
        if future.cancelled():
            with self._changed:
                self._forget(operation_id, run)
        elif (error := future.exception()) is not None:
            # Nothing was written: the lease runs out, and the operation is found again.
            LOG.error(
                "The pass of operation %s was broken off: %s", operation_id, error, exc_info=error
            )
            with self._changed:
                self._forget(operation_id, run)

    def drain(self, seconds: float) -> bool:
        """Begin nothing more and wait until the steps that run are done. False where some did not end in time."""
        end = time.monotonic() + seconds
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            done = self._changed.wait_for(
                lambda: not self._busy, timeout=max(0.0, end - time.monotonic())
            )
        self._executor.shutdown(wait=False, cancel_futures=True)
        return done
