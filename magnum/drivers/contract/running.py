"""A cluster that runs: how it is watched, and which of its nodes may go."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from .outcomes import Facts
from .work import Work


class HealthStatus(enum.StrEnum):
    """How a cluster is, in the words of the REST contract (section 2.2)."""

    HEALTHY = "HEALTHY"
    UNHEALTHY = "UNHEALTHY"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Health:
    """What a look at a cluster's own API found.

    ``reasons`` says it part by part: ``api``, and each node by its name, with ``ok`` or what is wrong with it.
    ``utilisation`` is what is used of what there is, each from 0 to 1, such as ``cpu`` and ``memory``.
    """

    status: HealthStatus
    reasons: Mapping[str, str] = field(default_factory=dict)
    utilisation: Mapping[str, float] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)


class Monitor(Protocol):
    """A driver's ``monitor.py``."""

    def look(self, work: Work) -> Health:
        """Ask the cluster how it is, within ten seconds. One that does not answer is UNHEALTHY: nothing is raised."""


class Scaler(Protocol):
    """A driver's ``scale.py``."""

    def removable(self, work: Work, count: int) -> tuple[str, ...]:
        """Which ``count`` workers may go, idle ones first, as the ids of their servers.

        Fewer than asked for where it cannot be known. Takes ten seconds at most. Raises nothing of the cluster's.
        """

    def missing(self, work: Work) -> int:
        """How many more workers the cluster needs for what it is to run and cannot; 0 where that is unknown."""
