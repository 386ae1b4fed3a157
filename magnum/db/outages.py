"""The store of outages: which services of the cloud some conductor cannot reach at present.

Conductors write it, placement in the API reads it. While everything works there are no rows, and nobody writes any.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import delete, or_, select, tuple_

from magnum.common.context import RequestContext
from magnum.db.clock import now
from magnum.db.models import Outage
from magnum.db.session import reader, retried, writer

#: A service's type and region; no region is the empty text.
Service = tuple[str, str]

#: Seconds that a row is kept beyond its time, for people who look into the table.
_KEPT = 3600.0


def current(context: RequestContext) -> frozenset[Service]:
    """The services that do not answer at present. One statement."""
    with reader(context) as session:
        rows = session.execute(
            select(Outage.service_type, Outage.region).where(Outage.until > now()).distinct()
        )
        return frozenset((service, region) for service, region in rows)


@retried
def keep(
    context: RequestContext, host: str, failing: Mapping[Service, float], over: Collection[Service]
) -> None:
    """Note what one conductor has found: services that do not answer, and those that do again.

    :param failing: seconds for which each counts from now on.
    :param over: services whose row is removed.
    """
    named = [*failing, *over]
    with writer(context) as session:
        mine = tuple_(Outage.service_type, Outage.region).in_(named)
        session.execute(
            delete(Outage).where(or_((Outage.host == host) & mine, Outage.until < now(-_KEPT)))
        )
        for (service, region), seconds in failing.items():
            session.add(Outage(service_type=service, region=region, host=host, until=now(seconds)))
