"""The small memory of a process."""

import threading

from magnum.common.remembered import Remembered


class Clock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_value_is_remembered_for_its_time() -> None:
    clock = Clock()
    memory = Remembered[str, int](10, clock)
    assert memory.get("a") is None
    memory.set("a", 1, time=5)
    clock.now += 4.9
    assert memory.get("a") == 1
    clock.now += 0.1
    assert memory.get("a") is None


def test_the_oldest_goes_first() -> None:
    memory = Remembered[str, str](2)
    for key in ("a", "b", "a", "c"):
        memory.set(key, key, time=60)
    assert [memory.get(key) for key in ("a", "b", "c")] == ["a", None, "c"]


def test_nothing_may_be_remembered() -> None:
    for memory, time in ((Remembered[str, int](0), 60), (Remembered[str, int](10), 0)):
        memory.set("a", 1, time=time)
        assert memory.get("a") is None


def test_everything_may_be_forgotten() -> None:
    memory = Remembered[str, int](10)
    memory.set("a", 1, time=60)
    memory.clear()
    assert memory.get("a") is None
    assert memory


def test_many_threads_may_remember() -> None:
    memory = Remembered[str, int](20)

    def work() -> None:
        for number in range(2000):
            memory.set(str(number % 50), number, time=60)
            memory.get(str((number + 7) % 50))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(memory) == 20
