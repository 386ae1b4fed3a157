"""Everything a conductor meets, in one process and under a test's hand: database, Heat, time, other conductors."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select

from magnum.common import lease
from magnum.common.context import service_context
from magnum.conf import CONF
from magnum.db import operations, session
from magnum.db.models import UNFINISHED, Base, Bay, BayModel, Operation
from magnum.drivers.contract import WORKER, Facts, Work
from magnum.drivers.heat.driver import HeatDriver
from magnum.drivers.heat.stack import Launch
from magnum.drivers.heat.template import TemplateDefinition
from magnum.lifecycle import passes
from magnum.lifecycle.clouds import Access
from magnum.lifecycle.passes import Worker
from magnum.tests import engine
from magnum.tests.functional.lifecycle import interrupted
from magnum.tests.functional.lifecycle.fake_busy_heat import FakeBusyHeat
from magnum.tests.functional.lifecycle.fake_time import FakeTime
from magnum.tests.functional.lifecycle.interrupted import Pass

#: Bays that the project may have.
QUOTA = 2


class _Definition(TemplateDefinition):
    """A template without a text; what counts is its parameter."""

    mutable = frozenset({"node_count"})

    def parameters(self, work: Work) -> Mapping[str, Any]:
        return {"node_count": work.group(WORKER).node_count}

    def launch(self, work: Work) -> Launch:
        return Launch("heat_template_version: 2018-08-31", {}, self.parameters(work), {})

    def facts(self, work: Work, stack_id: str, outputs: Mapping[str, Any]) -> Facts:
        return Facts(stack_id=stack_id)


class TrialDriver(HeatDriver):
    """The drivers' common Heat code, with a template of one parameter."""

    name = "trial_v1"
    version = template_version = "1.0.0"
    definition = _Definition()


@dataclass(frozen=True)
class FakeAccess:
    """Stands for the service's access: its cloud is one fake Heat, and there are no roles."""

    busy: FakeBusyHeat

    def heat(self, project_id: str, request_id: str | None) -> FakeBusyHeat:
        return self.busy

    def rest(self, project_id: str, service_type: str, request_id: str | None) -> None:
        """This cloud has no other service."""

    def doubt(self, project_id: str) -> None:
        """Nothing is remembered."""

    leave = doubt


class World:
    """Two conductors, one Heat, one clock."""

    time: FakeTime
    heat: FakeBusyHeat
    workers: list[Worker]
    baymodel: BayModel

    def __init__(self) -> None:
        self.time = FakeTime()
        self.driver = TrialDriver()
        self.held_up: list[Pass] = []
        self._numbers = itertools.count()

    def begin(self) -> None:
        """An empty world at its first moment."""
        self.end()
        self.heat = FakeBusyHeat(self.time, interrupted.reach, interrupted.note)
        self.heat.hangs = self._hangs
        self.time.seconds = 0.0
        self.time.listeners = [self.heat.tick]
        with session.writer(service_context()) as db:
            for table in reversed(Base.metadata.sorted_tables):
                db.execute(table.delete())
        self.baymodel = engine.a_baymodel()
        self.workers = [self._worker(), self._worker()]

    def end(self) -> None:
        """Nothing goes on any more."""
        while self.held_up:
            self.held_up.pop().die()

    def _worker(self) -> Worker:
        access = cast(Access, FakeAccess(self.heat))
        return Worker(lambda: access, lambda name: self.driver, f"w{next(self._numbers)}")

    # --- conductors ----------------------------------------------------------------------------------------------

    def run(
        self,
        operation_id: int,
        which: int = 0,
        *,
        dies_at: int | None = None,
        stops_at: int | None = None,
    ) -> Pass:
        """A pass by one of the conductors; see :class:`Pass` for how it is broken off."""
        one = Pass(self.workers[which], operation_id, dies_at, stops_at)
        one.begin()
        if not one.over:
            self.held_up.append(one)
        elif one.dies_at is not None and len(one.points) > one.dies_at:
            self.workers[which] = self._worker()  # started anew, under a new name
        return one

    def go_on(self, number: int) -> None:
        """Let a pass go on that is held up."""
        self.held_up.pop(number).go_on()

    def sweep(self, which: int = 0) -> int:
        """One look for due operations, and a pass of each. Returns how many."""
        due = operations.due(service_context(), 100)
        for operation_id in due:
            self.run(operation_id, which)
        return len(due)

    def _hangs(self, seconds: float) -> None:
        """Time passes inside a request; the conductors that run renew their leases meanwhile, but not one held up."""
        for _ in range(int(seconds / 10)):
            self.time.passes(10)
            stopped = {one.worker.owner for one in self.held_up}
            for worker in self.workers:
                if worker.owner not in stopped:
                    worker.renew()

    def sleep(self, seconds: float) -> None:
        """A pass sleeps."""
        self.time.passes(seconds)
        self.heat.works()

    # --- what there is -------------------------------------------------------------------------------------------

    def next_due(self) -> float | None:
        """Seconds until the next operation is due and free; None where none will be."""
        with session.reader(service_context()) as db:
            found = db.scalars(select(Operation).where(Operation.next_run_at.is_not(None))).all()
        moments = [
            max(one.next_run_at, one.lease_until or one.next_run_at)
            for one in found
            if one.next_run_at is not None
        ]
        return max(0.0, self.time.until(min(moments))) if moments else None

    def bays(self) -> list[Bay]:
        """All bays, oldest first."""
        with session.reader(service_context()) as db:
            return list(db.scalars(select(Bay).order_by(Bay.id)))

    def operations(self) -> list[Operation]:
        """All operations, oldest first."""
        with session.reader(service_context()) as db:
            return list(db.scalars(select(Operation).order_by(Operation.id)))

    def unfinished(self) -> list[Operation]:
        """Those that have not ended."""
        return [one for one in self.operations() if one.state in UNFINISHED]

    def settle(self, rounds: int = 200) -> None:
        """Everything is well from now on: run until nothing is left to do. Raises AssertionError if it never ends."""
        self.heat.behaviour.faults.clear()
        self.heat.behaviour.always = None
        for _ in range(rounds):
            self.heat.works()
            while self.held_up:
                self.go_on(0)
            wait = self.next_due()
            if wait is None:
                break
            self.time.passes(wait + 0.001)
            self.sweep()
        assert not self.unfinished(), [vars(one) for one in self.unfinished()]
        self.time.passes(100)  # what nobody waits for any more has come by now
        self.heat.works()


@contextmanager
def a_world(
    folder: Path, patch: pytest.MonkeyPatch, wrote: Callable[[Pass], None] = lambda one: None
) -> Iterator[World]:
    """A world on a fresh SQLite. ``wrote`` is called with each pass right after its write."""
    world = World()
    engine.use_database(f"sqlite:///{folder}/magnum.sqlite")
    session.engine().dispose()  # the schema was made by connections of the real time
    world.time.rule(session.engine(), patch)
    clock = SimpleNamespace(monotonic=world.time.monotonic, sleep=world.sleep)
    patch.setattr(passes, "time", clock)
    patch.setattr(passes, "Lease", partial(lease.Lease, clock=world.time.monotonic))
    settings = {
        "quotas": {"max_clusters_per_project": QUOTA},
        "lifecycle": {"default_deadline": 10},
    }
    overridden = [(name, group) for group, values in settings.items() for name in values]
    for name, group in overridden:
        CONF.set_override(name, settings[group][name], group)
    try:
        with interrupted.interruptible(patch, session.engine(), wrote):
            yield world
    finally:
        world.end()
        for name, group in overridden:
            CONF.clear_override(name, group)
