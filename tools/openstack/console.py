"""How the tools speak to a person: progress lines with elapsed seconds, and one-sentence errors.

The lowest module of ``tools.openstack``: it imports nothing of ours.
"""

import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

_CLEAR = "\r\033[K"  # to the start of the line, and empty it


class Trouble(Exception):
    """Something a person has to know or decide: what is wrong, and what to do next.

    The text is the whole message; the tools print it without a traceback and end with status 1.
    """


class Progress:
    """Prints what is going on, each line with the seconds since the start. Safe from many threads.

    :param began: what ``time.monotonic()`` was at the start; for a program that goes on in another process.
    """

    def __init__(self, quiet: bool = False, began: float | None = None) -> None:
        self._quiet = quiet
        self._start = time.monotonic() if began is None else began
        self._lock = threading.Lock()
        self._live = not quiet and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"

    @property
    def elapsed(self) -> float:
        """Seconds since this object was made."""
        return time.monotonic() - self._start

    def __call__(self, text: str) -> None:
        """Print one line; several threads may call this."""
        if self._quiet:
            return
        with self._lock:
            print(f"{_CLEAR if self._live else ''}{self.elapsed:6.1f} s  {text}", flush=True)

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Turn a spinner beside ``text`` while the block runs; nothing at all where there is no terminal."""
        if not self._live:
            yield
            return
        over = threading.Event()
        spinner = threading.Thread(target=self._spin, args=(text, over), daemon=True)
        spinner.start()
        try:
            yield
        finally:
            over.set()
            spinner.join()

    def _spin(self, text: str, over: threading.Event) -> None:
        for sign in itertools.cycle("|/-\\"):
            with self._lock:
                print(f"{_CLEAR}{self.elapsed:6.1f} s  {text} {sign}", end="", flush=True)
            if over.wait(0.15):
                break
        with self._lock:
            print(_CLEAR, end="", flush=True)


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
