"""The store of our own processes: who reported when (contract 2.7)."""

from dataclasses import dataclass

from oslo_db import exception as db_exception
from sqlalchemy import select

from magnum.common.context import RequestContext
from magnum.db.clock import now
from magnum.db.models import Service
from magnum.db.session import affected, changing, reader, retried, writer


@dataclass(frozen=True, slots=True)
class Seen:
    """A process, and whether it has reported lately."""

    service: Service
    up: bool


@retried
def report(context: RequestContext, host: str, binary: str) -> None:
    """Say that a process is at work, on the database's clock. The first report makes its row."""
    ours = (Service.host == host, Service.binary == binary)
    values = {
        "report_count": Service.report_count + 1,
        "last_seen_up": now(),
        "updated_at": now(),
    }
    with writer(context) as session:
        if affected(session, changing(Service).where(*ours).values(**values)):
            return
    try:
        with writer(context) as session:
            session.add(Service(host=host, binary=binary, report_count=1, last_seen_up=now()))
    except db_exception.DBDuplicateEntry:
        pass  # another process of the same host made it in the same moment


def seen(context: RequestContext, within: float) -> list[Seen]:
    """Every process that ever reported. It is up where it did so within so many seconds."""
    up = Service.last_seen_up >= now(-within)
    with reader(context) as session:
        rows = session.execute(select(Service, up).order_by(Service.id)).all()
    return [Seen(service, bool(fresh)) for service, fresh in rows]
