"""Where the nodes of a new bay go: which availability zones its masters and its workers take in turn.

The decision is pure; it knows the request's hints, the cloud's zones, the operator's weights and the bays of each zone.
Only :class:`Zones` asks the cloud. Host aggregates are reached as availability zones, which is how Nova shows them.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from magnum.drivers.contract import MASTER, CloudUnavailable, InvalidOption, Load, Work
from magnum.drivers.heat.errors import PermissionLost, translated

#: Parameters of a template that knows zones: what the masters, and what the workers take in turn.
MASTER_ZONES, NODE_ZONES = "master_zones", "node_zones"

#: Hints of a request that are heeded here.
ZONE, SPREAD, GROUP, REGION = "availability_zone", "spread", "group", "region"

#: What may be spread over zones: the masters (and the workers in one zone), all nodes, or nothing.
MASTERS, ALL, NONE = SPREADS = ("masters", "all", "none")

#: Seconds for which the cloud's list of zones is believed: it is the same for all projects and hardly ever changes.
_BELIEVED = 30.0


@dataclass(frozen=True, slots=True)
class Site:
    """Where a bay's nodes go. The zones that each kind takes in turn; none means that Nova chooses.

    ``zones`` are all that are in use.
    """

    masters: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()

    def data(self) -> dict[str, str]:
        """As :class:`~magnum.drivers.contract.Facts` have it: texts, with commas between zones."""
        named = {"zones": self.zones, "masters": self.masters, "workers": self.workers}
        return {name: ",".join(zones) for name, zones in named.items() if zones}


def parameters(site: Mapping[str, str]) -> dict[str, str]:
    """What a template that knows zones is told of a bay's site."""
    named = {MASTER_ZONES: "masters", NODE_ZONES: "workers"}
    return {parameter: site[name] for parameter, name in named.items() if site.get(name)}


# --- what a request wants --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """The hints of a request. ``zones`` are those that it names, ``grouped`` asks for the project's usual zone."""

    zones: tuple[str, ...] = ()
    spread: str = MASTERS
    grouped: bool = False
    region: str | None = None

    @classmethod
    def of(cls, hints: Mapping[str, Any]) -> "Wanted":
        """Hints of other names are the operator's plugins', and passed over. Raises InvalidOption."""
        spread = hints.get(SPREAD, MASTERS)
        if spread not in SPREADS:
            raise InvalidOption(
                f"The hint {SPREAD} may be {', '.join(SPREADS)}, not {spread!r}.", option="hints"
            )
        if (group := hints.get(GROUP)) not in (None, "project"):
            raise InvalidOption(f"The hint {GROUP} may be project, not {group!r}.", option="hints")
        region = hints.get(REGION)
        if not isinstance(region, str | None):
            raise InvalidOption(f"The hint {REGION} must be a text.", option="hints")
        return cls(_named(hints.get(ZONE)), str(spread), group is not None, region)


def _named(hint: Any) -> tuple[str, ...]:
    """The zones that a hint names: a text, with commas between several, or a list of texts."""
    listed = hint.split(",") if isinstance(hint, str) else hint or []
    if not isinstance(listed, list) or not all(isinstance(zone, str) for zone in listed):
        raise InvalidOption(f"The hint {ZONE} must be a text or a list of texts.", option="hints")
    return tuple(dict.fromkeys(zone.strip() for zone in listed if zone.strip()))


# --- the decision ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when a site is chosen.

    ``zones`` are the cloud's, each with whether it is available; None where that cannot be known. ``allowed`` are those
    that the operator lets bays have, with their weights; empty means any. ``masters`` is how many masters there will
    be. ``bay`` decides between equals.
    """

    bay: str
    masters: int
    zones: Mapping[str, bool] | None
    allowed: Mapping[str, float]
    loads: Mapping[str, Load]


def choose(wanted: Wanted, given: Situation) -> Site:
    """The site of a new bay.

    The best zone is the one with the fewest bays for its weight; for who asks for it, the one where his project has
    most. Workers go there, unless they are to be spread; masters take the zones in turn, the best first. A cloud of one
    zone is left to Nova, unless somebody has named zones.

    Raises InvalidOption that names a zone which cannot be had, CloudUnavailable where all that could be are not
    available at present.
    """
    candidates = _demanded(wanted, given) if wanted.zones else _open(given)
    if not wanted.zones and not given.allowed and len(candidates) < 2:
        return Site(zones=tuple(candidates))
    ordered = sorted(candidates, key=lambda zone: _rank(zone, wanted, given))
    first = tuple(ordered[:1])
    masters = first if wanted.spread == NONE else tuple(ordered[: max(1, given.masters)])
    workers = tuple(ordered) if wanted.spread == ALL else first
    return Site(masters, workers, tuple(dict.fromkeys(workers + masters)))


def _demanded(wanted: Wanted, given: Situation) -> list[str]:
    for zone in wanted.zones:
        if given.zones is not None and zone not in given.zones:
            raise InvalidOption(
                f"There is no availability zone {zone!r}; there are {_words(given.zones)}."
            )
        if given.allowed and zone not in given.allowed:
            raise InvalidOption(
                f"Clusters may not be built in the availability zone {zone!r},"
                f" only in {_words(given.allowed)}."
            )
    return _available(wanted.zones, given)


def _open(given: Situation) -> list[str]:
    """The zones for somebody who names none. A weight of 0 keeps one for those who do."""
    if not given.allowed:
        return sorted(zone for zone, available in (given.zones or {}).items() if available)
    weighty = [zone for zone, weight in given.allowed.items() if weight > 0]
    if given.zones is not None:
        weighty = [zone for zone in weighty if zone in given.zones]
    return _available(weighty, given)


def _available(zones: Iterable[str], given: Situation) -> list[str]:
    named = list(zones)
    left = [zone for zone in named if given.zones is None or given.zones[zone]]
    if not left:
        raise CloudUnavailable(
            f"No availability zone that the cluster may have is available at present: {_words(named)}."
        )
    return left


def _rank(zone: str, wanted: Wanted, given: Situation) -> tuple[float, float, bytes]:
    """The smaller, the better. The order of equals is another one for each bay, and the same each time for one bay."""
    load = given.loads.get(zone, Load())
    weight = given.allowed.get(zone, 1.0) or 1.0
    chance = blake2b(f"{given.bay} {zone}".encode(), digest_size=8).digest()
    return -load.own if wanted.grouped else 0, (load.bays + 1) / weight, chance


def _words(zones: Iterable[str]) -> str:
    return ", ".join(sorted(zones)) or "none"


# --- the look --------------------------------------------------------------------------------------------------------


class Zones:
    """The cloud's availability zones, by region, as they were seen lately. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str | None, tuple[float, Mapping[str, bool]]] = {}

    def site(self, work: Work) -> Site:
        """Choose for a new bay. Raises as :func:`choose` does, and what asking the cloud raises."""
        wanted = Wanted.of(work.bay.hints)
        with translated("finding the compute service", "compute"):
            nova = work.clouds.rest("compute")
        region = getattr(nova, "region_name", None)
        if wanted.region is not None and region is not None and wanted.region != region:
            raise InvalidOption(
                f"Clusters are built in the region {region} here, not in {wanted.region!r}."
            )
        masters = sum(group.node_count for group in work.node_groups if group.role == MASTER)
        zones = None if nova is None else self._of(nova, region)
        return choose(wanted, Situation(work.bay.uuid, masters, zones, work.zones, work.loads))

    def _of(self, nova: Any, region: str | None) -> Mapping[str, bool] | None:
        """Zones and whether each is available; None where the cloud does not tell."""
        moment = self._clock()
        with self._lock:
            until, seen = self._seen.get(region, (0.0, {}))
        if moment < until:
            return seen
        try:
            with translated("looking at the availability zones", "compute"):
                response = nova.get(
                    "/os-availability-zone", params={}, headers={"Accept": "application/json"}
                )
                seen = _listed(response)
        except PermissionLost:
            return None
        with self._lock:
            self._seen[region] = (moment + _BELIEVED, seen)
        return seen


def _listed(response: Any) -> Mapping[str, bool]:
    try:
        return {
            # A comma could not be told from the one between two zones.
            info["zoneName"]: bool(info["zoneState"]["available"])
            for info in response.json()["availabilityZoneInfo"]
            if "," not in info["zoneName"]
        }
    except (ValueError, KeyError, TypeError) as error:
        raise CloudUnavailable(
            "The cloud's compute service gave an answer that makes no sense.",
            f"not a list of availability zones: {error!r}",
        ) from error
