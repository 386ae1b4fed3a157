"""All that may befall a project's bays, as steps of a state machine: requests, messages, conductors, Heat, time.

Each step is a method, so that a test may also call some of them in an order of its own.
"""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from magnum.common import errors
from magnum.common.context import service_context
from magnum.db import bays, operations
from magnum.db.models import Bay, State
from magnum.lifecycle.submit import (
    NewBay,
    NotCancellable,
    cancel,
    check_bay,
    create_bay,
    delete_bay,
    update_bay,
)
from magnum.tests import engine
from magnum.tests.functional.lifecycle.fake_busy_heat import FAULTS
from magnum.tests.functional.lifecycle.judge import Judge, Request
from magnum.tests.functional.lifecycle.world import QUOTA, World

#: Of several things, one: an index that wraps around.
ANY = st.integers(0, 1)
NODES = st.integers(1, 3)
POINTS = st.integers(0, 14)
#: For what ends most of what could go on: one in four of these steps does it, the others do nothing.
RARELY = st.sampled_from([False, False, False, True])


class Lives(RuleBasedStateMachine):
    """Bays of one project, from the point of view of everybody who can touch them."""

    world: World
    judge: Judge

    @initialize(convergence=st.booleans(), nodes=NODES)
    def begin(self, convergence: bool, nodes: int) -> None:
        self.world.begin()
        self.world.heat.behaviour.convergence = convergence
        self.judge.accepted.clear()
        self.judge.harmed.clear()
        self.create(nodes)

    # --- what people ask for -------------------------------------------------------------------------------------

    @rule(nodes=NODES)
    def create(self, nodes: int) -> None:
        held = len(self.world.bays())
        new = NewBay("b", self.world.baymodel, self.world.driver, nodes, create_timeout=10)
        try:
            made = create_bay(engine.context(), new)
        except errors.QuotaExceeded:
            assert held == QUOTA
        else:
            assert held < QUOTA
            self.judge.accepted[made.operation] = Request(made.bay.uuid, "create", nodes)

    @precondition(lambda self: self.world.bays())
    @rule(which=ANY, nodes=NODES, queue=st.sampled_from([True, True, False]))
    def update(self, which: int, nodes: int, queue: bool) -> None:
        bay = self._bay(which)
        try:
            made = update_bay(engine.context(), bay, nodes, queue=queue)
        except errors.WrongStatus:
            assert not (queue and bay.status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"))
        else:
            if made is not None:
                self.judge.accepted[made] = Request(bay.uuid, "update", nodes)

    @precondition(lambda self: self.judge.accepted)
    @rule(which=ANY, pending=st.booleans())
    def cancel(self, which: int, pending: bool) -> None:
        found = self.world.operations()
        if pending:
            found = [one for one in found if one.state == State.PENDING] or found
        operation = self._one(found, which)
        try:
            cancel(engine.context(), operation)
        except NotCancellable:
            pass

    @precondition(lambda self: self.world.bays())
    @rule(which=ANY, force=st.booleans(), really=RARELY)
    def delete(self, which: int, force: bool, really: bool) -> None:
        if not really:
            return
        bay = self._bay(which)
        made = delete_bay(engine.context(), bay, force=force)
        request = self.judge.accepted.setdefault(made, Request(bay.uuid, "delete", forced=force))
        if force and not request.forced:
            request.forced = True
            request.repeated += 1
        elif not force and request.forced:
            request.repeated += 1

    # --- what messages do ----------------------------------------------------------------------------------------

    @rule(which=ANY, times=st.integers(0, 2))
    def wake(self, which: int, times: int) -> None:
        for bay in self.world.bays()[which : which + 1]:
            for _ in range(times):
                operations.wake(service_context(), bay.uuid)
        assert operations.wake(service_context(), "no-such-bay") == []

    @precondition(lambda self: self.world.bays())
    @rule(which=ANY)
    def touched(self, which: int) -> None:
        bay = self._bay(which)
        made = check_bay(service_context(), bay.uuid, 10)
        if made is not None:
            found = next(one for one in self.world.operations() if one.id == made)
            self.judge.accepted[found.uuid] = Request(bay.uuid, "check")

    @precondition(lambda self: self.judge.accepted)
    @rule(which=st.integers(0, 9), worker=st.integers(0, 1))
    def hint(self, which: int, worker: int) -> None:
        self.world.run(self._one(self.world.operations(), which).id, worker)

    # --- what conductors do --------------------------------------------------------------------------------------

    @precondition(lambda self: self.world.unfinished())
    @rule(worker=st.integers(0, 1), heat_works=st.sampled_from([True, True, False]))
    def sweep_later(self, worker: int, heat_works: bool) -> None:
        if heat_works:
            self.world.heat.works()
        self.world.time.passes((self.world.next_due() or 0) + 0.001)
        self.world.sweep(worker)

    @precondition(lambda self: self.world.unfinished())
    @rule(worker=st.integers(0, 1), at=POINTS)
    def dies(self, worker: int, at: int) -> None:
        self._next(worker, dies_at=at)

    @precondition(lambda self: self.world.unfinished())
    @rule(worker=st.integers(0, 1), at=POINTS)
    def is_held_up(self, worker: int, at: int) -> None:
        self._next(worker, stops_at=at)

    @precondition(lambda self: self.world.held_up)
    @rule(which=ANY)
    def goes_on(self, which: int) -> None:
        self.world.go_on(which % len(self.world.held_up))

    @rule(seconds=st.sampled_from([0.5, 9.0, 31.0, 120.0, 601.0]), renew=st.booleans())
    def time_passes(self, seconds: float, renew: bool) -> None:
        self.world.time.passes(seconds)
        if renew:
            for worker in self.world.workers:
                worker.renew()

    # --- what Heat does ------------------------------------------------------------------------------------------

    @rule()
    def heat_works(self) -> None:
        self.world.heat.works()

    @precondition(lambda self: self.world.heat.live)
    @rule(
        which=ANY, why=st.sampled_from(["No valid host was found", "Quota exceeded"]), really=RARELY
    )
    def heat_fails(self, which: int, why: str, really: bool) -> None:
        if not really:
            return
        stack = self._one(list(self.world.heat.live.values()), which)
        if stack.status.endswith("IN_PROGRESS"):
            self._harm(stack.tags)
            self.world.heat.ends(stack, "FAILED", why)

    @precondition(lambda self: self.world.heat.live)
    @rule(which=ANY, really=RARELY)
    def somebody_deletes_a_stack(self, which: int, really: bool) -> None:
        if not really:
            return
        stack = self._one(list(self.world.heat.live.values()), which)
        self._harm(stack.tags)
        self.world.heat.vanish(stack)

    @rule(
        method=st.sampled_from(["create", "get", "list", "update", "delete"]),
        fault=st.sampled_from([*FAULTS, "409", "no room"]),
        times=st.integers(1, 2),
    )
    def heat_stumbles(self, method: str, fault: str, times: int) -> None:
        changes = ("create", "update", "delete")
        possible = {"409": changes, "no room": changes}
        if method not in possible.get(fault, (method,)):
            return
        self.world.heat.behaviour.faults.setdefault(method, []).extend([fault] * times)

    @precondition(lambda self: self.world.unfinished())
    @rule(fault=st.sampled_from(["500", "hang"]), really=RARELY)
    def heat_is_broken_for_long(self, fault: str, really: bool) -> None:
        """Until every deadline has passed: then everything has ended, or says what it waits for."""
        world = self.world
        if not really:
            return
        world.heat.behaviour.always = fault
        for _ in range(200):
            wait = world.next_due()
            if wait is None:
                break
            world.time.passes(wait + 0.001)
            world.sweep()
            for one in world.unfinished():
                late = -world.time.until(one.deadline)
                if one.started_at and one.lease_until is None and one.state != State.BLOCKED:
                    assert late < 35, f"{one.verb} is {one.state} {late} s after its deadline"
        world.heat.behaviour.always = None

    # --- what must hold ------------------------------------------------------------------------------------------

    @invariant()
    def promises_hold(self) -> None:
        self.judge.check()

    def teardown(self) -> None:
        """Everything comes to its end, and then goes."""
        if not hasattr(self.world, "heat"):
            return
        try:
            self.world.settle()
            self.judge.settled()
            for bay in self.world.bays():
                made = delete_bay(engine.context(), bay)
                self.judge.accepted.setdefault(made, Request(bay.uuid, "delete"))
            self.world.settle()
            self.judge.settled()
            assert self.world.bays() == []
        finally:
            self.world.end()

    # --- tools ---------------------------------------------------------------------------------------------------

    def _next(self, worker: int, **broken_off: int) -> None:
        """A pass of the operation that is due next, at its time, broken off somewhere."""
        world = self.world
        world.time.passes((world.next_due() or 0) + 0.001)
        due = operations.due(service_context(), 1)
        if due:
            world.run(due[0], worker, **broken_off)

    def _bay(self, which: int) -> Bay:
        found = self._one(self.world.bays(), which)
        return bays.get(engine.context(), found.uuid)

    @staticmethod
    def _one(things: list[Any], which: int) -> Any:
        return things[which % len(things)]

    def _harm(self, tag: str) -> None:
        self.judge.harmed.add(tag.removeprefix("magnum-"))


def machine(world: World, judge: Judge) -> type[Lives]:
    """The machine, working on a world."""

    class Bound(Lives):
        pass

    Bound.world, Bound.judge = world, judge
    return Bound
