"""What a driver answers: the outcomes of a verb, and the facts, progress and faults in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import DriverError, Leftover
from .words import Actor


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """What was observed of one node group. None means not known: what is recorded stays."""

    addresses: tuple[str, ...] | None = None
    stack_id: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What was observed of a bay. None means not known: what is recorded stays. Groups go by their name.

    ``driver_version`` and ``template_version`` are said by who launches or upgrades a cluster: what it was made with.
    ``site`` is the place that was chosen for the cluster, such as ``{"zones": "az1,az2"}``; it stays with the bay.
    """

    stack_id: str | None = None
    api_address: str | None = None
    coe_version: str | None = None
    container_version: str | None = None
    node_groups: Mapping[str, GroupFacts] = field(default_factory=dict)
    driver_version: str | None = None
    template_version: str | None = None
    site: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an operation stands: a short stage name, and how many of how many, where that is known."""

    stage: str
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A part of the cluster that failed.

    ``resource`` is its place in the template (``workers / 1 / server``), ``type`` the cloud's type of it, ``text`` the
    cloud's own words, without secrets, and ``request_id`` the id under which the cloud's log has more, where known.
    """

    resource: str
    type: str
    text: str
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The verb has reached its end."""

    facts: Facts = Facts()


@dataclass(frozen=True, slots=True)
class Wait:
    """Call again after ``seconds``, with this ``cursor``.

    ``trouble`` is what stands in the way while the driver goes on trying; it means the same as raising it, but the
    cursor and the seconds are the driver's own. The operation ends with it should its deadline come.
    """

    seconds: float
    cursor: Mapping[str, Any] = field(default_factory=dict)
    progress: Progress | None = None
    facts: Facts = Facts()
    trouble: DriverError | None = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """The verb cannot go on until somebody does something; it is tried again by itself, and the operation is kept.

    ``code`` is stable and in capitals with underscores. ``text`` is for the user, ``operator_text`` for the log and the
    operator. Neither may hold a secret. ``seconds`` is the time until the next try, None for the operator's pace. A
    deletion names its ``leftovers``; ``faults`` are as in :class:`Failed`.
    """

    code: str
    actor: Actor
    text: str
    operator_text: str = ""
    cursor: Mapping[str, Any] = field(default_factory=dict)
    facts: Facts = Facts()
    seconds: float | None = None
    faults: tuple[Fault, ...] = ()
    leftovers: tuple[Leftover, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The verb has failed for good; ``faults`` are the parts that did. Other fields as in :class:`Blocked`."""

    code: str
    actor: Actor
    text: str
    operator_text: str = ""
    facts: Facts = Facts()
    faults: tuple[Fault, ...] = ()


Outcome = Done | Wait | Blocked | Failed


# --- what a preview says ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """What would become of one resource of the cluster.

    ``kind`` is ``added``, ``deleted``, ``replaced``, ``updated`` or ``unchanged``; ``resource`` and ``type`` are as in
    :class:`Fault`.
    """

    kind: str
    resource: str
    type: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What an update would change in the cloud."""

    changes: tuple[Change, ...]
