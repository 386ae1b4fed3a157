"""Looks at stacks that several operations take at the same time: one request for all of them.

One look at a time is on its way for each project. Whoever wants to look meanwhile joins the others
who wait, and when it is their turn one of them asks for all their stacks together. So nobody is
shown what was seen before he asked, a project whose bays are all being made costs a request or two
per poll however many they are, and a bay that is alone does not wait. Where a look takes long, the
next ones go without waiting any longer.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping

from magnum.drivers.contract import DriverError
from magnum.drivers.heat.stack import StackView

#: Longest wait for one's turn, in seconds.
PATIENCE = 2.0

#: Asks for several stacks by their ids. Those that are gone are missing from the answer.
Together = Callable[[Collection[str]], Mapping[str, StackView]]


class _Party:
    """Those who look with one request."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.over = threading.Event()
        self.found: Mapping[str, StackView] | None = None
        self.error: DriverError | None = None


class SharedLooks:
    """The looks of one process, by project. Safe to share between threads."""

    def __init__(self, patience: float = PATIENCE) -> None:
        """``patience`` is the longest wait for one's turn, in seconds."""
        self._patience = patience
        self._lock = threading.Lock()
        self._gathering: dict[str, _Party] = {}
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def look(
        self, project_id: str, stack_id: str, alone: Callable[[], StackView | None], ask: Together
    ) -> StackView | None:
        """The stack at present, None where it is gone. Raises what ``alone`` and ``ask`` raise.

        ``alone`` is called where nobody else looks at a stack of this project, or where the one who
        asked for all was stopped.
        """
        with self._lock:
            party = self._gathering.get(project_id)
            leads = party is None
            if party is None:
                party = self._gathering[project_id] = _Party()
            party.ids.add(stack_id)
            turn = self._turns[project_id]
        if leads:
            return self._lead(project_id, stack_id, party, turn, alone, ask)
        party.over.wait()
        if party.error is not None:
            raise party.error
        return alone() if party.found is None else party.found.get(stack_id)

    def _lead(
        self,
        project_id: str,
        stack_id: str,
        party: _Party,
        turn: threading.Lock,
        alone: Callable[[], StackView | None],
        ask: Together,
    ) -> StackView | None:
        has_turn = turn.acquire(timeout=self._patience)
        try:
            with self._lock:
                del self._gathering[project_id]
            if len(party.ids) == 1:
                return alone()
            party.found = ask(party.ids)
            return party.found.get(stack_id)
        except DriverError as error:
            party.error = error
            raise
        finally:
            party.over.set()
            if has_turn:
                turn.release()
