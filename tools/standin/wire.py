"""What a request and an answer are inside the stand-in, and the services that it has. Lowest module of the package."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

IDENTITY, ORCHESTRATION = "identity", "orchestration"
COMPUTE, NETWORK, VOLUME, BALANCER = "compute", "network", "volumev3", "load-balancer"

#: Type in the catalogue -> path below which the service answers.
SERVICES: Mapping[str, str] = {
    IDENTITY: "identity",
    ORCHESTRATION: "orchestration",
    COMPUTE: "compute",
    NETWORK: "network",
    VOLUME: "volume",
    BALANCER: "load-balancer",
}
CONTROL = "control"
REGION = "RegionOne"


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``path`` is below the service's own path; header names are in small letters."""

    service: str
    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: Any
    base: str

    def first(self, name: str) -> str | None:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else None

    @property
    def url(self) -> str:
        """Where the service is, without a slash at the end."""
        return f"{self.base}/{SERVICES[self.service]}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back. A body of None is no body."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def in_iso(moment: float) -> str:
    """A time (seconds since 1970) as Heat and Keystone write it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
