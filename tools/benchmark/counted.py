"""Our processes with their SQL statements counted: ``python -m tools.benchmark.counted`` is a conductor.

Importing this module begins the count. Each process counts in a file of its own in the folder that ``BENCH_COUNTS``
names, so that whoever measures can read it at any time. BEGIN and COMMIT are not statements but transactions.
"""

import mmap
import os
import struct
import sys
import threading
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

VARIABLE = "BENCH_COUNTS"
_FORMAT = struct.Struct("QQ")


class _Counter:
    """Counts in a file: statements, then transactions. Made anew in each process that a fork makes."""

    def __init__(self, folder: Path) -> None:
        path = folder / str(os.getpid())
        path.write_bytes(bytes(_FORMAT.size))
        self._pid = os.getpid()
        self._folder = folder
        self._lock = threading.Lock()
        with path.open("r+b") as file:
            self._counts = mmap.mmap(file.fileno(), _FORMAT.size)

    def here(self) -> "_Counter":
        """The counter of the process that asks."""
        if self._pid != os.getpid():
            self.__init__(self._folder)  # type: ignore[misc]
        return self

    def add(self, *more: int) -> None:
        with self._lock:
            counts = _FORMAT.unpack(self._counts)
            self._counts[:] = _FORMAT.pack(*map(sum, zip(counts, more, strict=True)))


def read(folder: Path) -> tuple[int, int]:
    """Statements and transactions that all processes with this folder have sent so far."""
    each = [_FORMAT.unpack(path.read_bytes()) for path in folder.iterdir()]
    return sum(counts[0] for counts in each), sum(counts[1] for counts in each)


def _begin(folder: Path) -> None:
    counter = _Counter(folder)

    def statement(*_: Any) -> None:
        counter.here().add(1, 0)

    def transaction(*_: Any) -> None:
        counter.here().add(0, 1)

    event.listen(Engine, "before_cursor_execute", statement)
    event.listen(Engine, "begin", transaction)


if VARIABLE in os.environ:
    _begin(Path(os.environ[VARIABLE]))

if __name__ == "__main__":
    from magnum.cmd import conductor

    sys.exit(conductor.main())
