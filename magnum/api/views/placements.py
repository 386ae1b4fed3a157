"""How a driver was, or would be, chosen: every candidate, every filter's verdict, every weight."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from magnum.drivers.placement import Assessment, Decision
from magnum.lifecycle.placement import Zone


def full(decision: Decision, factors: Mapping[str, float]) -> dict[str, Any]:
    """The whole reasoning, the best candidate first; ``driver`` is null where none is left.

    :param factors: what each weigher's weight is multiplied with.
    """
    chosen = decision.chosen
    return {
        "driver": chosen.driver if chosen else None,
        "driver_version": chosen.version if chosen else None,
        "candidates": [_candidate(one, factors) for one in decision.assessments],
    }


def site(hints: Mapping[str, Any], region: str | None, zones: Iterable[Zone]) -> dict[str, Any]:
    """What the driver that is chosen will know of zones, beside what the cloud itself tells it."""
    return {
        "region": region,
        "hints": dict(hints),
        "zones": [asdict(zone) for zone in zones],
        "decided_by": "the driver, when it builds, among the zones that the cloud then has",
    }


def _candidate(one: Assessment, factors: Mapping[str, float]) -> dict[str, Any]:
    return {
        "driver": one.candidate.driver,
        "driver_version": one.candidate.version or None,
        "bays": one.candidate.bays,
        "refused_by": {name: why for name, why in one.verdicts.items() if why is not None},
        "passed": [name for name, why in one.verdicts.items() if why is None],
        "notes": dict(one.notes),
        "weights": {
            name: {"weight": round(weight, 6), "factor": factors.get(name, 1.0)}
            for name, weight in one.weights.items()
        },
        "total": None if one.total is None else round(one.total, 6),
    }
