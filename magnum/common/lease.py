"""The lease of the pass that runs in this thread: no request may leave this process once it is over.

A process that was stopped for a while does not know it when it wakes up. Its next write to the database is refused by
the fence; this is the same for what it is about to ask of the cloud.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class LeaseLost(Exception):
    """Somebody else may be at this operation by now. Whoever sees this stops, and touches nothing any more."""


class Lease:
    """Until when this process may work on something, on its own monotonic clock.

    ``begun`` must have been read before the database was asked for the lease, so that this clock is never the later.
    """

    def __init__(
        self, begun: float, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._end = begun + seconds

    def extend(self, begun: float, seconds: float) -> None:
        """The lease was renewed. Arguments as for a new one."""
        self._end = max(self._end, begun + seconds)

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return self._clock() >= self._end


_current: ContextVar[Lease | None] = ContextVar("lease", default=None)


@contextmanager
def working_under(lease: Lease) -> Iterator[None]:
    """What runs inside works under this lease."""
    token = _current.set(lease)
    try:
        yield
    finally:
        _current.reset(token)


def check() -> None:
    """Raise LeaseLost where the lease of this thread's work is over. Without a lease there is nothing to check."""
    if (lease := _current.get()) is not None and lease.over:
        raise LeaseLost("the lease ran out while this process was held up")
