"""A clock for tests of circuit breakers: it stands until a test moves it."""

import circuitbreaker
import pytest

from magnum.identity import breaker


class Clock:
    """The breakers' clock, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def moved_by_hand(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the breakers a clock of their own, and return it."""
    made = Clock()
    monkeypatch.setattr(circuitbreaker, "monotonic", made)
    monkeypatch.setattr(breaker, "monotonic", made)
    return made
