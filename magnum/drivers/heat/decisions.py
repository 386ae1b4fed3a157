"""From what Heat shows to where a verb stands: pure decisions, apart from the doing.

Heat's status is an action and a status of it, for example UPDATE_IN_PROGRESS. A stack may also be
acted upon by others (checked, suspended, resumed, deleted by hand), so every pair has an answer.
"""

import enum
import json
from collections.abc import Mapping, Sequence
from typing import Any

from magnum.drivers.heat.stack import StackView

#: Actions and statuses that Heat has.
ACTIONS = (
    *("INIT", "CREATE", "UPDATE", "DELETE", "ROLLBACK", "SUSPEND", "RESUME"),
    *("ADOPT", "SNAPSHOT", "CHECK", "RESTORE"),
)
STATUSES = ("IN_PROGRESS", "FAILED", "COMPLETE")


#: Actions that leave a cluster as it was made. What else somebody may do to a stack changes it.
HARMLESS = ("CREATE", "UPDATE", "RESUME", "CHECK", "SNAPSHOT", "ADOPT", "RESTORE")

#: Failures whose cause can pass: the same is tried again, at the operator's pace.
PASSING = frozenset({"QUOTA_EXCEEDED", "NO_CAPACITY", "FLOATING_IPS_EXHAUSTED"})
#: Failures that are over when they are seen: the same is tried again at once.
OVER = frozenset({"CLOUD_RESTARTED"})


class Standing(enum.Enum):
    """Where a verb stands."""

    UNDER_WAY = "Heat is at it"
    COMPLETE = "the end is reached"
    FAILED = "Heat gave up"
    NOT_BEGUN = "Heat has not begun with what was asked"
    GONE = "the stack is gone or going"


def of_create(action: str, status: str) -> Standing:
    """Where a creation stands, after Heat accepted it."""
    if action == "DELETE":
        return Standing.GONE
    if action in ("INIT", "") or status not in ("FAILED", "COMPLETE"):
        # INIT_COMPLETE is a stack that Heat has stored and not yet begun with.
        return Standing.UNDER_WAY
    if status == "FAILED" or action == "ROLLBACK":
        return Standing.FAILED
    return Standing.COMPLETE


def of_update(action: str, status: str, *, applied: bool) -> Standing:
    """Where an update stands, after Heat accepted it.

    ``applied`` says whether the stack shows the parameters that were asked for: without them, an
    end that is seen is the end of something else, earlier.
    """
    if action == "DELETE":
        return Standing.GONE
    if action in ("INIT", "") or status not in ("FAILED", "COMPLETE"):
        return Standing.UNDER_WAY
    if action == "ROLLBACK":
        return Standing.FAILED
    if action == "CREATE" or not applied:
        return Standing.NOT_BEGUN
    if status == "FAILED":
        return Standing.FAILED if action == "UPDATE" else Standing.NOT_BEGUN
    return Standing.COMPLETE


def of_delete(left: Sequence[StackView]) -> Standing:
    """Where a deletion stands, from the stacks that still bear the bay's tag."""
    if not left:
        return Standing.COMPLETE
    if any(view.action == "DELETE" and view.status == "FAILED" for view in left):
        return Standing.FAILED
    if any(view.action != "DELETE" for view in left):
        return Standing.NOT_BEGUN
    return Standing.UNDER_WAY


def is_going(action: str, status: str) -> bool:
    """Whether Heat is at the deletion of a stack. One that is gone is still shown for a while."""
    return action == "DELETE" and status not in ("FAILED", "COMPLETE")


class Observed(enum.Enum):
    """What a look at a bay's stack finds, while no verb is at work on it."""

    AS_MADE = "as it was made"
    BUSY = "Heat is at it"
    CHANGED = "not as it was made"
    GONE = "the stack is gone or going"


def of_look(action: str, status: str) -> Observed:
    """What a stack is that nobody of ours is at. Its parameters may show a change all the same."""
    if action == "DELETE":
        return Observed.GONE
    if action in ("INIT", "") or status not in ("FAILED", "COMPLETE"):
        return Observed.BUSY
    if status == "FAILED" or action not in HARMLESS:
        return Observed.CHANGED
    return Observed.AS_MADE


class Move(enum.Enum):
    """What to do about a failure."""

    GIVE_UP = "asking again would not help"
    ASK_LATER = "ask again when its cause may have passed"
    ASK_NOW = "its cause has passed: ask again"


def after_failure(code: str) -> Move:
    """What to do about a failure of this code."""
    if code in OVER:
        return Move.ASK_NOW
    return Move.ASK_LATER if code in PASSING else Move.GIVE_UP


def differences(wanted: Mapping[str, Any], shown: Mapping[str, str]) -> tuple[str, ...]:
    """Which parameters the stack shows otherwise than they are wanted, in words."""
    return tuple(
        f"{name} is {shown.get(name, 'not known')}, and not {value}"
        for name, value in sorted(wanted.items())
        if not _same(value, shown.get(name))
    )


def is_applied(wanted: Mapping[str, Any], shown: Mapping[str, str]) -> bool:
    """Whether a stack shows these parameters. Heat shows every value as text, hidden ones as stars."""
    return all(_same(value, shown.get(name)) for name, value in wanted.items())


def _same(value: Any, text: str | None) -> bool:
    if text is None:
        return False
    if isinstance(value, bool):
        return str(value).lower() == text.lower()
    if isinstance(value, str | int | float):
        return str(value) == text
    try:
        return bool(json.loads(text) == value)
    except ValueError:
        return False
