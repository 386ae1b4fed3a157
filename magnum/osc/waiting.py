"""Waiting for operations: asks, shows and asks again, until each has ended or somebody interrupts.

What is shown is made in :mod:`magnum.osc.progress`; here is only when.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from keystoneauth1 import exceptions

from magnum.osc import progress
from magnum.osc.client import Client
from magnum.osc.errors import ApiError

#: Seconds between two looks: at first, at most, and how they grow.
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 5.0
GROWTH: Final = 1.25
#: Seconds between two drawings of the live line, which counts seconds without asking anybody.
TICK: Final = 1.0
#: Seconds for which an API that does not answer is asked again. The work does not need it, only we do.
PATIENCE: Final = 300.0

AWAY: Final = (
    exceptions.ConnectFailure,
    exceptions.ConnectTimeout,
    exceptions.RetriableConnectionFailure,
    ApiError,  # of the kinds that Patience bears
)
_CLEAR: Final = "\r\x1b[2K"


def rest(seconds: float) -> None:
    """Let time pass between two questions."""
    time.sleep(seconds)


class Interrupted(Exception):
    """Somebody does not want to wait any longer. The work goes on; how to come back has been said."""


class Patience:
    """Bears an API that is away for a while: it may be restarted, and the work does not need it."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._answered = now()

    def reward(self) -> None:
        """The API has answered."""
        self._answered = self._now()

    def bear(self, error: Exception) -> None:
        """Raise the error where it is none of that kind, or where it has lasted too long."""
        if isinstance(error, ApiError) and error.status < 500:
            raise error
        if (self._now() - self._answered).total_seconds() > PATIENCE:
            raise error


class Display:
    """Where progress goes: standard error, so that what a program reads stays clean."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.is_terminal = stream.isatty()
        self._drawn = False

    @property
    def width(self) -> int:
        """Columns of the terminal; one is left free, because some terminals break the line there."""
        try:
            return max(os.get_terminal_size(self._stream.fileno()).columns - 1, 20)
        except OSError:
            return 79

    def draw(self, line: str) -> None:
        """Write the live line over the one before."""
        self._write(f"{_CLEAR}{line}")
        self._drawn = True

    def say(self, text: str) -> None:
        """Write something that stays."""
        self.clear()
        self._write(f"{text}\n")

    def clear(self) -> None:
        """Take the live line away."""
        if self._drawn:
            self._write(_CLEAR)
            self._drawn = False

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


class Waiter:
    """Waits for operations of one cloud."""

    def __init__(
        self,
        client: Client,
        display: Display,
        sleep: Callable[[float], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._display = display
        self._sleep = sleep
        self._now = now

    def wait(self, operation: str, bay: str) -> dict[str, Any]:
        """The operation, once it has ended.

        :param bay: what its bay is called, for the display.

        Raises Interrupted, after telling how to come back; ApiError, and keystoneauth's errors, where the API has not
        answered for long.
        """
        watch = _Watch(self._client, self._display, self._sleep, self._now, operation, bay)
        try:
            return watch.run()
        except KeyboardInterrupt:
            self._display.say(progress.interrupted(operation))
            raise Interrupted from None
        except Exception:
            if watch.has_seen:
                self._display.say(progress.interrupted(operation))
            raise
        finally:
            self._display.clear()


class _Watch:
    """One wait for one operation."""

    def __init__(
        self,
        client: Client,
        display: Display,
        sleep: Callable[[float], None],
        now: Callable[[], datetime],
        uuid: str,
        bay: str,
    ) -> None:
        self._client = client
        self._display = display
        self._sleep = sleep
        self._now = now
        self._uuid = uuid
        self._bay = bay
        self._operation: dict[str, Any] | None = None
        self._event: dict[str, Any] | None = None
        self._patience = Patience(now)
        self._trouble = ""
        self._told: tuple[Any, ...] | None = None
        self._explained: tuple[Any, ...] | None = None

    @property
    def has_seen(self) -> bool:
        """Whether there is such an operation."""
        return self._operation is not None

    def run(self) -> dict[str, Any]:
        """The operation, once it has ended."""
        pause = FIRST_PAUSE
        while True:
            changed = self._look()
            operation = self._operation
            if operation is not None:
                if operation["state"] in progress.ENDED:
                    self._display.say(progress.step(operation, self._bay, self._now()))
                    return operation
                self._show(operation)
            pause = FIRST_PAUSE if changed else min(pause * GROWTH, LONGEST_PAUSE)
            self._rest(pause)

    def _look(self) -> bool:
        """Ask for the operation and for what has happened since; whether anything is new."""
        try:
            found = self._client.get("operations", self._uuid)
            marker = None if self._event is None else self._event["id"]
            events = list(self._client.pages("operations", self._uuid, "events", marker=marker))
        except AWAY as error:
            self._bear(error)
            return False
        changed = self._operation is None or progress.mark(found) != progress.mark(self._operation)
        self._operation, self._trouble = found, ""
        self._patience.reward()
        for event in events:
            self._event = event
            if not self._display.is_terminal:
                self._display.say(progress.happened(event))
        return changed or bool(events)

    def _bear(self, error: Exception) -> None:
        """Say that the API is away, unless that is no matter of patience."""
        self._patience.bear(error)
        if not self._trouble and not self._display.is_terminal:
            self._display.say("The API does not answer; it is asked again.")
        self._trouble = "(the API does not answer; it is asked again)"

    def _show(self, operation: dict[str, Any]) -> None:
        self._explain(operation)
        if not self._display.is_terminal:
            mark = progress.mark(operation)
            if mark != self._told:
                self._told = mark
                self._display.say(progress.step(operation, self._bay, self._now()))
            return
        line = progress.live(
            operation, self._bay, self._event, self._now(), self._display.width, self._trouble
        )
        self._display.draw(line)

    def _explain(self, operation: dict[str, Any]) -> None:
        """Say once what somebody has to do, in words that stay."""
        if operation["state"] != progress.BLOCKED:
            self._explained = None
            return
        error = operation["error"] or {}
        obstacle = (error.get("code"), error.get("text"))
        if obstacle != self._explained:
            self._explained = obstacle
            self._display.say(progress.blocked(operation))

    def _rest(self, seconds: float) -> None:
        """Let time pass; on a terminal the line goes on counting it."""
        while seconds > 0:
            self._sleep(min(seconds, TICK))
            seconds -= TICK
            if seconds > 0 and self._operation is not None and self._display.is_terminal:
                self._show(self._operation)
