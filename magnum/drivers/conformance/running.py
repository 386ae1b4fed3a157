"""What is tried of every verb in a cloud that does as it is told: its end, repetition, restarts, and not blocking."""

import json
import threading
from collections.abc import Iterable
from typing import Any

from magnum.drivers.conformance.candidate import Candidate
from magnum.drivers.conformance.trial import Moment, Trial, Unfit, after, same, told, trial
from magnum.drivers.contract import Done, Verb

#: Own time of a call, in seconds. The best of several runs counts, so that a busy machine is not blamed on a driver.
LONGEST_CALL = 0.2
RUNS = 3
#: Moments of a run that another one goes back to.
MOST_MOMENTS = 8
#: Calls during which a cloud comes to no end.
CALLS_WHILE_BUSY = 8


def reaches_its_end(candidate: Candidate, verb: Verb) -> None:
    """The verb ends as Done, and so it does where the cloud itself wakes every call."""
    with trial(candidate, verb) as one:
        end = one.finish(verb)
    with trial(candidate, verb) as other:
        woken = other.finish(verb, woken=True)
    if not same(end, woken):
        raise Unfit(f"'{verb}' ends otherwise where the cloud wakes it: {end} and {woken}")


def can_be_repeated(candidate: Candidate, verb: Verb) -> None:
    """Any call may be made twice, and from every earlier cursor again: one cluster, and the same end."""
    with trial(candidate, verb) as first:
        end = first.finish(verb)
        moments = _different(first.moments)
        for moment in moments:
            first.world.bay = moment.bay
            _expect(end, first.run(verb, moment.cursor), verb, "after its end, again from", moment)
    for steps, moment in enumerate(moments, 1):
        with trial(candidate, verb) as one:
            _expect(end, one.run(verb, twice=steps), verb, "with one call made twice, from", moment)
    for steps in range(1, len(moments) + 1):
        for back in sorted({0, max(0, steps - 2), min(steps, len(moments) - 1)}):
            with trial(candidate, verb) as one:
                _run_some(one, verb, steps)
                one.world.bay = moments[back].bay
                found = one.run(verb, moments[back].cursor)
                _expect(end, found, verb, f"after {steps} calls, again from", moments[back])


def _different(moments: Iterable[Moment]) -> list[Moment]:
    found: dict[str, Moment] = {}
    for moment in moments:
        found.setdefault(json.dumps(dict(moment.cursor), sort_keys=True), moment)
    return list(found.values())[:MOST_MOMENTS]


def _run_some(one: Trial, verb: Verb, calls: int) -> None:
    cursor = one.moments[-1].cursor if one.moments else {}
    for step in range(calls):
        answer = one.call(verb, cursor)
        if isinstance(answer, Done):
            return
        cursor = after(answer, cursor)
        if step % 2:
            one.world.settle()


def _expect(end: Done, found: object, verb: Verb, how: str, moment: Moment) -> None:
    if not (isinstance(found, Done) and same(end, found)):
        raise Unfit(
            f"'{verb}' has another end {how} the cursor {json.dumps(dict(moment.cursor))}: "
            f"{found} instead of {end}. A verb has to be repeatable from any point."
        )


def survives_restarts(candidate: Candidate, verb: Verb) -> None:
    """Every call is made by freshly loaded code: what the driver has to remember is in its cursor."""
    with trial(candidate, verb) as one:
        end = one.finish(verb)
    with trial(candidate, verb) as other:
        cursor: dict[str, Any] = {}
        for step in range(len(one.moments) * 3 + 10):
            other.driver = candidate.restarted()
            answer = other.call(verb, cursor)
            if isinstance(answer, Done):
                break
            cursor = dict(after(answer, cursor))
            if step % 2:
                other.world.settle()
        if not same(end, answer):
            raise Unfit(
                f"'{verb}' has another end where the driver is started anew for each call: {told(answer)}. "
                "Keep nothing in the driver or its modules between two calls."
            )


def does_not_block(candidate: Candidate, verb: Verb) -> None:
    """No call takes more than 0.2 s of its own, in a cloud that answers at once; no thread is left."""
    before = set(threading.enumerate())
    runs = []
    for _ in range(RUNS):
        with trial(candidate, verb) as one:
            one.finish(verb)
            runs.append(one.seconds)
    for number, seconds in enumerate(zip(*runs, strict=False), 1):
        if min(seconds) > LONGEST_CALL:
            raise Unfit(
                f"'{verb}', call {number}: it took {min(seconds):.2f} s, and no call may take more than "
                f"{LONGEST_CALL:g} s of its own. Start it, say Wait, and look again in the next call."
            )
    left = [thread.name for thread in threading.enumerate() if thread not in before]
    if left:
        raise Unfit(f"'{verb}' leaves threads behind: {', '.join(left)}")


def is_done_only_at_the_end(candidate: Candidate, verb: Verb) -> None:
    """While the cloud is at it, the verb is not Done."""
    with trial(candidate, verb) as one:
        cursor: dict[str, Any] = {}
        for number in range(1, CALLS_WHILE_BUSY + 1):
            answer = one.call(verb, cursor, woken=bool(number % 2))
            if isinstance(answer, Done):
                if one.world.busy():
                    raise Unfit(
                        f"'{verb}', call {number}: it is Done while the cloud is still at it. "
                        "Answer Done only for what was observed."
                    )
                return
            cursor = dict(after(answer, cursor))
