"""One run from beginning to end: have everything running, ask and break, wait, judge."""

import dataclasses
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from tools.chaos_run import ground, plan, tally, verdict
from tools.chaos_run.asks import People, name
from tools.chaos_run.faults import Breaker
from tools.chaos_run.ground import Ground
from tools.chaos_run.plan import Plan
from tools.chaos_run.verdict import Evidence
from tools.openstack.console import Progress

LOG = logging.getLogger(__name__)

#: Seconds between two lines that say how it goes.
_NEWS = 2.0
#: Part of Heat's notifications that is lost, and that comes twice.
_LOST = 0.1
#: Seconds without any change in the cloud until nothing more is expected there.
_QUIET = 3.0
_WHY = "ResourceInError: the stand-in server went to status ERROR: No space left for it"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be run. ``seconds`` of faults, then ``patience`` seconds at most until all is done.

    ``state`` is a folder for data and logs; ``keep`` a file for the evidence, None for none.
    """

    seed: int
    seconds: float
    bays: int
    conductors: int
    database: str
    patience: float
    state: Path
    keep: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went: a table, and every break of a rule."""

    tally: Sequence[str]
    broken: Sequence[str]


def run(wish: Wish, say: Progress) -> Outcome:
    """Run it.

    :raises Trouble: when a server or process does not come up.
    """
    made = plan.make(wish.seed, wish.seconds, wish.bays, wish.conductors)
    wish.state.mkdir(parents=True, exist_ok=True)
    for log in (wish.state / "log").glob("*.log"):
        log.unlink()
    with ground.standing(wish.state, wish.database, made, say) as standing:
        _doom(standing, made)
        standing.standin.bus(lose=_LOST, double=_LOST)
        people, breaker = People(standing, made), Breaker(standing, made)
        say(f"seed {wish.seed}: {len(made.asks)} requests, {len(made.faults)} faults")
        people.run()
        breaker.run()
        waiting = _Waiting(standing, people, breaker, say)
        waiting(lambda: False, wish.seconds)
        breaker.stop()
        say("no more faults; putting right what is broken")
        in_time = waiting(breaker.is_well, wish.patience)
        began = time.monotonic()
        in_time &= waiting(lambda: people.wait(0) and _settled(standing), wish.patience)
        settled = time.monotonic() - began
        evidence = verdict.gather(standing.engine, standing.standin, made, people.wanted)
        if wish.keep:
            _keep(evidence, wish.keep)
        broken = verdict.broken(evidence)
        if not in_time:
            broken.insert(0, f"not all was done {wish.patience:.0f} s after the last fault")
        return Outcome(list(tally.lines(evidence, people, breaker, settled)), broken)


def _doom(standing: Ground, made: Plan) -> None:
    """Have the creation of some bays fail for good."""
    for number in made.doomed:
        failed = {"path": "nodes / 0 / server", "type": "OS::Nova::Server", "reason": _WHY}
        standing.standin.ending(stack=f"^{name(number)}", times=None, resources=[failed])


@dataclass
class _Waiting:
    """Waits for things, and says every couple of seconds how it goes."""

    standing: Ground
    people: People
    breaker: Breaker
    say: Progress
    _said: float = 0.0

    def __call__(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait so long at most; whether the condition came true. Raises what broke people or the breaking."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.breaker.check()
            self.people.wait(0)
            if condition():
                return True
            if time.monotonic() > self._said + _NEWS:
                self._said = time.monotonic()
                self.say(self._news())
            time.sleep(0.2)
        return False

    def _news(self) -> str:
        try:
            work = f"{verdict.unfinished(self.standing.engine)} operations under way"
        except sa.exc.SQLAlchemyError:
            work = "the database is away"
        last = self.breaker.log[-1].split("s  ", 1)[-1] if self.breaker.log else "nothing yet"
        return f"{self.people.left} requests to come, {work}; broken last: {last}"


def _settled(standing: Ground) -> bool:
    """Whether nothing is left to do, and nothing comes late any more."""
    try:
        return verdict.unfinished(standing.engine) == 0 and standing.standin.quiet() > _QUIET
    except sa.exc.SQLAlchemyError:
        return False


def _keep(evidence: Evidence, file: Path) -> None:
    record = [dataclasses.asdict(row) for row in evidence.record]
    found = {"stacks": evidence.stacks, "requests": evidence.requests, "record": record}
    file.write_text(json.dumps(found, indent=1, default=str))
