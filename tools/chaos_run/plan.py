"""What happens when: requests about bays and faults, as a pure function of seed, length, bays and conductors.

Nothing here knows processes. What a plan brings about differs a little from run to run, because processes race; the
plan does not.
"""

import enum
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

#: What the processes of a run are told, in seconds. Faults are measured by it.
LEASE = 3.0
HEAT_TIMEOUT = 3.0
SETTLE = 10.0


class Verb(enum.StrEnum):
    """What is asked of a bay."""

    CREATE = "create"
    SCALE = "scale"
    SCALE_AND_CANCEL = "scale, and take it back at once"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request about a bay, ``at`` seconds after the start. ``over_http`` says whether the API is asked."""

    at: float
    bay: int
    verb: Verb
    nodes: int = 0
    over_http: bool = False

    def __str__(self) -> str:
        nodes = f" to {self.nodes} nodes" if self.verb is not Verb.DELETE else ""
        how = "over HTTP" if self.over_http else "directly"
        return f"{self.at:7.2f} s  bay {self.bay:3}  {self.verb}{nodes}, {how}"


class Kind(enum.StrEnum):
    """What breaks."""

    KILL = "kill -9 of a conductor"
    FREEZE = "a conductor stopped for longer than its lease"
    AMBUSH = "a conductor stopped between claim and Heat"
    TRAP = "a conductor stopped between Heat and its write"
    BROKER = "restart of the broker"
    DATABASE = "restart of the database"
    API = "kill -9 of the API"
    HEAT_ERROR = "Heat answers an error"
    HEAT_HANGS = "Heat hangs and does nothing"
    HEAT_LATE = "Heat hangs and does it after all"
    HEAT_LOST = "Heat does it and the answer is lost"
    KEYSTONE_ERROR = "Keystone answers an error"
    TOKENS = "all tokens become invalid"


#: Kinds that stop a conductor and wake it up when its lease is over.
STOPS = (Kind.FREEZE, Kind.AMBUSH, Kind.TRAP)


#: Kinds that leave it open for a while whether a creation has reached Heat, or still will.
WORST = (Kind.AMBUSH, Kind.HEAT_LATE, Kind.HEAT_LOST)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, ``at`` seconds after the start.

    ``target`` is the number of a conductor. ``lasts`` is in seconds: how long a process is away, or how long a service
    misbehaves. ``status`` is what is answered, ``hangs`` for how long one request hangs. ``probability`` is that of one
    request to be hit. ``politely`` says whether a server is asked to stop or killed.
    """

    at: float
    kind: Kind
    target: int = 0
    lasts: float = 0.0
    status: int = 500
    hangs: float = 0.0
    probability: float = 1.0
    politely: bool = False

    def __str__(self) -> str:
        more = [f"for {self.lasts:.1f} s"] if self.lasts else []
        if self.kind in (Kind.KILL, *STOPS):
            more.append(f"number {self.target}")
        if self.kind in (Kind.HEAT_ERROR, Kind.KEYSTONE_ERROR):
            more.append(f"status {self.status}")
        if self.hangs:
            more.append(f"each request for {self.hangs:.1f} s")
        if self.probability < 1:
            more.append(f"hitting {self.probability:.0%}")
        if self.kind in (Kind.BROKER, Kind.DATABASE):
            more.append("politely" if self.politely else "killed")
        return f"{self.at:7.2f} s  {self.kind}{': ' if more else ''}{', '.join(more)}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole run. ``doomed`` are the bays whose creation fails for good, because a resource of theirs does."""

    seed: int
    seconds: float
    bays: int
    conductors: int
    asks: tuple[Ask, ...] = field(repr=False)
    faults: tuple[Fault, ...] = field(repr=False)
    doomed: frozenset[int] = frozenset()

    def lines(self) -> Iterator[str]:
        """The plan for people, in the order of time."""
        timed = [(ask.at, str(ask)) for ask in self.asks]
        timed += [(fault.at, str(fault)) for fault in self.faults]
        for _, text in sorted(timed):
            yield text


def make(seed: int, seconds: float, bays: int, conductors: int = 2) -> Plan:
    """The plan for a seed. The same arguments give the same plan, in every version of Python that we support."""
    chance = random.Random(f"{seed}/{seconds}/{bays}/{conductors}")
    faults = sorted(_faults(chance, seconds, conductors), key=lambda fault: fault.at)
    worst = [fault.at for fault in faults if fault.kind in WORST]
    asks = sorted(
        (ask for number in range(bays) for ask in _life(chance, number, seconds, worst)),
        key=lambda ask: ask.at,
    )
    doomed = frozenset(number for number in range(bays) if chance.random() < 0.05)
    return Plan(seed, seconds, bays, conductors, tuple(asks), tuple(faults), doomed)


def _life(chance: random.Random, bay: int, seconds: float, worst: Sequence[float]) -> Iterator[Ask]:
    """What is asked of one bay, in order. ``worst`` are the times at which a creation is best not begun."""

    def ask(at: float, verb: Verb) -> Ask:
        at = round(min(at, seconds * 0.98), 2)
        return Ask(at, bay, verb, chance.randint(1, 5), chance.random() < 0.4)

    if (
        chance.random() < 0.25
    ):  # begun at such a time, and wanted no more before anybody can have finished it
        at = chance.choice(worst) + chance.uniform(0, 0.5)
        yield ask(at, Verb.CREATE)
        yield ask(at + chance.uniform(0.5, 3.5), Verb.DELETE)
        return
    at = chance.uniform(0, 0.65 * seconds)
    yield ask(at, Verb.CREATE)
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        at += chance.uniform(0, 0.25 * seconds)
        yield ask(at, Verb.SCALE_AND_CANCEL if chance.random() < 0.15 else Verb.SCALE)
    if chance.random() < 0.45:
        yield ask(at + chance.uniform(0, 0.3 * seconds), Verb.DELETE)


#: How often each kind comes, beside the others.
_WEIGHTS = {
    Kind.KILL: 4,
    Kind.FREEZE: 5,
    Kind.AMBUSH: 4,
    Kind.TRAP: 4,
    Kind.BROKER: 1,
    Kind.DATABASE: 1,
    Kind.API: 1,
    Kind.HEAT_ERROR: 3,
    Kind.HEAT_HANGS: 3,
    Kind.HEAT_LATE: 5,
    Kind.HEAT_LOST: 4,
    Kind.KEYSTONE_ERROR: 2,
    Kind.TOKENS: 2,
}
#: Servers that take a while to come back; seconds that are left between two restarts of one.
_SLOW = {Kind.BROKER: 45.0, Kind.DATABASE: 30.0}
#: Seconds between two faults on average, beside the one of each kind that every plan has.
_PAUSE = 4.0


def _faults(chance: random.Random, seconds: float, conductors: int) -> Iterator[Fault]:
    """One of each kind somewhere, and more at random all the time."""
    last = dict.fromkeys(_SLOW, -1000.0)
    times = [(chance.uniform(0.05, 0.85) * seconds, kind) for kind in Kind]
    at = chance.expovariate(1 / _PAUSE)
    while at < 0.95 * seconds:
        (kind,) = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
        times.append((at, kind))
        at += chance.expovariate(1 / _PAUSE)
    for at, kind in sorted(times):
        if kind in _SLOW:
            if at < last[kind] + _SLOW[kind]:
                continue
            last[kind] = at
        yield _fault(chance, at, kind, conductors)


def _fault(chance: random.Random, at: float, kind: Kind, conductors: int) -> Fault:
    lasts, hangs, probability = 0.0, 0.0, 1.0
    if kind in (Kind.KILL, Kind.API, Kind.BROKER, Kind.DATABASE):
        lasts = chance.uniform(0.5, 3)
    elif kind in STOPS:
        lasts = LEASE * chance.uniform(1.2, 2.5)
    elif kind is not Kind.TOKENS:
        lasts = chance.uniform(1, 6)
        probability = chance.choice((0.3, 0.6, 1.0))
    if kind is Kind.HEAT_HANGS:
        hangs = HEAT_TIMEOUT * chance.uniform(0.8, 1.5)
    elif kind is Kind.HEAT_LATE:
        # From just in time to long after we gave up, but within what [lifecycle]/settle_seconds reckons with.
        hangs = chance.uniform(0.8 * HEAT_TIMEOUT, SETTLE - 2)
    return Fault(
        at=round(at, 2),
        kind=kind,
        target=chance.randrange(conductors),
        lasts=round(lasts, 2),
        status=chance.choice((500, 503, 429, 502) if kind is Kind.HEAT_ERROR else (500, 503)),
        hangs=round(hangs, 2),
        probability=probability,
        politely=chance.random() < 0.5,
    )
