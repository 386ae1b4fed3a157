"""Placement with what is known at this moment: the catalogue's drivers, their bays, and the operator's wishes.

What is known of zones is told to the driver that was chosen; it has the last word on the site. The decision itself is
:func:`magnum.drivers.placement.decide`, which is pure.
"""

import functools
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from typing import Any

from stevedore import NamedExtensionManager

from magnum.common.context import RequestContext
from magnum.conf import CONF
from magnum.db import bays
from magnum.drivers import catalogue, placement
from magnum.drivers.contract import Load
from magnum.drivers.placement import Candidate, Decision, Rules, Wish
from magnum.lifecycle import outages

__all__ = ["Decision", "Loads", "Wish", "Zone", "decide", "region", "rules", "zones"]

LOG = logging.getLogger(__name__)


def decide(context: RequestContext, wish: Wish, *, explain: bool = False) -> Decision:
    """The driver for a wish of the caller's, with the whole reasoning.

    How many bays each driver has is counted, and what does not answer is looked up, each in one statement at most, only
    where it can matter, or with ``explain``.
    """
    known = catalogue.catalogue()
    first = placement.decide(wish, _candidates(known, {}), rules())
    left = [one.candidate.driver for one in first.assessments if one.total is not None]
    several = explain or len(left) > 1
    if not several and not any(name in CONF.placement.max_bays for name in left):
        return first
    failing = outages.failing(context) if several else frozenset()
    candidates = _candidates(known, bays.per_driver(context), failing)
    return placement.decide(wish, candidates, rules())


def _candidates(
    known: catalogue.Catalogue,
    counted: Mapping[str, tuple[int, int]],
    failing: frozenset[str] = frozenset(),
) -> list[Candidate]:
    """Every driver there is, usable or not, with what is known of it."""
    found = [
        _candidate(known.get(name), counted.get(name, (0, 0)), failing) for name in known.names()
    ]
    return found + [Candidate(name, unusable=why) for name, why in known.broken().items()]


def _candidate(driver: Any, counted: tuple[int, int], failing: frozenset[str]) -> Candidate:
    preferred = CONF.placement.preferred_drivers
    place = preferred.index(driver.name) if driver.name in preferred else len(preferred)
    return Candidate(
        driver=driver.name,
        version=driver.version,
        provides=driver.provides,
        bays=counted[0],
        own_bays=counted[1],
        room=CONF.placement.max_bays.get(driver.name),
        preference=1 - place / len(preferred) if preferred else 0.0,
        down=tuple(sorted(driver.services & failing)),
    )


class Loads(Mapping[str, Load]):
    """How many bays each availability zone holds, of everybody and of one project: counted when somebody asks."""

    def __init__(self, context: RequestContext, project_id: str | None) -> None:
        self._context = context
        self._project_id = project_id

    @functools.cached_property
    def _counted(self) -> dict[str, Load]:
        counted = bays.per_zone(self._context, self._project_id)
        return {zone: Load(*numbers) for zone, numbers in counted.items()}

    def __getitem__(self, zone: str) -> Load:
        return self._counted[zone]

    def __iter__(self) -> Iterator[str]:
        return iter(self._counted)

    def __len__(self) -> int:
        return len(self._counted)


@dataclass(frozen=True, slots=True)
class Zone:
    """What placement knows of an availability zone without asking the cloud.

    ``weight`` is the operator's, None where he names no zones. ``bays`` and ``own_bays`` are as in :class:`Load`.
    """

    name: str
    weight: float | None
    bays: int
    own_bays: int


def region() -> str | None:
    """The region in which bays are built; None where it has no name in the configuration."""
    return outages.region()


def zones(context: RequestContext) -> list[Zone]:
    """The zones that the operator lets bays have, or else those that have some. One statement."""
    loads, allowed = Loads(context, context.project_id), CONF.placement.zones
    return [
        Zone(name, allowed.get(name), *astuple(loads.get(name, Load())))
        for name in sorted(allowed or loads)
    ]


def rules() -> Rules:
    """The filters and weighers that the configuration names. Raises LookupError for one that no package has."""
    factors = dict(CONF.placement.weights)
    return Rules(
        _plugins(placement.FILTERS, tuple(CONF.placement.filters)),
        _plugins(placement.WEIGHERS, tuple(factors)),
        factors,
    )


@functools.cache
def _plugins(namespace: str, names: tuple[str, ...]) -> Mapping[str, Any]:
    def missing(absent: Iterable[str]) -> None:
        raise LookupError(f"no installed package has {', '.join(sorted(absent))} of {namespace}")

    if not names:
        return {}
    manager: NamedExtensionManager[Any] = NamedExtensionManager(
        namespace,
        list(names),
        invoke_on_load=True,
        name_order=True,
        on_missing_entrypoints_callback=missing,
    )
    return {extension.name: extension.obj for extension in manager}
