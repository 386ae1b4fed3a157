"""The health loop of a conductor: takes the bays that are due, asks their monitors in a few threads, writes the news.

A look that hangs is given up: its thread goes on alone, and what it may say later counts for nothing. Nothing of this
touches the operations: they have threads of their own.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from magnum.conf import CONF
from magnum.db.models import Bay
from magnum.drivers.contract import Health
from magnum.lifecycle.health import Watcher, unknown

LOG = logging.getLogger(__name__)

#: Seconds between two rounds at most.
_ROUND = 20.0
#: Bays that are claimed at once, for each thread: not more than can be looked at before they are due again.
_BATCH = 6
#: How many intervals without anything due make a fleet an idle one, in which it is enough to look once in each.
_IDLE = 2


def pause() -> float:
    """Seconds between two rounds."""
    return min(_ROUND, float(CONF.health.interval) / 3)


@dataclass(slots=True, eq=False)
class _Look:
    """One look, in a thread of its own; ``health`` is set at its end."""

    bay: Bay
    began: float
    health: Health | None = None
    given_up: bool = False


class Rounds:
    """Takes rounds; :meth:`round` is called every :func:`pause` by one thread."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._changed = threading.Condition()
        #: Looks that hang, by the id of their bay.
        self._hanging: dict[int, _Look] = {}
        self._last = time.monotonic()
        self._found = self._asked = -float("inf")
        self._allowed = 0.0

    def round(self) -> None:
        """Look at all that is due, as far as the limit of looks per minute allows."""
        moment = time.monotonic()
        per_minute = CONF.health.looks_per_minute
        self._allowed = min(per_minute, self._allowed + per_minute * self._elapsed(moment) / 60)
        if self._idle(moment) or not self._watcher.prepare():
            return
        self._asked = moment
        while (limit := min(_BATCH * CONF.health.threads, int(self._allowed))) > 0:
            # From when they are due until the next round some time passes too.
            bays = self._watcher.claim(limit, CONF.health.interval - pause())
            if not bays:
                return
            self._found = time.monotonic()
            self._allowed -= len(bays)
            self._watcher.write(self._all(bays))
            if len(bays) < limit:
                return

    def _elapsed(self, moment: float) -> float:
        """Seconds since the last round, and never less than between two."""
        elapsed, self._last = moment - self._last, moment
        return max(pause(), elapsed)

    def _idle(self, moment: float) -> bool:
        interval = CONF.health.interval
        lively = moment < self._found + _IDLE * interval
        return not lively and moment < self._asked + interval

    # --- the threads -------------------------------------------------------------------------------------------------

    def _all(self, bays: Sequence[Bay]) -> list[tuple[Bay, Health]]:
        """What is seen of these, each within the time for a look."""
        todo, running = deque(bays), set[_Look]()
        found: list[tuple[Bay, Health]] = []
        with self._changed:
            while todo or running:
                while todo and len(running) < CONF.health.threads:
                    bay = todo.popleft()
                    if self._left_alone(bay):
                        found.append((bay, unknown("the driver's monitor does not come back")))
                    else:
                        running.add(self._begin(bay))
                if running:
                    first = min(look.began for look in running)
                    self._changed.wait(max(0.0, first + CONF.health.timeout - time.monotonic()))
                for look in [one for one in running if self._over(one)]:
                    running.remove(look)
                    found.append((look.bay, look.health or self._give_up(look)))
        return found

    def _left_alone(self, bay: Bay) -> bool:
        of_driver = sum(1 for look in self._hanging.values() if look.bay.driver == bay.driver)
        return bay.id in self._hanging or of_driver >= CONF.health.threads

    def _over(self, look: _Look) -> bool:
        late = time.monotonic() >= look.began + CONF.health.timeout
        return look.health is not None or late

    def _give_up(self, look: _Look) -> Health:
        LOG.warning(
            "The monitor of driver %s does not come back from bay %s.",
            look.bay.driver,
            look.bay.uuid,
        )
        look.given_up = True
        self._hanging[look.bay.id] = look
        return unknown(f"the driver's monitor did not come back within {CONF.health.timeout:g} s")

    def _begin(self, bay: Bay) -> _Look:
        look = _Look(bay, time.monotonic())
        # Not of a pool: nobody waits for these threads when the process ends.
        threading.Thread(target=self._run, args=(look,), name="look", daemon=True).start()
        return look

    def _run(self, look: _Look) -> None:
        health = self._watcher.look(look.bay)
        with self._changed:
            look.health = health
            if look.given_up:
                del self._hanging[look.bay.id]
            self._changed.notify_all()
