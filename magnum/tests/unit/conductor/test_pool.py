"""The pool of a conductor: what is submitted is run, never twice at the same time, and not too seldom either."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from magnum.conductor.pool import Pool

PATIENCE = 30.0


class FakeWorker:
    """Passes that the test ends by hand. ``next_in`` is what a pass answers, the last one for ever."""

    def __init__(self, *next_in: float | Exception | None) -> None:
        self.next_in = list(next_in) or [None]
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self.running: set[int] = set()
        self.passes = 0

    def run(self, operation_id: int) -> float | None:
        """One pass."""
        assert operation_id not in self.running, "twice at the same time"
        self.running.add(operation_id)
        self.passes += 1
        self.begun.release()
        assert self.may_end.acquire(timeout=PATIENCE)
        self.running.discard(operation_id)
        answer = self.next_in.pop(0) if len(self.next_in) > 1 else self.next_in[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def began(self) -> None:
        """Wait for one more pass to begin."""
        assert self.begun.acquire(timeout=PATIENCE)


@pytest.fixture
def pools() -> Iterator[Callable[..., Pool]]:
    made: list[Pool] = []
    workers: list[FakeWorker] = []

    def make(worker: FakeWorker, threads: int = 2) -> Pool:
        pool = Pool(worker, threads)  # type: ignore[arg-type]
        made.append(pool)
        workers.append(worker)
        return pool

    yield make
    for worker in workers:
        worker.may_end.release(1000)
    for pool in made:
        assert pool.drain(PATIENCE)


Make = Any


def test_a_submission_during_a_pass_is_one_more_pass(pools: Make) -> None:
    worker = FakeWorker()
    pool = pools(worker)
    assert pool.submit(7)
    worker.began()
    for _ in range(5):
        assert pool.submit(7)
    worker.may_end.release()
    worker.began()
    worker.may_end.release()
    assert pool.drain(PATIENCE)
    assert worker.passes == 2


def test_a_submission_does_not_wait_for_what_is_due_soon(pools: Make) -> None:
    worker = FakeWorker(0.9, None)
    pool = pools(worker)
    pool.submit(7)
    worker.began()
    worker.may_end.release()
    pool.submit(7)
    worker.began()
    worker.may_end.release()
    assert pool.drain(PATIENCE)
    assert worker.passes in (2, 3)


def test_one_that_has_ended_can_be_submitted_again(pools: Make) -> None:
    worker = FakeWorker()
    pool = pools(worker)
    for number in range(1, 50):
        assert pool.submit(7)
        worker.began()
        worker.may_end.release()
        assert worker.passes == number
        with pool._changed:
            assert pool._changed.wait_for(lambda: not pool._busy, PATIENCE)
    assert pool.free() == 2


def test_what_does_not_fit_is_refused(pools: Make) -> None:
    worker = FakeWorker()
    pool = pools(worker)
    assert pool.submit(1)
    assert pool.submit(2)
    worker.began()
    worker.began()
    assert pool.free() == 0
    assert not pool.submit(3)
    assert pool.submit(1)


def test_a_pass_that_is_broken_off_frees_its_place(
    pools: Make, caplog: pytest.LogCaptureFixture
) -> None:
    worker = FakeWorker(RuntimeError("no database"))
    pool = pools(worker, 1)
    for _ in range(3):
        assert pool.submit(7)
        worker.began()
        worker.may_end.release()
        with pool._changed:
            assert pool._changed.wait_for(lambda: not pool._busy, PATIENCE)
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 3


def test_a_pool_that_drains_begins_nothing_more(pools: Make) -> None:
    worker = FakeWorker(0.5)
    pool = pools(worker)
    pool.submit(7)
    worker.began()
    pool.submit(7)
    assert not pool.drain(0)
    worker.may_end.release()
    assert pool.drain(PATIENCE)
    assert worker.passes == 1
    assert not pool.submit(8)


def test_submissions_from_many_threads_are_never_lost() -> None:
    """After each submission that was taken, a pass begins that began later than it."""

    class Counting:
        def __init__(self) -> None:
            self.asked = self.seen = 0

        def run(self, operation_id: int) -> None:
            self.seen = self.asked

    worker = Counting()
    pool = Pool(worker, 1)  # type: ignore[arg-type]

    def ask() -> None:
        for _ in range(300):
            worker.asked += 1
            assert pool.submit(7)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    with pool._changed:
        assert pool._changed.wait_for(lambda: not pool._busy, PATIENCE)
    assert worker.seen == worker.asked
    assert pool.drain(PATIENCE)


# --- passes that hang ------------------------------------------------------------------------------------------------


class HangingWorker:
    """The first pass of each operation that is named hangs until the test ends; the next ones return at once."""

    def __init__(self, *hanging: int) -> None:
        self._hanging = set(hanging)
        self._lock = threading.Lock()
        self.let_go = threading.Event()
        self.hangs = threading.Semaphore(0)
        self.done: list[int] = []

    def run(self, operation_id: int) -> float | None:
        """One pass."""
        with self._lock:
            hangs = operation_id in self._hanging
            self._hanging.discard(operation_id)
        if hangs:
            self.hangs.release()
            assert self.let_go.wait(PATIENCE)
        with self._lock:
            self.done.append(operation_id)
        return None


def a_pool_in_which_hang(*hanging: int, threads: int = 2) -> tuple[HangingWorker, Pool]:
    """A pool whose passes are given up at once."""
    worker = HangingWorker(*hanging)
    pool = Pool(worker, threads, stuck_seconds=0)  # type: ignore[arg-type]
    for operation_id in hanging:
        assert pool.submit(operation_id)
        assert worker.hangs.acquire(timeout=PATIENCE)
    return worker, pool


def settled(pool: Pool, alive: int) -> None:
    """Wait until so many passes are left."""
    with pool._changed:
        assert pool._changed.wait_for(
            lambda: len(pool._busy) + len(pool._given_up) == alive, PATIENCE
        )


def test_passes_that_hang_do_not_take_the_room_of_others() -> None:
    worker, pool = a_pool_in_which_hang(1, 2)
    assert (pool.stuck(), pool.free()) == (2, 2)
    assert pool.submit(3)
    settled(pool, 2)
    assert worker.done == [3]
    worker.let_go.set()
    settled(pool, 0)
    assert (pool.stuck(), pool.free()) == (0, 2)
    assert pool.drain(PATIENCE)


def test_an_operation_whose_pass_hangs_may_be_run_anew() -> None:
    worker, pool = a_pool_in_which_hang(1)
    assert pool.submit(1)
    settled(pool, 1)
    assert worker.done == [1]
    assert pool.stuck() == 1
    worker.let_go.set()
    settled(pool, 0)
    assert worker.done == [1, 1]
    assert pool.drain(PATIENCE)


def test_there_is_room_for_no_more_that_hang_than_there_are_threads() -> None:
    worker, pool = a_pool_in_which_hang(1, 2, threads=1)
    assert pool.free() == 0
    assert not pool.submit(3)
    worker.let_go.set()
    assert pool.drain(PATIENCE)
