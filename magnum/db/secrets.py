"""The store of bays' secrets: one row for each name of a bay. The secret halves in it are sealed, or elsewhere.

Rows come to be only while their bay is there, and go with it in one transaction (:mod:`magnum.db.operations`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from oslo_db import exception as db_exception
from oslo_utils import timeutils
from sqlalchemy import func, insert, or_, select

from magnum.common import ids
from magnum.common.context import RequestContext
from magnum.db.bays import BayNotFound
from magnum.db.models import Bay, Call, Event, Secret
from magnum.db.queue import of_bay
from magnum.db.session import affected, changing, reader, retried, writer

#: Length of a key's name, with which a sealed text begins.
_KEY_NAME = 12


def get(context: RequestContext, bay_uuid: str, name: str) -> Secret | None:
    """One secret of a bay, None where there is none. Who asks has found the bay among those he may see."""
    with reader(context) as session:
        return session.scalar(
            select(Secret).where(Secret.bay_uuid == bay_uuid, Secret.name == name)
        )


def all_of(context: RequestContext, bay_uuid: str) -> list[Secret]:
    """All secrets of a bay."""
    with reader(context) as session:
        return list(
            session.scalars(select(Secret).where(Secret.bay_uuid == bay_uuid).order_by(Secret.id))
        )


def put(
    context: RequestContext,
    bay_uuid: str,
    secrets: Sequence[Mapping[str, Any]],
    bay: Mapping[str, Any] | None = None,
) -> bool:
    """Store secrets of a bay, and columns of the bay with them: all, or none where one is there already.

    Returns whether they were stored. Raises BayNotFound where the bay has gone.
    """
    try:
        _put(context, bay_uuid, secrets, bay or {})
    except db_exception.DBDuplicateEntry:
        return False
    return True


@retried
def _put(
    context: RequestContext,
    bay_uuid: str,
    secrets: Sequence[Mapping[str, Any]],
    bay: Mapping[str, Any],
) -> None:
    made = {"bay_uuid": bay_uuid, "created_at": timeutils.utcnow()}
    empty = {"public": None, "sealed": None, "ref": None, "expires_at": None}
    rows = [{**empty, **made, "uuid": ids.new_uuid(), **one} for one in secrets]
    with writer(context) as session:
        # Locks the bay's row, so that none comes to be while the bay goes.
        values = bay or {"generation": Bay.generation}
        if not affected(session, of_bay(bay_uuid).values(**values)):
            raise BayNotFound(f"Bay {bay_uuid} could not be found.")
        session.execute(insert(Secret), rows)


@retried
def note_bay_user(context: RequestContext, bay_uuid: str, user_id: str) -> None:
    """Remember that a bay has, or is about to get, a user of its own. Raises BayNotFound where the bay has gone."""
    with writer(context) as session:
        if not affected(session, of_bay(bay_uuid).values(bay_user_id=user_id)):
            raise BayNotFound(f"Bay {bay_uuid} could not be found.")


@retried
def replace(context: RequestContext, secret: Secret, **values: Any) -> bool:
    """Write a row anew, unless somebody else has meanwhile. Returns whether it was written."""
    mine = (Secret.id == secret.id, Secret.sealed == secret.sealed)
    with writer(context) as session:
        return bool(affected(session, changing(Secret).where(*mine).values(**values)))


# --- what the key ring's command asks ----------------------------------------------------------------------------


def sealed_otherwise(context: RequestContext, prefix: str, after: int, limit: int) -> list[Secret]:
    """A batch of the rows whose sealed text does not begin with ``prefix``, in order, behind the id ``after``."""
    other = (Secret.sealed.is_not(None), ~Secret.sealed.startswith(prefix, autoescape=True))
    statement = select(Secret).where(*other, Secret.id > after).order_by(Secret.id).limit(limit)
    with reader(context) as session:
        return list(session.scalars(statement))


def count_sealed(context: RequestContext, prefix: str) -> int:
    """How many texts begin with ``prefix``: of secrets, and of calls under way."""
    with reader(context) as session:
        kept = session.scalar(
            select(func.count())
            .select_from(Secret)
            .where(Secret.sealed.startswith(prefix, autoescape=True))
        )
        calls = session.scalar(
            select(func.count())
            .select_from(Call)
            .where(
                or_(
                    Call.request.startswith(prefix, autoescape=True),
                    Call.answer.startswith(prefix, autoescape=True),
                )
            )
        )
    return (kept or 0) + (calls or 0)


def sealing_keys(context: RequestContext) -> list[str]:
    """The names of all keys with which secrets are sealed (:mod:`magnum.certs.sealing`)."""
    name = func.substr(Secret.sealed, 1, _KEY_NAME)
    with reader(context) as session:
        found = session.scalars(select(name).where(Secret.sealed.is_not(None)).distinct())
        return sorted(str(one) for one in found)


# --- CAs that end soon -------------------------------------------------------------------------------------------


@retried
def warn_of_expiry(context: RequestContext, moment: Any, batch: int = 500) -> int:
    """Write an event for each bay whose CA ends before ``moment``, once for each CA. Returns how many."""
    soon = (Bay.ca_expires_at < moment, Bay.ca_warned_at.is_(None))
    warned = 0
    with writer(context) as session:
        found = session.execute(
            select(Bay.uuid, Bay.project_id, Bay.ca_expires_at).where(*soon).limit(batch)
        ).all()
        for bay in found:
            now = timeutils.utcnow()
            mine = changing(Bay).where(Bay.uuid == bay.uuid, *soon)
            if affected(session, mine.values(ca_warned_at=now)):
                end = f"{bay.ca_expires_at:%Y-%m-%d %H:%M} UTC"
                text = (
                    f"The bay's CA ends at {end}, and with it every certificate that it has signed."
                )
                session.add(
                    Event(
                        bay_uuid=bay.uuid,
                        project_id=bay.project_id,
                        code="CA_EXPIRES_SOON",
                        text=text,
                        created_at=now,
                    )
                )
                warned += 1
    return warned
