"""What a run was like, as a table: how much was asked, what broke how often, how long a takeover took."""

from collections import Counter
from collections.abc import Iterator

from tools.chaos_run import audit
from tools.chaos_run.asks import People
from tools.chaos_run.audit import Hold
from tools.chaos_run.faults import Breaker
from tools.chaos_run.plan import Kind
from tools.chaos_run.verdict import Evidence


def lines(evidence: Evidence, people: People, breaker: Breaker, settled: float) -> Iterator[str]:
    """The table. ``settled`` is the time in seconds from the end of the faults until all was done."""
    yield from _requests(evidence, people)
    yield ""
    yield from _faults(breaker)
    yield ""
    held = audit.holds(evidence.record)
    late = [hold for hold in held if hold.taken_over_after is not None]
    longest = max((hold.taken_over_after or 0.0 for hold in late), default=0.0)
    live = sum(s["deleted"] is None for stacks in evidence.stacks.values() for s in stacks)
    ever = sum(map(len, evidence.stacks.values()))
    events = sum(map(len, evidence.events.values()))
    yield f"{len(held):8}  claims"
    yield f"{len(late):8}  of them takeovers from a process that did not give back"
    yield f"{longest:8.2f}  seconds after the end of a lease, the longest takeover (no conductor may have been at work)"
    yield f"{len(evidence.record):8}  writes in the database's record"
    yield f"{events:8}  events"
    yield f"{ever:8}  stacks ever made, {live} there now"
    yield f"{_made_again(evidence):8}  bays deleted whose stack had been made more than once"
    heat = [entry for entry in evidence.requests if entry["service"] == "orchestration"]
    yield f"{len(heat):8}  requests to Heat, {sum(e['rule'] is not None for e in heat)} of them misanswered"
    yield f"{len(late_requests(evidence, held)):8}  creations and changes asked of Heat by one who had lost the claim"
    yield f"{settled:8.1f}  seconds from the last fault until all was done"


def _requests(evidence: Evidence, people: People) -> Iterator[str]:
    states: Counter[tuple[str, str]] = Counter()
    for operations in evidence.operations.values():
        states.update((op.verb, op.state) for op in operations)
    yield f"{sum(states.values()):8}  operations"
    for (verb, state), count in sorted(states.items()):
        yield f"{count:8}    {verb} {state}"
    refused = sum(len(wanted.refused) for wanted in people.wanted)
    yield f"{refused:8}  requests refused"
    yield f"{people.unanswered:8}  times that a request brought no answer and was repeated"


def _faults(breaker: Breaker) -> Iterator[str]:
    yield f"{breaker.done.total():8}  faults"
    for kind in Kind:
        skipped = breaker.skipped[kind]
        more = f" ({skipped} skipped: broken already)" if skipped else ""
        yield f"{breaker.done[kind]:8}    {kind}{more}"


def _made_again(evidence: Evidence) -> int:
    return sum(len(stacks) > 1 for stacks in evidence.stacks.values())


def late_requests(evidence: Evidence, held: list[Hold]) -> list[int]:
    """Numbers of the creations and changes that reached Heat while another process held the bay's operation.

    A process that is stopped between its last look at its lease and the sending cannot know it; what follows from that
    is put right afterwards, so this is told and is no break of a rule.
    """
    by_bay: dict[str, list[Hold]] = {}
    for hold in held:
        by_bay.setdefault(hold.bay_uuid or "", []).append(hold)
    found = []
    for entry in evidence.requests:
        if entry["service"] != "orchestration" or entry["method"] not in ("POST", "PATCH"):
            continue
        body = entry["body"] if isinstance(entry["body"], dict) else {}
        name = body.get("stack_name") or entry["path"].split("/stacks/")[-1].split("/")[0]
        who = (entry["user"] or "").removeprefix("magnum-")
        holders = {
            hold.who
            for hold in by_bay.get(name.removeprefix("bay-"), ())
            if hold.since <= entry["began"] < hold.until
        }
        if holders and who not in holders:
            found.append(entry["number"])
    return found
