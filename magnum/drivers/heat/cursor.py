"""What the Heat drivers remember between two passes of a verb: plain data that goes into a row.

It may come back older than the last one, or from an older release: what is not known is left out,
and what is missing has the value of a first call.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from magnum.drivers.contract import Actor, Blocked, Facts, Fault, Work
from magnum.drivers.heat.diagnosis import Cause


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a verb is.

    ``asked`` counts requests for an update or deletion, ``looks`` the looks since the last one.
    ``searches`` counts searches of the cloud that found something left. ``hindrance`` is what the
    verb is blocked by; with ``retrying`` another try was asked for and has not ended yet. ``known``
    are the parameters of a stack that was launched from another version of the template; None for
    ours. ``site`` is where a new cluster goes, chosen before its stack is made. ``removable`` are the
    workers that go first, named by a person or asked of the cluster itself; None before that. ``places``
    are the uuids of node groups by their places in the stack, empty where one has none; None before it was
    looked at.
    """

    stack_id: str | None = None
    asked: int = 0
    looks: int = 0
    searches: int = 0
    hindrance: Mapping[str, Any] | None = None
    retrying: bool = False
    known: Collection[str] | None = None
    site: Mapping[str, str] | None = None
    removable: Collection[str] | None = None
    places: Sequence[str] | None = None

    @classmethod
    def of(cls, work: Work) -> "Cursor":
        """From the work; a stack that the bay is known to have needs no look-up."""
        known = {name: work.cursor[name] for name in cls.__slots__ if name in work.cursor}
        cursor = cls(**known)
        return replace(cursor, stack_id=cursor.stack_id or work.bay.stack_id)

    def data(self) -> dict[str, Any]:
        """What to put into an outcome's cursor."""
        return asdict(self)

    def asked_now(self) -> "Cursor":
        """After a request."""
        return replace(self, asked=self.asked + 1, looks=0)

    def looked(self) -> "Cursor":
        """After a look that brought nothing new."""
        return replace(self, looks=self.looks + 1)

    # --- blocked, and tried again ------------------------------------------------------------------

    @property
    def may_try(self) -> bool:
        """Whether the verb is blocked and has not asked for another try yet."""
        return self.hindrance is not None and not self.retrying

    def hindered(self, cause: Cause) -> "Cursor":
        """After a failure whose cause can pass."""
        return replace(self, hindrance=asdict(cause), retrying=False, looks=0)

    def trying(self) -> "Cursor":
        """After another try was asked for, or was found under way."""
        return replace(self, retrying=True, looks=0)

    def blocked(self, seconds: float | None) -> Blocked:
        """The answer while it is hindered; ``seconds`` is the time until the next call."""
        found = dict(self.hindrance or {})
        return Blocked(
            found["code"],
            Actor(found["actor"]),
            found["text"],
            found["operator_text"],
            cursor=self.data(),
            facts=Facts(stack_id=self.stack_id),
            seconds=seconds,
            faults=tuple(Fault(**fault) for fault in found["faults"]),
        )
