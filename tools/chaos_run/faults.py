"""The breaking: carries out the faults of a plan, each in a thread of its own, and puts right what they left.

A part that is broken already is left alone: a fault that comes meanwhile is counted as skipped.
"""

import logging
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tools.chaos_run.ground import API, Ground, conductor
from tools.chaos_run.plan import Fault, Kind, Plan

LOG = logging.getLogger(__name__)

#: How long a service holds passes up where a conductor is to be stopped, and when that is, in seconds.
_HOLD, _STRIKE = 1.5, 0.7
#: Seconds that a fault waits for a conductor that is not broken already.
_SOON = 5.0


class _BusyError(Exception):
    """What was to be broken is broken already."""


class Breaker:
    """Breaks things. ``done`` and ``skipped`` count by kind."""

    def __init__(self, ground: Ground, plan: Plan) -> None:
        self.done: Counter[Kind] = Counter()
        self.skipped: Counter[Kind] = Counter()
        self.log: list[str] = []
        self._ground = ground
        self._plan = plan
        self._threads: list[threading.Thread] = []
        self._errors: list[BaseException] = []
        self._end = threading.Event()

    def run(self) -> None:
        """Begin; the plan's time begins now."""
        self._began = time.monotonic()
        leader = threading.Thread(target=self._all, name="faults", daemon=True)
        leader.start()
        self._threads.append(leader)

    def stop(self) -> None:
        """Break nothing more, and begin to put everything right; :meth:`is_well` says when that is done."""
        self._end.set()
        self._ground.standin.well()

    def is_well(self) -> bool:
        """Whether nothing is broken any more, after :meth:`stop`."""
        return not any(thread.is_alive() for thread in self._threads)

    def check(self) -> None:
        """Raise what went wrong in the breaking."""
        if self._errors:
            raise self._errors[0]

    def _all(self) -> None:
        for fault in self._plan.faults:
            if self._end.wait(max(0.0, fault.at - (time.monotonic() - self._began))):
                return
            thread = threading.Thread(target=self._one, args=(fault,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _one(self, fault: Fault) -> None:
        try:
            _DO[fault.kind](self, fault)
        except _BusyError:
            self.skipped[fault.kind] += 1
            return
        except BaseException as error:
            self._errors.append(error)
            raise
        self.done[fault.kind] += 1
        self.log.append(str(fault))

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        lock = self._ground.lock(name)
        if not lock.acquire(blocking=False):
            raise _BusyError(name)
        try:
            yield
        finally:
            lock.release()

    # --- processes -----------------------------------------------------------------------------------------------

    @contextmanager
    def _a_conductor(self, wanted: int) -> Iterator[int]:
        """The wanted conductor alone, or the next one that nobody is breaking, or will not be breaking soon."""
        end = time.monotonic() + _SOON
        while time.monotonic() < end and not self._end.is_set():
            for step in range(self._plan.conductors):
                number = (wanted + step) % self._plan.conductors
                if self._ground.lock(conductor(number)).acquire(blocking=False):
                    try:
                        yield number
                    finally:
                        self._ground.lock(conductor(number)).release()
                    return
            time.sleep(0.05)
        raise _BusyError("every conductor")

    def _kill(self, fault: Fault) -> None:
        with self._a_conductor(fault.target) as number:
            self._ground.kill(conductor(number))
            self._end.wait(fault.lasts)
            self._ground.start_conductor(number)

    def _freeze(self, fault: Fault) -> None:
        with self._a_conductor(fault.target) as number:
            self._stop(number, fault.lasts)

    def _stop(self, number: int, seconds: float) -> None:
        name = conductor(number)
        self._ground.send(name, signal.SIGSTOP)
        # Not cut short at the end: a process that wakes up late is the point of it.
        time.sleep(seconds)
        self._ground.send(name, signal.SIGCONT)

    def _ambush(self, fault: Fault) -> None:
        """Stop a conductor whose passes have claimed and wait for a token, before they ask Heat for anything."""
        standin = self._ground.standin
        late = {"hang": _HOLD, "do": True, "lasts": _HOLD}
        with self._a_conductor(fault.target) as number:
            standin.behave(service="identity", method="POST", path="/auth/tokens", **late)
            standin.revoke_tokens()
            self._end.wait(_STRIKE)
            self._stop(number, fault.lasts)

    def _trap(self, fault: Fault) -> None:
        """Stop a conductor whose passes wait for Heat's answer: they have it at once when their claims are lost."""
        with self._a_conductor(fault.target) as number:
            self._ground.standin.behave(service="orchestration", hang=_HOLD, do=True, lasts=_HOLD)
            self._end.wait(_STRIKE)
            self._stop(number, fault.lasts)

    def _api(self, fault: Fault) -> None:
        with self._alone(API):
            self._ground.kill(API)
            self._end.wait(fault.lasts)
            self._ground.start_api()

    def _broker(self, fault: Fault) -> None:
        with self._alone("broker"):
            self._ground.stop_broker(fault.politely)
            self._end.wait(fault.lasts)
            self._ground.start_broker()

    def _database(self, fault: Fault) -> None:
        with self._alone("database"):
            self._ground.stop_database(fault.politely)
            self._end.wait(fault.lasts)
            self._ground.start_database()

    # --- services ------------------------------------------------------------------------------------------------

    def _heat_error(self, fault: Fault) -> None:
        self._rule(fault, status=fault.status)

    def _heat_hangs(self, fault: Fault) -> None:
        self._rule(fault, hang=fault.hangs, lose=True)

    def _heat_late(self, fault: Fault) -> None:
        # What changes something is what matters: a look that comes late harms nobody.
        self._rule(fault, hang=fault.hangs, do=True, method="POST")
        self._rule(fault, hang=fault.hangs, do=True, method="PATCH")

    def _heat_lost(self, fault: Fault) -> None:
        self._rule(fault, do=True, lose=True)

    def _keystone_error(self, fault: Fault) -> None:
        self._rule(fault, service="identity", method="POST", status=fault.status)
        self._ground.standin.revoke_tokens()

    def _tokens(self, fault: Fault) -> None:
        self._ground.standin.revoke_tokens()

    def _rule(self, fault: Fault, **rule: object) -> None:
        more = {"probability": fault.probability, "lasts": fault.lasts}
        self._ground.standin.behave(**{"service": "orchestration", **more, **rule})


_DO: dict[Kind, Callable[[Breaker, Fault], None]] = {
    Kind.KILL: Breaker._kill,
    Kind.FREEZE: Breaker._freeze,
    Kind.AMBUSH: Breaker._ambush,
    Kind.TRAP: Breaker._trap,
    Kind.BROKER: Breaker._broker,
    Kind.DATABASE: Breaker._database,
    Kind.API: Breaker._api,
    Kind.HEAT_ERROR: Breaker._heat_error,
    Kind.HEAT_HANGS: Breaker._heat_hangs,
    Kind.HEAT_LATE: Breaker._heat_late,
    Kind.HEAT_LOST: Breaker._heat_lost,
    Kind.KEYSTONE_ERROR: Breaker._keystone_error,
    Kind.TOKENS: Breaker._tokens,
}
