"""How the tools speak to a person: progress lines with elapsed seconds, and one-sentence errors.

The lowest module of ``tools.openstack``: it imports nothing of ours.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn


class Trouble(Exception):
    """Something a person has to know or decide: what is wrong, and what to do next.

    The text is the whole message; the tools print it without a traceback and end with status 1.
    """


class Progress:
    """Prints what is going on, each line with the seconds since the start. Safe from many threads."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._start = time.monotonic()
        self._lock = threading.Lock()

    @property
    def elapsed(self) -> float:
        """Seconds since this object was made."""
        return time.monotonic() - self._start

    def __call__(self, text: str) -> None:
        """Print one line; several threads may call this."""
        if self._quiet:
            return
        with self._lock:
            print(f"{self.elapsed:6.1f} s  {text}", flush=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Announce ``text`` at once, and say how long the block took when it ends well."""
        began = time.monotonic()
        self(f"{text} ...")
        yield
        self(f"{text}: done in {time.monotonic() - began:.1f} s")


def run(main: Callable[[], int]) -> NoReturn:
    """Call ``main`` and leave the process with its answer; a ``Trouble`` becomes one line on stderr."""
    try:
        code = main()
    except Trouble as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        print("interrupted; run the same command again to go on", file=sys.stderr)
        code = 130
    sys.exit(code)
