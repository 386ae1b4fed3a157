"""Numbers about the whole service, for its operator's metrics: asked for only when somebody looks. One transaction."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from magnum.common.context import RequestContext
from magnum.db.clock import now
from magnum.db.models import UNFINISHED, Bay, Operation
from magnum.db.session import reader


@dataclass(frozen=True, slots=True)
class Figures:
    """``operations`` counts those that have not ended by (verb, state, whose move), ``bays`` by (status, health).

    ``ca_seconds`` is the time until the first CA of a bay expires, None where no bay has one; ``ca_expiring`` counts
    the bays whose CA is good for less than the days that were asked for.
    """

    operations: Mapping[tuple[str, str, str], int]
    bays: Mapping[tuple[str, str], int]
    ca_seconds: float | None
    ca_expiring: int


def look(context: RequestContext, warn_days: float) -> Figures:
    """All of them as they are now."""
    unfinished = (
        select(Operation.verb, Operation.state, Operation.error_actor, func.count())
        .where(Operation.state.in_(UNFINISHED))
        .group_by(Operation.verb, Operation.state, Operation.error_actor)
    )
    by_status = select(Bay.status, Bay.health_status, func.count()).group_by(
        Bay.status, Bay.health_status
    )
    with reader(context) as session:
        operations: dict[tuple[str, str, str], int] = {}
        for verb, state, actor, count in session.execute(unfinished):
            operations[verb, state, actor or ""] = count
        bays = {
            (status, health or ""): count for status, health, count in session.execute(by_status)
        }
        moment, first = session.execute(
            select(now(), select(func.min(Bay.ca_expires_at)).scalar_subquery())
        ).one()
        expiring = session.scalar(
            select(func.count()).where(Bay.ca_expires_at < now(warn_days * 86400))
        )
    seconds = None if first is None else (first - moment).total_seconds()
    return Figures(operations, bays, seconds, expiring or 0)
