"""The reckoning: what must hold once everything is settled, bay by bay and operation by operation.

Each check yields a sentence for every break of its rule, naming bay and operation; none where nothing broke.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from magnum.db.models import UNFINISHED, Bay, Event, NodeGroup, Operation, Project, State
from tools.chaos_run import audit
from tools.chaos_run.asks import Wanted
from tools.chaos_run.plan import Plan
from tools.standin.client import StandIn

CREATE, UPDATE, DELETE = "create", "update", "delete"
ENDINGS = ("DONE", "FAILED", "CANCELLED")


@dataclass(frozen=True)
class Evidence:
    """All that is known in the end. Operations and events by bay, in their order; stacks by name."""

    plan: Plan
    wanted: Sequence[Wanted]
    bays: Mapping[str, Bay]
    groups: Mapping[str, Sequence[NodeGroup]]
    operations: Mapping[str, Sequence[Operation]]
    events: Mapping[str, Sequence[Event]]
    projects: Sequence[Project]
    stacks: Mapping[str, Sequence[Mapping[str, Any]]]
    requests: Sequence[Mapping[str, Any]] = field(repr=False)
    record: Sequence[audit.Row] = field(repr=False)


def gather(engine: sa.Engine, standin: StandIn, plan: Plan, wanted: Sequence[Wanted]) -> Evidence:
    """Look at the database and at the stand-in's ledger."""
    stacks: dict[str, list[Mapping[str, Any]]] = {}
    for stack in standin.stacks():
        stacks.setdefault(stack["name"], []).append(stack)
    with Session(engine, expire_on_commit=False) as session:
        bays = session.scalars(sa.select(Bay)).all()
        groups = session.scalars(sa.select(NodeGroup)).all()
        operations = session.scalars(sa.select(Operation).order_by(Operation.id)).all()
        events = session.scalars(sa.select(Event).order_by(Event.id)).all()
        projects = session.scalars(sa.select(Project)).all()
    return Evidence(
        plan=plan,
        wanted=wanted,
        bays={bay.uuid: bay for bay in bays},
        groups=_grouped(groups, "bay_id"),
        operations=_grouped(operations, "bay_uuid"),
        events=_grouped(events, "operation_uuid"),
        projects=projects,
        stacks=stacks,
        requests=standin.ledger(),
        record=audit.read(engine),
    )


def _grouped(rows: Sequence[Any], name: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(getattr(row, name), []).append(row)
    return found


def unfinished(engine: sa.Engine) -> int:
    """How many operations have not come to an end."""
    with Session(engine) as session:
        waiting = sa.select(sa.func.count()).where(Operation.state.in_(UNFINISHED))
        return session.scalar(waiting) or 0


def broken(evidence: Evidence) -> list[str]:
    """Every break of a rule."""
    found = [text for check in CHECKS for text in check(evidence)]
    return found + audit.broken_fences(evidence.record)


# --- requests --------------------------------------------------------------------------------------------------------


def every_accepted_request_is_there(evidence: Evidence) -> Iterator[str]:
    """No request was lost, and none became two."""
    for wanted in evidence.wanted:
        if wanted.uuid is None:
            continue
        verbs = Counter(op.verb for op in evidence.operations.get(wanted.uuid, ()))
        if verbs[CREATE] != 1:
            yield f"{_of(wanted)} has {verbs[CREATE]} creations"
        if bool(verbs[DELETE]) != wanted.deleted or verbs[DELETE] > 1:
            yield f"{_of(wanted)} has {verbs[DELETE]} deletions, asked for: {wanted.deleted}"
        if verbs[UPDATE] > wanted.scaled:
            yield f"{_of(wanted)} has {verbs[UPDATE]} changes, asked for: {wanted.scaled}"
    known = {wanted.uuid for wanted in evidence.wanted}
    for uuid in evidence.operations.keys() - known:
        yield f"bay {uuid} was made though nobody was told that it was accepted"


def operations_ended_as_they_should(evidence: Evidence) -> Iterator[str]:
    """DONE; FAILED only where the plan has it fail; CANCELLED only if overtaken by a deletion or taken back."""
    for wanted, operation in _operations(evidence):
        state = operation.state
        doomed = evidence.wanted.index(wanted) in evidence.plan.doomed
        may = {State.DONE.value}
        if operation.verb == CREATE and doomed:
            may = {State.FAILED.value}
        if operation.verb != DELETE and (wanted.deleted or (doomed and operation.verb != CREATE)):
            may |= {State.CANCELLED.value}
        if operation.uuid in wanted.cancelled:
            may = {State.CANCELLED.value}
        if state not in may:
            told = f"{operation.error_code}: {operation.error_operator_text}"
            yield f"{_of(wanted)}: {_op(operation)} is {state}, not {' or '.join(sorted(may))} ({told})"
        if operation.owner is not None or operation.next_run_at is not None:
            yield f"{_of(wanted)}: {_op(operation)} has ended but is held, or due"


def operations_follow_one_another(evidence: Evidence) -> Iterator[str]:
    """Of one bay, at most one operation is under way at a time, and changes are done in the order of their coming."""
    for wanted in evidence.wanted:
        last: tuple[datetime, Operation] | None = None
        begun = [op for op in evidence.operations.get(wanted.uuid or "", ()) if op.started_at]
        for operation in begun:
            assert operation.started_at is not None
            if last is not None and operation.started_at < last[0]:
                yield f"{_of(wanted)}: {_op(operation)} began before {_op(last[1])} had ended"
            if operation.finished_at is not None:
                last = (operation.finished_at, operation)


def timeline_is_whole(evidence: Evidence) -> Iterator[str]:
    """Each operation has one ACCEPTED, first, and one ending, last, that fits its state; nothing is there twice."""
    for wanted, operation in _operations(evidence):
        events = evidence.events.get(operation.uuid, ())
        codes = [event.code for event in events]
        place = f"{_of(wanted)}: {_op(operation)} has the timeline {' '.join(codes)}"
        repeated = operation.verb == DELETE  # asking again is noted
        if codes[:1] != ["ACCEPTED"] or (codes.count("ACCEPTED") > 1 and not repeated):
            yield f"{place}: not one acceptance at its beginning"
        ends = [code for code in codes if code in ENDINGS]
        if ends != [operation.state] or codes[-1:] != ends:
            yield f"{place}: not one end that is {operation.state}"
        for one, other in itertools.pairwise(events):
            if (one.code, one.text) == (other.code, other.text):
                yield f"{place}: {one.code} stands there twice ({one.text})"


# --- bays and stacks -------------------------------------------------------------------------------------------------


def bays_are_as_wanted(evidence: Evidence) -> Iterator[str]:
    """What lives shows what was accepted last, and what was observed; what was deleted is gone."""
    for number, wanted in enumerate(evidence.wanted):
        if wanted.uuid is None:
            continue
        bay = evidence.bays.get(wanted.uuid)
        if wanted.deleted:
            if bay is not None:
                yield f"{_of(wanted)} was deleted and is there, {bay.status}: {bay.status_reason}"
            continue
        if bay is None:
            yield f"{_of(wanted)} is gone and nobody wanted that"
            continue
        if number in evidence.plan.doomed:
            if bay.status != "CREATE_FAILED":
                yield f"{_of(wanted)} had to fail and is {bay.status}"
            continue
        done = [op for op in evidence.operations[wanted.uuid] if op.state == State.DONE]
        status = "UPDATE_COMPLETE" if any(op.verb == UPDATE for op in done) else "CREATE_COMPLETE"
        if bay.status != status:
            yield f"{_of(wanted)} is {bay.status}, not {status}: {bay.status_reason}"
        workers = next(g for g in evidence.groups[wanted.uuid] if g.role == "worker")
        if (workers.node_count, len(workers.node_addresses)) != (wanted.nodes, wanted.nodes):
            seen = f"{workers.node_count} nodes and {len(workers.node_addresses)} addresses"
            yield f"{_of(wanted)} shows {seen}, not {wanted.nodes}"
        if bay.observed_generation != bay.generation:
            yield f"{_of(wanted)} was observed for generation {bay.observed_generation}, not {bay.generation}"


def one_stack_for_each_bay(evidence: Evidence) -> Iterator[str]:
    """A bay that lives has one stack, the only one it ever had; a deleted one has none, and never had two at once."""
    for number, wanted in enumerate(evidence.wanted):
        if wanted.uuid is None:
            continue
        stacks = evidence.stacks.get(f"bay-{wanted.uuid}", ())
        live = [stack for stack in stacks if stack["deleted"] is None]
        if wanted.deleted:
            if live:
                yield f"{_of(wanted)} is deleted and has left {_told(live)}"
        elif len(live) != 1 or len(stacks) != 1:
            yield f"{_of(wanted)} has {len(live)} stacks and had {len(stacks)}: {_told(stacks)}"
        elif number not in evidence.plan.doomed:
            shown = live[0]["parameters"]["node_count"]
            if (shown, live[0]["status"]) != (str(wanted.nodes), "COMPLETE"):
                yield f"{_of(wanted)} wants {wanted.nodes} nodes and has {_told(live)} with {shown}"
        ends = [stack["deleted"] or float("inf") for stack in stacks]
        for end, following in zip(ends, stacks[1:], strict=False):
            if following["created"] < end:
                yield f"{_of(wanted)} had two stacks at once: {_told(stacks)}"
    known = {f"bay-{wanted.uuid}" for wanted in evidence.wanted}
    for name, stacks in evidence.stacks.items():
        live = [stack for stack in stacks if stack["deleted"] is None]
        if name not in known and live:
            yield f"a stack is there of which no bay is known: {_told(live)}"


def quota_is_counted(evidence: Evidence) -> Iterator[str]:
    """The project's count of bays is that of its bays."""
    for project in evidence.projects:
        real = sum(bay.project_id == project.project_id for bay in evidence.bays.values())
        if project.bays != real:
            yield f"project {project.project_id} counts {project.bays} bays and has {real}"


def requests_can_be_traced(evidence: Evidence) -> Iterator[str]:
    """What was asked of Heat bears the id of the request that wanted it."""
    ids = {op.request_id for ops in evidence.operations.values() for op in ops if op.request_id} | {
        None
    }
    for entry in evidence.requests:
        if entry["service"] != "orchestration" or entry["method"] not in ("POST", "PATCH"):
            continue
        if entry["request_id"] not in ids or entry["request_id"] is None:
            text = f"{entry['method']} {entry['path']} bears the id {entry['request_id']}"
            yield f"Heat was asked and nobody knows for whom: {text} (request {entry['number']})"


CHECKS = (
    every_accepted_request_is_there,
    operations_ended_as_they_should,
    operations_follow_one_another,
    timeline_is_whole,
    bays_are_as_wanted,
    one_stack_for_each_bay,
    quota_is_counted,
    requests_can_be_traced,
)


def _operations(evidence: Evidence) -> Iterator[tuple[Wanted, Operation]]:
    for wanted in evidence.wanted:
        for operation in evidence.operations.get(wanted.uuid or "", ()):
            yield wanted, operation


def _of(wanted: Wanted) -> str:
    return f"bay {wanted.name} ({wanted.uuid})"


def _op(operation: Operation) -> str:
    return f"the {operation.verb} (operation {operation.id}, {operation.uuid})"


def _told(stacks: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{s['id']} {s['action']}_{s['status']}" for s in stacks) or "none"
