"""What must hold, always: the promises about operations, bays, timelines and the cloud, held against a world."""

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import select

from magnum.common.context import service_context
from magnum.db import session
from magnum.db.models import UNFINISHED, Bay, Event, NodeGroup, Operation, Project, State
from magnum.tests.functional.lifecycle.interrupted import Pass
from magnum.tests.functional.lifecycle.world import World

_TERMINAL = ("DONE", "FAILED", "CANCELLED")
#: Failures that need no cause in the cloud; the deadline is checked apart.
_NO_CAUSE = ("DEADLINE_EXCEEDED",)


@dataclass
class Request:
    """What was accepted: of which bay, which verb, and for how many nodes."""

    bay: str
    verb: str
    node_count: int = 0
    forced: bool = False
    repeated: int = 0


@dataclass
class Judge:
    """Remembers what was accepted and what befell the cloud, and says whether the rows are right."""

    #: Accepted operations by uuid, in the order of their acceptance.
    accepted: dict[str, Request] = field(default_factory=dict)
    #: Bays whose stack truly failed, or was taken or changed by somebody else.
    harmed: set[str] = field(default_factory=set)
    world: World = field(init=False)

    # --- when a pass has written ---------------------------------------------------------------------------------

    def wrote(self, one: Pass) -> None:
        """A pass has just written its outcome."""
        assert one.claim is not None and one.written is not None
        operation, outcome = one.claim.operation, one.written.operation
        match outcome.get("state"):
            case State.DONE if operation.verb in ("create", "update"):
                self._really_complete(one, operation)
            case State.DONE if operation.verb == "delete" and outcome.get("leftovers") is None:
                assert self.world.heat.of(operation.bay_uuid) == [], "deleted, but a stack is there"
                assert any(view.stack_id == "" for view in one.views), "nobody looked"
            case State.FAILED if outcome["error_code"] == "DEADLINE_EXCEEDED":
                assert self.world.time.until(operation.deadline) <= 0, "too early"
            case State.FAILED if operation.verb != "check":
                assert operation.bay_uuid in self.harmed, f"nothing was wrong: {dict(outcome)}"
        shown = str(one.written.bay.get("status", ""))
        if shown.endswith("_COMPLETE"):
            assert outcome["state"] == State.DONE, "a status claims what was not reached"

    def _really_complete(self, one: Pass, operation: Operation) -> None:
        seen = [view for view in one.views if view.node_count is not None]
        assert seen, "complete, and nobody looked"
        assert seen[-1].status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), seen
        if (
            operation.bay_uuid not in self.harmed
            and seen[-1].stack_id not in self.world.heat.rewound
        ):
            wanted = self.accepted[operation.uuid].node_count
            assert seen[-1].node_count == wanted, f"{operation.verb}: {seen[-1]}, not {wanted}"

    # --- always --------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """What must hold between any two steps."""
        with session.reader(service_context()) as db:
            operations = list(db.scalars(select(Operation).order_by(Operation.id)))
            bays = list(db.scalars(select(Bay)))
            events = db.execute(select(Event.operation_uuid, Event.code)).all()
            held = db.scalar(select(Project.bays)) or 0
            workers = db.scalars(select(NodeGroup).where(NodeGroup.role == "worker"))
            groups = {group.bay_id: group.node_count for group in workers}
        assert list(self.accepted) == [one.uuid for one in operations], "an intent was lost"
        assert held == len(bays), "the quota does not count the bays"
        known = {bay.uuid for bay in bays}
        assert set(groups) == known, "groups without a bay"
        self._events(operations, Counter((uuid, code) for uuid, code in events))
        for uuid in {one.bay_uuid for one in operations}:
            mine = [one for one in operations if one.bay_uuid == uuid]
            self._order(mine)
            if uuid in known:
                continue
            assert all(one.state in _TERMINAL for one in mine), "work on a bay that has gone"
        for bay in bays:
            mine = [one for one in operations if one.bay_uuid == bay.uuid]
            self._status(bay, mine)
            self._specification(bay, groups[bay.uuid], mine)
        self._one_stack()

    def _events(
        self, operations: list[Operation], events: "Counter[tuple[str | None, str]]"
    ) -> None:
        for one in operations:
            accepted = 1 + self.accepted[one.uuid].repeated
            assert events[one.uuid, "ACCEPTED"] == accepted, "acceptance is told once"
            ends = {code: events[one.uuid, code] for code in _TERMINAL if events[one.uuid, code]}
            wanted = {one.state: 1} if one.state in _TERMINAL else {}
            assert ends == wanted, f"{one.verb} is {one.state}, the timeline says {ends}"

    def _order(self, mine: list[Operation]) -> None:
        """Of one bay: in the order of their acceptance, a deletion before all others; one of them at a time."""
        open_ = [one for one in mine if one.state in UNFINISHED]
        if not open_:
            return
        scheduled = [one for one in open_ if one.next_run_at is not None]
        assert len(scheduled) == 1, f"{len(scheduled)} of {len(open_)} operations will be looked at"
        begun = [one for one in open_ if one.state != State.PENDING]
        assert begun in ([], scheduled), "two are at work on one bay"
        deletions = [one for one in open_ if one.verb == "delete"]
        assert len(deletions) <= 1
        others = [one for one in open_ if one.verb != "delete"]
        if scheduled[0].verb == "delete":
            assert not others, "a deletion has begun beside others"
        else:
            assert scheduled[0] is others[0], "out of order"

    def _status(self, bay: Bay, mine: list[Operation]) -> None:
        changing = [one for one in mine if one.state in UNFINISHED and one.verb != "check"]
        if not changing:
            assert not bay.status.endswith("IN_PROGRESS"), f"{bay.status} for ever"
        if any(one.verb == "delete" for one in changing):
            assert bay.status == "DELETE_IN_PROGRESS"
        elif any(one.attempts or one.cursor for one in changing):  # a pass has written
            assert bay.status.endswith("IN_PROGRESS"), f"{bay.status} while at work"
        assert (bay.observed_generation or 0) <= bay.generation

    def _specification(self, bay: Bay, node_count: int, mine: list[Operation]) -> None:
        if any(one.verb == "delete" or one.state == State.FAILED for one in mine):
            return
        wanted = [
            self.accepted[one.uuid].node_count
            for one in mine
            if one.verb in ("create", "update") and one.state != State.CANCELLED
        ]
        assert node_count == wanted[-1], f"{node_count} nodes are wanted, not {wanted[-1]}"

    def _one_stack(self) -> None:
        heat = self.world.heat
        for tag, made in Counter(stack.tags for stack in heat.ever).items():
            lost = sum(1 for stack in heat.ever if stack.tags == tag and stack.id in heat.taken)
            assert made <= 1 + lost, f"{made} stacks were made for one bay"

    # --- at the end ----------------------------------------------------------------------------------------------

    def settled(self) -> None:
        """What must hold when everything has been run to its end in a cloud that is well."""
        self.check()
        heat = self.world.heat
        with session.reader(service_context()) as db:
            workers = db.scalars(select(NodeGroup).where(NodeGroup.role == "worker"))
            groups = {group.bay_id: group.node_count for group in workers}
        for bay in self.world.bays():
            stacks = heat.of(bay.uuid)
            if bay.status.endswith("_COMPLETE") and bay.uuid not in self.harmed:
                assert len(stacks) == 1, "complete, but there is no stack"
                shown = stacks[0].parameters["node_count"]
                if stacks[0].id not in heat.rewound:
                    assert shown == groups[bay.uuid], f"{shown} nodes, not {groups[bay.uuid]}"
        self._nothing_left()

    def _nothing_left(self) -> None:
        known = {bay.uuid for bay in self.world.bays()}
        let_go = {one.bay_uuid for one in self.world.operations() if one.leftovers is not None}
        for uuid in {request.bay for request in self.accepted.values()} - known - let_go:
            assert self.world.heat.of(uuid) == [], "the bay has gone, its stack has not"
