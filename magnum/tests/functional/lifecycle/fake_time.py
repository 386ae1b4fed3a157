"""Time that passes only when a test says so: for oslo's clock, the conductors' clocks, and SQLite's own."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from oslo_utils import timeutils
from sqlalchemy import Engine, event

#: When every test begins. Times without a zone are UTC, in all tables.
_BEGIN = datetime(2030, 1, 1, tzinfo=UTC).replace(tzinfo=None)


class FakeTime:
    """A clock that a test moves, in seconds since its beginning. ``listeners`` are told after each move."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.listeners: list[Callable[[], None]] = []

    def monotonic(self) -> float:
        """Stands for ``time.monotonic``."""
        return self.seconds

    def utcnow(self, with_timezone: bool = False) -> datetime:
        """Stands for ``timeutils.utcnow``."""
        moment = _BEGIN + timedelta(seconds=self.seconds)
        return moment.replace(tzinfo=UTC) if with_timezone else moment

    def passes(self, seconds: float) -> None:
        """Let time pass. Stands for ``time.sleep`` too."""
        self.seconds += seconds
        for listener in self.listeners:
            listener()

    def until(self, moment: datetime) -> float:
        """Seconds from now to a moment; negative where it has passed."""
        return (moment - self.utcnow()).total_seconds()

    def rule(self, engine: Engine, patch: pytest.MonkeyPatch) -> None:
        """Make this oslo's clock, and SQLite's: ``now`` of ``magnum.db.clock`` asks the function ``strftime``."""
        patch.setattr(timeutils, "utcnow", self.utcnow)

        @event.listens_for(engine, "connect")
        def connected(dbapi: Any, record: Any) -> None:
            dbapi.create_function("strftime", 3, self._strftime)
            dbapi.execute("PRAGMA synchronous=OFF")

    def _strftime(self, pattern: str, start: str, change: str) -> str:
        assert (pattern, start) == ("%Y-%m-%d %H:%M:%f000", "now"), "another use than the clock's"
        moment = self.utcnow() + timedelta(seconds=float(change.removesuffix(" seconds")))
        return moment.strftime("%Y-%m-%d %H:%M:%S.%f")
