"""What is due, in one statement, so that an idle conductor asks the database one thing only: see its sweep."""

from dataclasses import dataclass

from sqlalchemy import literal, select, union_all

from magnum.common.context import RequestContext
from magnum.db import calls, queue
from magnum.db.session import reader

_OPERATION, _CALL = "operation", "call"


@dataclass(frozen=True, slots=True)
class Due:
    """Ids of what somebody should look at now, the longest waiting first."""

    operations: list[int]
    calls: list[int]


def look(context: RequestContext, most_operations: int, most_calls: int) -> Due:
    """So many operations, and so many calls, at most. One statement."""
    parts = {
        _OPERATION: queue.to_look_at(most_operations),
        _CALL: calls.of_nobody(most_calls),
    }
    # Limits inside a union: the databases agree on this form only.
    whole = union_all(
        *(
            select(literal(kind).label("kind"), part.subquery(kind).c.id)
            for kind, part in parts.items()
        )
    )
    found: dict[str, list[int]] = {kind: [] for kind in parts}
    with reader(context) as session:
        for kind, ident in session.execute(whole):
            found[kind].append(ident)
    return Due(found[_OPERATION], found[_CALL])
