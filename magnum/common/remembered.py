"""A small memory of one process: what was learned stays known for a while, and only so much of it."""

import threading
import time as clocks
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Values by key, each until its time is over. At most ``size`` of them: the oldest goes first. Thread-safe."""

    def __init__(self, size: int, clock: Callable[[], float] = clocks.monotonic) -> None:
        self._size = size
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, or None where there is none or its time is over."""
        entry = self._entries.get(key)
        return entry[1] if entry is not None and self._clock() < entry[0] else None

    def set(self, key: K, value: V, time: float) -> None:
        """Remember a value for ``time`` seconds; 0 remembers nothing."""
        with self._lock:
            self._entries.pop(key, None)
            if time <= 0 or self._size <= 0:
                return
            if len(self._entries) >= self._size:
                self._entries.popitem(last=False)
            self._entries[key] = (self._clock() + time, value)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def __bool__(self) -> bool:
        """A memory is one even while it is empty; libraries ask."""
        return True
