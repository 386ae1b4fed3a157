"""A Heat in memory that works on its own time and misbehaves as told: refuses, hangs, loses answers, comes too late.

It takes the place of ``heatclient.v1.client.Client`` for all projects at once. Stacks come to an end when the test
says so. What it showed, and to whom, it keeps, so that a claim can be held against what was really seen.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from heatclient import exc
from heatclient.v1.resources import Resource
from heatclient.v1.stacks import Stack

from magnum.common import lease
from magnum.tests.functional.lifecycle.fake_time import FakeTime
from magnum.tests.unit.drivers.fakes import FakeHeatStack, http_error, not_found, resource

R = TypeVar("R")

#: Seconds after which a client gives a request up.
TIMEOUT = 30.0
#: Seconds from a request that nobody waits for any more to its effect, all in all.
LATE = 55.0

#: Faults that an answer stands for. The others: "lost" = done, but the answer gets lost; "late" = given up by the
#: client, and done after that; "hang" = given up and never done.
_ERRORS: Mapping[str, Callable[[], Exception]] = {
    "500": lambda: http_error(exc.HTTPInternalServerError, "no database", "InternalError"),
    "503": lambda: http_error(exc.HTTPServiceUnavailable, "go away", None),
    "429": lambda: http_error(
        lambda message: exc.HTTPException(message, 429), "too many requests", None
    ),
    "409": lambda: http_error(exc.HTTPConflict, "has an action in progress", "ActionInProgress"),
    "no room": lambda: http_error(
        exc.HTTPForbidden, "You have reached the maximum stacks per tenant", "RequestLimitExceeded"
    ),
}
FAULTS = ("500", "503", "429", "lost", "late", "hang")


@dataclass(frozen=True, slots=True)
class View:
    """What Heat once told somebody of a stack; ``stack_id`` is empty where it said that there is none."""

    stack_id: str
    status: str
    node_count: int | None = None


@dataclass
class Behaviour:
    """What is wrong with it. ``faults`` are for the next requests of a method, ``always`` for all requests."""

    faults: dict[str, list[str]] = field(default_factory=dict)
    always: str | None = None
    convergence: bool = True

    def next(self, method: str) -> str | None:
        """The fault of the next request."""
        if self.faults.get(method):
            return self.faults[method].pop(0)
        return self.always


class FakeBusyHeat:
    """The service. ``reach`` is called with the name of each point of a request; it may raise, or wait. ``note`` gets
    everything that is shown.
    """

    def __init__(
        self, time: FakeTime, reach: Callable[[str], None], note: Callable[[View], None]
    ) -> None:
        self.time = time
        self.note = note
        self.behaviour = Behaviour()
        self.live: dict[str, FakeHeatStack] = {}
        self.ever: list[FakeHeatStack] = []
        #: Ids of stacks that somebody else deleted, and of those that an old update has reached after a newer one.
        self.taken: set[str] = set()
        self.rewound: set[str] = set()
        self.hangs: Callable[[float], None] = time.passes
        self.stacks = _FakeStacks(self)
        self.resources = _FakeResources(self)
        self.events = self.resources
        self._reach = reach
        self._late: list[tuple[float, Callable[[], Any]]] = []
        self._numbers = itertools.count(1)
        self._orders = itertools.count(1)
        self._newest: dict[str, int] = {}

    # --- requests ------------------------------------------------------------------------------------------------

    def request(self, method: str, do: Callable[[], R]) -> R:
        """Carry out a request as the guarded session does, with everything that may befall it."""
        self._reach(f"before {method}")
        lease.check()
        self._reach(f"{method} in flight")
        fault = self.behaviour.next(method)
        if fault is not None and fault in _ERRORS:
            raise _ERRORS[fault]()
        if fault in ("late", "hang"):
            if fault == "late":
                self._late.append((self.time.seconds + LATE, do))
            self.hangs(TIMEOUT)
            raise exc.CommunicationError("timed out")
        answer = do()
        self._reach(f"after {method}")
        if fault == "lost":
            raise exc.CommunicationError("connection reset")
        return answer

    def order(self) -> int:
        """The place of a request among all, as its sender made it."""
        return next(self._orders)

    def at(self, url: str) -> FakeHeatStack:
        """The stack at a canonical address: name and id."""
        name, _, ident = url.partition("/")
        assert ident, f"{url} is not canonical: Heat would answer with a redirect"
        if ident not in self.live or self.live[ident].name != name:
            raise not_found()
        return self.live[ident]

    def of(self, bay_uuid: str) -> list[FakeHeatStack]:
        """The stacks of a bay that are there."""
        return [stack for stack in self.live.values() if stack.tags == f"magnum-{bay_uuid}"]

    def create(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Make a stack."""
        name = given["stack_name"]
        if any(stack.name == name for stack in self.live.values()):
            raise http_error(exc.HTTPConflict, f"The Stack ({name}) already exists.", "StackExists")
        ident = f"stack-{next(self._numbers)}"
        stack = FakeHeatStack(ident, name, given["tags"], parameters=dict(given["parameters"]))
        self.live[ident] = stack
        self.ever.append(stack)
        return {"stack": {"id": ident, "links": []}}

    def update(self, url: str, given: Mapping[str, Any], order: int) -> None:
        """Change a stack."""
        stack = self.at(url)
        if stack.status.startswith("DELETE"):
            text = "Updating a stack when it is deleting is not supported."
            raise http_error(exc.HTTPBadRequest, text, "NotSupported")
        if stack.status.endswith("IN_PROGRESS") and not self.behaviour.convergence:
            raise _ERRORS["409"]()
        if order < self._newest.get(stack.id, 0):
            self.rewound.add(stack.id)
        self._newest[stack.id] = max(order, self._newest.get(stack.id, 0))
        stack.parameters.update(given["parameters"])
        stack.status = "UPDATE_IN_PROGRESS"

    def delete(self, url: str) -> None:
        """Begin to remove a stack."""
        self.at(url).status = "DELETE_IN_PROGRESS"

    # --- its own doing -------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Time has passed: do what nobody waits for any more."""
        due = [do for moment, do in self._late if moment <= self.time.seconds]
        self._late = [late for late in self._late if late[0] > self.time.seconds]
        for do in due:
            try:
                do()
            except exc.HTTPException:
                pass  # nobody hears it

    def works(self) -> None:
        """Bring everything that is under way to a good end."""
        for stack in list(self.live.values()):
            self.ends(stack, "COMPLETE")

    def ends(self, stack: FakeHeatStack, status: str, reason: str = "") -> None:
        """Bring what is under way in a stack to an end: COMPLETE or FAILED."""
        action, _, now = stack.status.partition("_")
        if now != "IN_PROGRESS":
            return
        stack.status, stack.reason = f"{action}_{status}", reason
        failed = resource("server", "OS::Nova::Server", stack.status, reason, owner=stack.id)
        stack.resources = [failed] if status == "FAILED" else []
        if stack.status == "DELETE_COMPLETE":
            self.live.pop(stack.id)

    def vanish(self, stack: FakeHeatStack) -> None:
        """Somebody else deletes a stack."""
        self.live.pop(stack.id, None)
        self.taken.add(stack.id)


class _FakeStacks:
    """Stands for the client's ``stacks``."""

    def __init__(self, heat: FakeBusyHeat) -> None:
        self._heat = heat

    def create(self, **given: Any) -> dict[str, Any]:
        return self._heat.request("create", lambda: self._heat.create(given))

    def get(self, url: str, resolve_outputs: bool = True) -> Stack:
        def show() -> Stack:
            stack = self._heat.at(url)
            self._heat.note(View(stack.id, stack.status, stack.parameters["node_count"]))
            return Stack(self, stack.shown(details=True, outputs=resolve_outputs), loaded=True)

        return self._heat.request("get", show)

    def list(self, tags: str, **_: Any) -> Iterator[Stack]:
        def found() -> list[Stack]:
            stacks = [stack for stack in self._heat.live.values() if stack.tags == tags]
            for view in [View(stack.id, stack.status) for stack in stacks] or [View("", "")]:
                self._heat.note(view)
            shown = [stack.shown(details=False, outputs=False) for stack in stacks]
            return [Stack(self, facts, loaded=True) for facts in shown]

        return iter(self._heat.request("list", found))

    def update(self, url: str, **given: Any) -> None:
        order = self._heat.order()
        self._heat.request("update", lambda: self._heat.update(url, given, order))

    def delete(self, url: str) -> None:
        self._heat.request("delete", lambda: self._heat.delete(url))


class _FakeResources:
    """Stands for the client's ``resources``, and for its ``events``, of which there are none."""

    def __init__(self, heat: FakeBusyHeat) -> None:
        self._heat = heat

    def list(self, url: str, **given: Any) -> list[Resource]:
        def found() -> list[Resource]:
            return [Resource(self, facts, loaded=True) for facts in self._heat.at(url).resources]

        return self._heat.request("resources", found)
