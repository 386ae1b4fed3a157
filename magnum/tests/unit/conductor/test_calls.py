"""Threads for calls: room, and drivers that hang."""

import threading
import time
from collections.abc import Callable

import pytest

from magnum.conductor.calls import Calls


class FakeAnswerer:
    """Answers when the test lets it. Those that it counts as slow are told to it."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun: list[int] = []
        self.slow_ones = 0
        self.error: Exception | None = None

    def slow(self, driver: str | None = None) -> int:
        return self.slow_ones

    def answer(self, call_id: int) -> bool:
        self.begun.append(call_id)
        if self.error:
            raise self.error
        assert self.gate.wait(10)
        return True


@pytest.fixture
def answerer() -> FakeAnswerer:
    return FakeAnswerer()


@pytest.fixture
def pool(answerer: FakeAnswerer) -> Calls:
    return Calls(answerer, 2)  # type: ignore[arg-type]


def soon(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_what_does_not_fit_waits(pool: Calls, answerer: FakeAnswerer) -> None:
    assert not pool.lively
    assert [pool.submit(number) for number in (1, 2, 3)] == [True, True, False]
    assert pool.submit(1), "it is at it already"
    assert (pool.free(), pool.lively) == (0, True)
    answerer.gate.set()
    soon(lambda: pool.free() == 2)
    assert sorted(answerer.begun) == [1, 2]


def test_those_that_hang_leave_room_for_as_many_others(pool: Calls, answerer: FakeAnswerer) -> None:
    for number in (1, 2):
        pool.submit(number)
    answerer.slow_ones = 2
    assert pool.free() == 2
    for number in (3, 4):
        assert pool.submit(number)
    soon(lambda: sorted(answerer.begun) == [1, 2, 3, 4])
    answerer.slow_ones = 4
    assert pool.free() == 0, "there is an end to it"
    answerer.gate.set()


def test_one_that_breaks_is_over_and_its_words_are_not_logged(
    pool: Calls, answerer: FakeAnswerer, caplog: pytest.LogCaptureFixture
) -> None:
    answerer.error = RuntimeError("s3cr3t")
    pool.submit(7)
    soon(lambda: pool.free() == 2)
    assert "Call 7 was broken off: RuntimeError" in caplog.text
    assert "s3cr3t" not in caplog.text


def test_the_end_waits_for_answers_but_not_for_ever(pool: Calls, answerer: FakeAnswerer) -> None:
    pool.submit(1)
    assert not pool.drain(0.05)
    assert (pool.free(), pool.submit(2)) == (0, False)
    answerer.gate.set()
    assert pool.drain(10)
