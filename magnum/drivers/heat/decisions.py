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
