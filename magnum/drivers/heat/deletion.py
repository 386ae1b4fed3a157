"""The deletion of a bay: its stacks go, and then the cloud is searched for anything that is left.

It works from every state of the stack and of an earlier deletion. It ends only after a look for the
bay's tag in Heat, and for its mark in the other services, has found nothing. Servers and volumes
that Heat has left behind are deleted; anything else that is left is somebody's move.
"""

from dataclasses import replace

from magnum.drivers.contract import (
    Actor,
    Blocked,
    DeleteFailed,
    Done,
    Leftover,
    NotFound,
    Outcome,
    Progress,
    Wait,
    Work,
)
from magnum.drivers.heat import decisions, search
from magnum.drivers.heat.cursor import Cursor
from magnum.drivers.heat.decisions import Standing
from magnum.drivers.heat.errors import AlreadyThere, clean
from magnum.drivers.heat.looks import SharedLooks
from magnum.drivers.heat.stack import Stack, StackView

#: Looks at a stack that is not being deleted though that was asked for, until it is asked again.
LOOKS_UNTIL_ASKED_AGAIN = 3
#: Longest wait between two tries of a deletion that fails, in seconds.
LONGEST_WAIT = 120.0
#: Longest wait where nothing is asked of Heat, so that no event of its will tell of an end, in seconds.
LONGEST_PAUSE = 5.0
#: Searches that may find what has been asked to go, until the user is told of it.
SEARCHES_UNTIL_TOLD = 3
#: Most leftovers that a text names. The answer itself has them all.
MOST_NAMED = 5


def delete(work: Work, looks: SharedLooks) -> Outcome:
    """One pass of a bay's deletion. ``looks`` are those of all bays."""
    stack, cursor = Stack(work), Cursor.of(work)
    if not cursor.asked and cursor.stack_id is not None:
        if _ask(stack, cursor.stack_id):
            return _deleting(work, cursor.asked_now())
    elif _is_under_way(work, stack, cursor, looks):
        return _deleting(work, cursor)
    left = stack.find()
    match decisions.of_delete(left):
        case Standing.COMPLETE:
            if cursor.stack_id is None and work.unsettled > 0:
                # Heat may still be about to begin with a creation whose answer nobody has seen.
                return _deleting(work, cursor.looked(), min(_pause(work), work.unsettled))
            return _prove(work, cursor)
        case Standing.UNDER_WAY:
            return _deleting(work, replace(cursor, stack_id=left[0].stack_id))
        case Standing.FAILED:
            return _again(work, stack, cursor, left)
    cursor = replace(cursor, stack_id=left[0].stack_id)
    if cursor.asked and cursor.looks < LOOKS_UNTIL_ASKED_AGAIN:
        return _deleting(work, cursor.looked(), _pause(work))
    asked = [_ask(stack, view.stack_id) for view in left]
    return _deleting(work, cursor.asked_now(), None if any(asked) else _pause(work))


def _ask(stack: Stack, stack_id: str) -> bool:
    """Whether there is a stack to wait for. The next look tells where Heat is busy with it."""
    try:
        stack.delete(stack_id)
    except NotFound:
        return False
    except AlreadyThere:
        pass
    return True


def _pause(work: Work) -> float:
    """Seconds until the next look, where Heat is not at anything of which it would tell."""
    return min(work.poll_interval, LONGEST_PAUSE)


def _is_under_way(work: Work, stack: Stack, cursor: Cursor, looks: SharedLooks) -> bool:
    """Whether Heat is still at the stack that is known. Where it is not, the tag tells what is left.

    The stack's id finds it even where somebody has taken its tag away.
    """
    stack_id = cursor.stack_id
    if stack_id is None or work.woken:
        return False

    def alone() -> StackView | None:
        try:
            return stack.look(stack_id, outputs=False)
        except NotFound:
            return None

    view = looks.look(work.bay.project_id, stack_id, alone, stack.look_at_all)
    return view is not None and decisions.is_going(view.action, view.status)


def _deleting(work: Work, cursor: Cursor, seconds: float | None = None) -> Wait:
    wait = work.poll_interval if seconds is None else seconds
    return Wait(wait, cursor.data(), Progress("deleting the stack"))


def _again(work: Work, stack: Stack, cursor: Cursor, left: tuple[StackView, ...]) -> Wait:
    """Ask once more for what would not go, and wait longer each time."""
    for view in left:
        _ask(stack, view.stack_id)
    reasons = "; ".join(clean(view.reason) for view in left if view.status == "FAILED")
    trouble = DeleteFailed(
        f"A part of the cluster would not go away, and is asked again: {reasons}",
        f"stacks {', '.join(view.stack_id for view in left)} DELETE_FAILED: {reasons}",
        tuple(Leftover("orchestration", "stack", view.stack_id, view.name) for view in left),
    )
    cursor = replace(cursor, stack_id=left[0].stack_id).asked_now()
    seconds = min(LONGEST_WAIT, work.poll_interval * 2 ** min(cursor.asked - 1, 10))
    return Wait(seconds, cursor.data(), Progress("deleting the stack"), trouble=trouble)


def _prove(work: Work, cursor: Cursor) -> Outcome:
    """The stacks are gone: nothing else of the bay may be left."""
    found = search.leftovers(work.clouds, work.bay.uuid)
    if not found:
        return Done()
    may_go = search.remove(work.clouds, work.bay.uuid, found)
    left = tuple(one.leftover for one in found)
    cursor = replace(cursor, searches=cursor.searches + 1)
    if may_go and cursor.searches < SEARCHES_UNTIL_TOLD:
        stage = Progress("deleting what Heat has left behind")
        return Wait(_pause(work), cursor.data(), stage)
    named = ", ".join(f"{item.kind} {item.name or item.ident}" for item in left[:MOST_NAMED])
    more = f", and {len(left) - MOST_NAMED} more" if len(left) > MOST_NAMED else ""
    return Blocked(
        "LEFTOVERS",
        Actor.USER,
        f"Its stack is gone, but parts of the cluster are still in the cloud: {clean(named)}{more}.",
        "; ".join(f"{item.service} {item.kind} {item.ident} ({clean(item.name)})" for item in left),
        cursor=cursor.data(),
        # Services may need a moment after Heat has seen the end. After that it is somebody's move.
        seconds=_pause(work) if cursor.searches == 1 else None,
        leftovers=left,
    )
