"""Which driver for a request: filters say no with a reason, weighers say how well, and the best of the rest is taken.

Pure. What a filter or weigher may know stands in :class:`Wish` and :class:`Candidate`; both are plugins, entry points
of the groups ``magnum.placement.filters`` and ``magnum.placement.weighers``, so that an operator can add his own. A
weight is absolute, between 0 and 1, and never depends on the other candidates. One kind of filter does depend on them:
one that ``yields`` refuses only while somebody is left whom it does not refuse. As whoever is chosen then is one of
those that are left, taking a loser away changes nothing.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from magnum.drivers.contract import Provides

#: Entry points of filters and weighers.
FILTERS = "magnum.placement.filters"
WEIGHERS = "magnum.placement.weighers"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request says of the cluster; None where it says nothing. ``version`` belongs to a named ``driver``.

    ``nodes`` counts masters and others together. ``hints`` are the request's own, for plugins of the operator's.
    """

    project_id: str
    server_type: str | None = None
    os_distro: str | None = None
    coe: str | None = None
    driver: str | None = None
    version: str | None = None
    nodes: int = 1
    hints: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A driver that might do it, with what is known of it at this moment.

    ``unusable`` is why it cannot be used at all, empty where it can. ``bays`` counts its bays, ``own_bays`` those of
    the project that asks. ``room`` is how many bays the operator lets it have, None for any number. ``preference`` is
    how much the operator prefers it, from 0 to 1. ``down`` names the services it needs that do not answer at present.
    """

    driver: str
    version: str = ""
    provides: frozenset[Provides] = frozenset()
    unusable: str = ""
    bays: int = 0
    own_bays: int = 0
    room: int | None = None
    preference: float = 0.0
    down: tuple[str, ...] = ()


class Filter(Protocol):
    """Decides who is out. Made without arguments; must not keep anything between two calls.

    A filter with a true attribute ``yields`` is about what passes, such as the health of a service: better not this one
    now, but better this one than none. What it says counts only while a candidate that all other filters let pass is
    let pass by all that yield too; otherwise it is a note.
    """

    def refuse(self, wish: Wish, candidate: Candidate) -> str | None:
        """Why the candidate cannot be taken, in words for a person; None where it can."""


class Weigher(Protocol):
    """Says how well a candidate suits. Made without arguments; must not keep anything between two calls."""

    def weigh(self, wish: Wish, candidate: Candidate) -> float:
        """A number from 0 to 1, greater is better. It may depend on this candidate only."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What became of one candidate: each filter's verdict (None: passed), each weigher's weight, and their sum.

    ``total`` is None for a candidate that is out. ``notes`` is what a filter that yields had to say of one that passed.
    """

    candidate: Candidate
    verdicts: Mapping[str, str | None]
    weights: Mapping[str, float] = field(default_factory=dict)
    total: float | None = None
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """The candidate that was chosen, None where none is left, and how it came to that: the best first."""

    chosen: Candidate | None
    assessments: tuple[Assessment, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """Filters and weighers by their names, and what each weigher's word counts (a factor, 0 for nothing)."""

    filters: Mapping[str, Filter]
    weighers: Mapping[str, Weigher]
    factors: Mapping[str, float] = field(default_factory=dict)


def decide(wish: Wish, candidates: Iterable[Candidate], rules: Rules) -> Decision:
    """Choose among the candidates. The same input gives the same choice; equals are taken in the order of names."""
    asked = [
        (one, {name: filter_.refuse(wish, one) for name, filter_ in rules.filters.items()})
        for one in candidates
    ]
    yielding = {name for name, one in rules.filters.items() if getattr(one, "yields", False)}
    spared = not any(_passes(verdicts) for _, verdicts in asked)
    assessed = [_assess(wish, *one, rules, yielding if spared else set()) for one in asked]
    assessed.sort(key=lambda one: (one.total is None, -(one.total or 0.0), one.candidate.driver))
    first = assessed[0] if assessed else None
    chosen = first.candidate if first is not None and first.total is not None else None
    return Decision(chosen, tuple(assessed))


def _passes(verdicts: Mapping[str, str | None]) -> bool:
    return all(verdict is None for verdict in verdicts.values())


def _assess(
    wish: Wish,
    candidate: Candidate,
    verdicts: Mapping[str, str | None],
    rules: Rules,
    spared: Collection[str],
) -> Assessment:
    """``spared`` are the filters whose verdict does not count where it is the only kind against a candidate."""
    notes: dict[str, str] = {}
    if _passes({name: why for name, why in verdicts.items() if name not in spared}):
        notes = {
            name: f"{why}, and no other driver could serve"
            for name, why in verdicts.items()
            if why is not None
        }
        verdicts = {**verdicts, **dict.fromkeys(notes)}
    if not _passes(verdicts):
        return Assessment(candidate, verdicts)
    weights = {name: _bounded(one.weigh(wish, candidate)) for name, one in rules.weighers.items()}
    total = sum(rules.factors.get(name, 1.0) * weight for name, weight in weights.items())
    return Assessment(candidate, verdicts, weights, total, notes)


def _bounded(weight: float) -> float:
    """What a plugin says, kept to the promised range; what is not a number counts as nothing."""
    return min(1.0, max(0.0, weight)) if weight == weight else 0.0


# --- filters of ours -------------------------------------------------------------------------------------------------


class Enabled:
    """The operator lets it be used, and it could be loaded."""

    def refuse(self, wish: Wish, candidate: Candidate) -> str | None:
        """See :class:`Filter`."""
        return candidate.unusable or None


class Named:
    """It is the driver that was named, where one was; in the version that was named."""

    def refuse(self, wish: Wish, candidate: Candidate) -> str | None:
        """See :class:`Filter`."""
        if wish.driver is not None and candidate.driver != wish.driver:
            return f"the request names {wish.driver}"
        if wish.version is not None and candidate.version != wish.version:
            return f"the request names version {wish.version}, this is {candidate.version}"
        return None


class Capability:
    """It builds the engine that is asked for, from images of the distribution that is asked for."""

    def refuse(self, wish: Wish, candidate: Candidate) -> str | None:
        """See :class:`Filter`."""
        if wish.coe is not None:
            offers = [offer for offer in candidate.provides if offer.coe == wish.coe]
            if not offers:
                return f"it provides {_words(o.coe for o in candidate.provides)}, not {wish.coe}"
        else:
            offers = list(candidate.provides)
        if wish.os_distro is not None and not any(o.boots(wish.os_distro) for o in offers):
            return f"it boots {_words(o.os_distro for o in offers)}, not {wish.os_distro}"
        return None


class ServerType:
    """It makes nodes of the kind of machine that is asked for: virtual (``vm``) or bare metal (``bm``)."""

    def refuse(self, wish: Wish, candidate: Candidate) -> str | None:
        """See :class:`Filter`."""
        types = {offer.server_type for offer in candidate.provides}
        if wish.server_type is None or wish.server_type in types:
            return None
        return f"it makes nodes of type {_words(types)}, not {wish.server_type}"


class Room:
    """The operator's limit of bays for this driver leaves room for one more."""

    def refuse(self, wish: Wish, candidate: Candidate) -> str | None:
        """See :class:`Filter`."""
        if candidate.room is None or candidate.bays < candidate.room:
            return None
        return f"it has {candidate.bays} bays, and may have {candidate.room}"


class Health:
    """The cloud's services that it needs answer. No request is refused for this alone: the work waits for them."""

    yields = True

    def refuse(self, wish: Wish, candidate: Candidate) -> str | None:
        """See :class:`Filter`."""
        if not candidate.down:
            return None
        return f"its services do not answer ({', '.join(candidate.down)})"


# --- weighers of ours ------------------------------------------------------------------------------------------------


class Version:
    """The newer, the better."""

    def weigh(self, wish: Wish, candidate: Candidate) -> float:
        """See :class:`Weigher`. Every number of the version counts a thousandth of the one before."""
        height = 0.0
        for place, number in enumerate(candidate.version.split(".")[:4]):
            height += min(int(number), 999) / 1000**place if number.isdigit() else 0.0
        return 1 - 1 / (1 + height)


class Load:
    """The fewer bays it has, the better."""

    def weigh(self, wish: Wish, candidate: Candidate) -> float:
        """See :class:`Weigher`. Counts the share that is free where the operator has set a limit."""
        if candidate.room:
            return 1 - candidate.bays / candidate.room
        return 1 / (1 + candidate.bays)


class Affinity:
    """The more bays of the same project it has, the better: people keep to what they know."""

    def weigh(self, wish: Wish, candidate: Candidate) -> float:
        """See :class:`Weigher`."""
        return 1 - 1 / (1 + candidate.own_bays)


class Preference:
    """The earlier the operator names it in ``[placement] preferred_drivers``, the better; not at all is worst."""

    def weigh(self, wish: Wish, candidate: Candidate) -> float:
        """See :class:`Weigher`."""
        return candidate.preference


def _words(words: Iterable[str]) -> str:
    return ", ".join(sorted(set(words))) or "nothing"
