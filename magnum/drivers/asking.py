"""Asking a driver's code, which may raise anything and may never come back: in a thread of its own, for a while."""

import contextvars
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call of the driver's code ended: what it returned or raised, and how long it took, in seconds.

    ``thread`` is where it still runs, if it has not come back.
    """

    came_back: bool
    answer: object
    seconds: float
    thread: threading.Thread


def within(patience: float, call: Callable[[], object], name: str) -> Ended:
    """Call the driver's code in a thread of its own, in this one's context, and wait for it for so many seconds."""
    found: list[object] = []

    def ask() -> None:
        try:
            found.append(call())
        except BaseException as error:  # noqa: BLE001 - the driver's border: whatever comes out of it is an answer
            found.append(error)

    begun = time.monotonic()
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(ask,), name=name, daemon=True)
    thread.start()
    thread.join(patience)
    return Ended(bool(found), found[0] if found else None, time.monotonic() - begun, thread)
