"""Microversions: their history, the request header that asks for one, the headers that answer (contract 1.2)."""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from magnum.common import errors

HEADER = "OpenStack-API-Version"
MINIMUM_HEADER = "OpenStack-API-Minimum-Version"
MAXIMUM_HEADER = "OpenStack-API-Maximum-Version"

#: The names clients know this kind of service by; the first is meant where a client names none.
SERVICES: Final = (
    "container-infra",
    "container-infrastructure",
    "container-infrastructure-management",
)


class Version(NamedTuple):
    """A microversion; versions compare as numbers do."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


#: Every version with what it changed on the wire. Fields that came between two versions are shown at all of them.
HISTORY: Final[tuple[tuple[Version, str], ...]] = (
    (Version(1, 1), "The base. Bays are synchronous: POST and PATCH answer the whole bay."),
    (Version(1, 2), "Bays are asynchronous: POST and PATCH answer 202 and the bay's uuid."),
    (Version(1, 3), "PATCH of a bay or cluster takes ?rollback=."),
    (Version(1, 4), "Statistics (served at every version)."),
    (Version(1, 5), "Rotation of a bay's CA (served at every version)."),
    (Version(1, 6), "Quotas (served at every version)."),
    (Version(1, 7), "POST actions/resize."),
    (Version(1, 8), "POST actions/upgrade."),
    (Version(1, 9), "Node groups."),
    (Version(1, 10), "A cluster may have no nodes."),
    (Version(1, 11), "Nothing: bays and baymodels stay at every version."),
    (Version(1, 12), "PATCH of credentials."),
    (Version(1, 13), "Clusters show cluster_id in the place of stack_id."),
    (Version(1, 14), "Node groups have node_labels and node_taints."),
    (
        Version(1, 15),
        "Operations and events of bays and clusters. Answers to POST, PATCH and DELETE of a bay name the operation."
        " A PATCH waits its turn behind other work. DELETE of a bay takes ?force=. Bays show generation,"
        " observed_generation, observed_at and what clusters show, and take a keypair, merge_labels and no nodes as"
        " these do; one bay also shows operation, stale, placement, hints, site, options,"
        " utilisation and ca_expires_at. Actions on bays, among them what clusters have, node groups of bays,"
        " previews of changes, endpoints of drivers, drivers and their options, placements.",
    ),
)

MINIMUM: Final = HISTORY[0][0]
MAXIMUM: Final = HISTORY[-1][0]

#: From here on bays are asynchronous.
ASYNCHRONOUS_BAYS: Final = Version(1, 2)
#: From here on a PATCH may ask for a rollback.
ROLLBACK: Final = Version(1, 3)
#: From here on clusters can be resized.
RESIZE: Final = Version(1, 7)
#: From here on clusters can be upgraded.
UPGRADE: Final = Version(1, 8)
#: From here on clusters have node groups.
NODE_GROUPS: Final = Version(1, 9)
#: From here on a cluster may have no nodes.
NO_NODES: Final = Version(1, 10)
#: From here on the credential of a bay's nodes can be replaced.
CREDENTIALS: Final = Version(1, 12)
#: From here on clusters show cluster_id.
CLUSTER_ID: Final = Version(1, 13)
#: From here on node groups have labels and taints of their nodes.
NODE_LABELS: Final = Version(1, 14)
#: From here on operations are shown, named in answers, and queued; a DELETE may be forced.
OPERATIONS: Final = Version(1, 15)

_NUMBERS = re.compile(r"([0-9]{1,6})\.([0-9]{1,6})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asked for: the service's name as the client spelled it, and the version."""

    service: str
    version: Version

    def headers(self) -> list[tuple[str, str]]:
        """The headers that every answer under v1 carries."""
        return [
            (HEADER, f"{self.service} {self.version}"),
            (MINIMUM_HEADER, f"{self.service} {MINIMUM}"),
            (MAXIMUM_HEADER, f"{self.service} {MAXIMUM}"),
            ("Vary", HEADER),
        ]

    @property
    def served(self) -> bool:
        """Whether this service speaks the version."""
        return MINIMUM <= self.version <= MAXIMUM


DEFAULT: Final = Asked(SERVICES[0], MINIMUM)


class VersionNotServed(errors.NotAcceptable):
    """The version is well written and not served. Answered with a body of its own shape."""

    code = "VERSION_NOT_SERVED"

    def __init__(self, asked: Asked) -> None:
        super().__init__(
            f"Version {asked.version} is not supported by the API."
            f" The lowest is {MINIMUM}, the highest {MAXIMUM}."
        )


def asked(header: str | None) -> Asked:
    """What the header asks for, served or not. No header means the lowest version.

    The header may hold entries of several services, separated by commas; ours is picked. Raises NotAcceptable for a
    header that cannot be read, or that has no entry for this service.
    """
    if header is None:
        return DEFAULT
    for entry in header.split(","):
        words = entry.split()
        if len(words) == 2 and words[0].lower() in SERVICES:
            return Asked(words[0].lower(), _version(words[1]))
    raise errors.NotAcceptable(
        f"Cannot read the header {HEADER}: '{header}'. Write '{SERVICES[0]} X.Y' or '{SERVICES[0]} latest'."
    )


def _version(text: str) -> Version:
    if text.lower() == "latest":
        return MAXIMUM
    numbers = _NUMBERS.fullmatch(text)
    if numbers is None:
        raise errors.NotAcceptable(f"Not a version: '{text}'. Write X.Y, for example {MINIMUM}.")
    return Version(int(numbers[1]), int(numbers[2]))
