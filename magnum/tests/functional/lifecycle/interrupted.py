"""Passes that are broken off: a conductor that dies, or is held up, at a chosen point of its work.

A point lies before and after each claim, each request to Heat and each write, and inside the write's transaction. A
pass that is held up waits in a thread of its own; only one thread ever runs, so a test stays the same each time.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Engine, event

from magnum.db import operations
from magnum.db.models import Operation
from magnum.db.operations import Claim, Outcome
from magnum.lifecycle.passes import Worker
from magnum.tests.functional.lifecycle.fake_busy_heat import View

#: Seconds of real time that a pass may take, on a machine that has much else to do.
_PATIENCE = 240.0


class Killed(BaseException):
    """The process dies. Nothing of ours may catch it."""


@dataclass
class Pass:
    """One pass of one operation. ``dies_at`` and ``stops_at`` are numbers of points, counted from 0; None for never."""

    worker: Worker
    operation_id: int
    dies_at: int | None = None
    stops_at: int | None = None
    points: list[str] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    claim: Claim | None = None
    written: Outcome | None = None
    over: bool = False
    _yielded: threading.Event = field(default_factory=threading.Event)
    _go: threading.Event = field(default_factory=threading.Event)
    _thread: Future[None] | None = None
    _dying: bool = False

    def begin(self) -> None:
        """Run until its end, or until it dies or is held up."""
        if self.stops_at is None:
            self._run()
            return
        executor = ThreadPoolExecutor(1)
        self._thread = executor.submit(self._run)
        executor.shutdown(wait=False)
        self._wait()

    def go_on(self) -> None:
        """Let one that is held up come to its end."""
        self._yielded.clear()
        self._go.set()
        self._wait()

    def die(self) -> None:
        """Let one that is held up end without doing anything more."""
        self._dying = True
        self.go_on()

    def _wait(self) -> None:
        assert self._yielded.wait(_PATIENCE), "the pass does not end"
        if self.over and self._thread is not None:
            self._thread.result()

    def _run(self) -> None:
        token = _current.set(self)
        try:
            self.worker.run(self.operation_id)
        except Killed:
            pass
        finally:
            _current.reset(token)
            self.over = True
            self._yielded.set()

    def reach(self, point: str) -> None:
        """The pass has come to a point."""
        number = len(self.points)
        self.points.append(point)
        if number == self.dies_at:
            raise Killed(point)
        if number == self.stops_at and point != "in write":  # that one holds a lock of the database
            self._yielded.set()
            self._go.wait()
            if self._dying:
                raise Killed(point)


_current: ContextVar[Pass | None] = ContextVar("current", default=None)


def reach(point: str) -> None:
    """The pass that runs in this thread, if one does, has come to a point."""
    if (running := _current.get()) is not None:
        running.reach(point)


def note(view: View) -> None:
    """The pass that runs in this thread has seen something."""
    if (running := _current.get()) is not None:
        running.views.append(view)


@contextmanager
def interruptible(
    patch: pytest.MonkeyPatch, engine: Engine, wrote: Callable[[Pass], None]
) -> Iterator[None]:
    """Put points around claims and writes. ``wrote`` is called with each pass right after its write."""
    claim, write = operations.claim, operations.write

    def claiming(*args: Any, **more: Any) -> Claim | None:
        reach("before claim")
        claimed: Claim | None = claim(*args, **more)
        if (running := _current.get()) is not None:
            running.claim = claimed
        reach("after claim")
        return claimed

    def writing(context: Any, claimed: Operation, outcome: Outcome) -> bool:
        reach("before write")
        token = _in_write.set(True)
        try:
            kept = write(context, claimed, outcome)
        finally:
            _in_write.reset(token)
        if kept and (running := _current.get()) is not None:
            running.written = outcome
            wrote(running)
        reach("after write")
        return kept

    def committing(connection: Any) -> None:
        if _in_write.get():
            reach("in write")

    patch.setattr(operations, "claim", claiming)
    patch.setattr(operations, "write", writing)
    event.listen(engine, "commit", committing)
    try:
        yield
    finally:
        event.remove(engine, "commit", committing)


_in_write: ContextVar[bool] = ContextVar("in_write", default=False)
