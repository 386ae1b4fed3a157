"""How an operation is shown while it is under way. Pure: what is shown follows from what is given.

On a terminal it is one line that is written over and over; elsewhere a line for everything that changes.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from magnum.osc.texts import clipped, lasting, one_line, seconds_since

#: States in which an operation has ended, and the one that is success.
ENDED: Final = frozenset({"DONE", "FAILED", "CANCELLED"})
DONE: Final = "DONE"
BLOCKED: Final = "BLOCKED"
PENDING: Final = "PENDING"

#: Whose move it is, in words.
MOVES: Final = {
    "user": "your move",
    "operator": "the cloud operator's move",
    "nobody": "nobody's move, it is tried again",
}

_Told = Mapping[str, Any]


def live(
    operation: _Told, bay: str, event: _Told | None, now: datetime, width: int, trouble: str = ""
) -> str:
    """One line that says where it stands, no wider than the terminal.

    :param bay: the bay's name.
    :param event: the last thing that happened.
    :param trouble: why the API could not be asked just now.
    """
    elapsed = lasting(seconds_since(operation["created_at"], now))
    parts = [f"{_title(operation, bay)}: {_state(operation)}", where(operation), elapsed]
    parts.append(trouble or _last(operation, event))
    return clipped(one_line(", ".join(part for part in parts if part)), width)


def step(operation: _Told, bay: str, now: datetime) -> str:
    """The same as a line that stays, for logs; without the last event, which has a line of its own."""
    elapsed = lasting(seconds_since(operation["created_at"], now))
    parts = [f"{_title(operation, bay)}: {_state(operation)}", where(operation), f"after {elapsed}"]
    return one_line(", ".join(part for part in parts if part))


def mark(operation: _Told) -> tuple[Any, ...]:
    """What makes a new line worth while."""
    error = operation["error"] or {}
    names = ("state", "stage", "done", "total")
    return (*(operation[name] for name in names), error.get("code"))


def happened(event: _Told) -> str:
    """An event on one line."""
    return one_line(f"{event['created_at'][:19]}  {event['code']}  {event['text']}")


def blocked(operation: _Told) -> str:
    """What stands in the way, and what to do about it: lines that stay."""
    error = operation["error"] or {}
    lines = [
        f"It is blocked ({move(error)}): {error.get('code')}: {one_line(error.get('text') or '')}"
    ]
    if error.get("help"):
        lines.append(f"  What to do: {one_line(error['help'])}")
    return "\n".join(lines)


def move(error: _Told) -> str:
    """Whose move it is."""
    return MOVES.get(error.get("actor") or "", "nobody knows whose move it is")


def interrupted(operation: str) -> str:
    """What is said to somebody who stops waiting."""
    return (
        "You have stopped waiting; the work goes on.\n"
        f"To come back: openstack bay operation wait {operation}"
    )


def where(operation: _Told) -> str:
    """The stage, and how many of how many, of what is under way or has got stuck there."""
    if operation["state"] == DONE:
        return ""
    stage = operation["stage"] or ""
    if operation["total"]:
        return f"{stage} {operation['done'] or 0}/{operation['total']}".strip()
    return stage


def _title(operation: _Told, bay: str) -> str:
    return f"{operation['verb'].replace('_', ' ')} {bay}"


def _state(operation: _Told) -> str:
    if operation["state"] == PENDING and operation["next_look_at"] is None:
        return "PENDING, waits behind other work"
    return str(operation["state"])


def _last(operation: _Told, event: _Told | None) -> str:
    error = operation["error"]
    if error and operation["state"] not in ENDED:
        return f"{error['code']} ({move(error)}): {error['text'] or ''}"
    if event is None or event["code"] == "ACCEPTED":  # that says no more than the line does
        return ""
    return f"{event['code']}: {event['text']}"
