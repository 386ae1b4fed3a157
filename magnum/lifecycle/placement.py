"""Placement with what is known at this moment: the catalogue's drivers, their bays, and the operator's wishes.

The decision itself is :func:`magnum.drivers.placement.decide`, which is pure.
"""

import functools
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from stevedore import NamedExtensionManager

from magnum.common.context import RequestContext
from magnum.conf import CONF
from magnum.db import bays
from magnum.drivers import catalogue, placement
from magnum.drivers.placement import Candidate, Decision, Rules, Wish

__all__ = ["Decision", "Wish", "decide", "rules"]

LOG = logging.getLogger(__name__)


def decide(context: RequestContext, wish: Wish, *, explain: bool = False) -> Decision:
    """The driver for a wish of the caller's, with the whole reasoning.

    How many bays each driver has is counted, in one statement, only where it can matter, or with ``explain``.
    """
    known = catalogue.catalogue()
    first = placement.decide(wish, _candidates(known, {}), rules())
    left = [one.candidate.driver for one in first.assessments if one.total is not None]
    if not explain and len(left) < 2 and not any(name in CONF.placement.max_bays for name in left):
        return first
    return placement.decide(wish, _candidates(known, bays.per_driver(context)), rules())


def _candidates(
    known: catalogue.Catalogue, counted: Mapping[str, tuple[int, int]]
) -> list[Candidate]:
    """Every driver there is, usable or not, with what is known of it."""
    found = [_candidate(known.get(name), counted.get(name, (0, 0))) for name in known.names()]
    return found + [Candidate(name, unusable=why) for name, why in known.broken().items()]


def _candidate(driver: Any, counted: tuple[int, int]) -> Candidate:
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
    )


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
