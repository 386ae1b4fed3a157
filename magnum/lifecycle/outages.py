"""Services of the cloud that do not answer: what conductors find out, and what placement makes of it.

A conductor's circuit breakers know first (:mod:`magnum.identity.breaker`); what they know is passed on through the
table ``outage`` to the API, so that new bays go to drivers that can do without. A row counts as long as the circuit is
open: afterwards the service may be tried, and a new bay is as good a try as any.
"""

import logging

from magnum.common.context import RequestContext, service_context
from magnum.common.remembered import Remembered
from magnum.conf import CONF
from magnum.conf.identity import AUTH_GROUP
from magnum.db import outages
from magnum.db.outages import Service
from magnum.identity import breaker

LOG = logging.getLogger(__name__)

#: Longest name of a conductor in the table.
_HOST = 64


class Reporter:
    """Passes on what this process's circuits show. ``owner`` is the process's name in leases."""

    def __init__(self, owner: str) -> None:
        # Its end is the part that no other process has.
        self._host = owner[-_HOST:]
        #: When each circuit was opened of which there is a row, as the breaker has it.
        self._noted: dict[Service, float] = {}

    def report(self) -> None:
        """To be called every second or two: writes where something has changed, in one transaction.

        One whose circuit may be tried again is left to run out: it is written anew if the try fails.
        """
        circuits = breaker.circuits()
        failing = {
            (one.service, one.region): one
            for one in circuits
            if one.open_seconds > 0 and self._noted.get((one.service, one.region)) != one.opened
        }
        working = {(one.service, one.region) for one in circuits if one.closed}
        over = working & self._noted.keys()
        if not failing and not over:
            return
        seconds = {service: one.open_seconds for service, one in failing.items()}
        outages.keep(service_context(), self._host, seconds, over)
        for service in failing.keys() - self._noted.keys():
            LOG.warning(
                "Drivers that need %s get no new bays while others can serve.", _named(service)
            )
        for service in over:
            LOG.warning("Drivers that need %s get new bays again.", _named(service))
            del self._noted[service]
        self._noted |= {service: one.opened for service, one in failing.items()}


def _named(service: Service) -> str:
    return f"{service[0]} in region {service[1]}" if service[1] else service[0]


_lately: Remembered[str, frozenset[Service]] = Remembered(1)


def failing(context: RequestContext) -> frozenset[str]:
    """Types of the services that do not answer where bays are built: one statement, none where one was sent lately."""
    found = _lately.get("")
    if found is None:
        found = outages.current(context)
        _lately.set("", found, CONF.placement.outages_remembered)
    ours = ("", region() or "")
    return frozenset(service for service, where in found if where in ours)


def forget() -> None:
    """Look again at the next call. For tests."""
    _lately.clear()


def region() -> str | None:
    """The region in which bays are built; None where the operator has named none, as in a cloud of one region."""
    named: str | None = CONF.heat_client.region_name or CONF[AUTH_GROUP].region_name
    return named
