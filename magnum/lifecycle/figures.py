"""What metrics show of things that are found out only when somebody looks: the database's figures, and the breakers.

Nothing here runs unless ``[metrics] port`` is set and somebody asks; then it is four statements. Every conductor shows
the same figures of the database: take one of them, or the greatest.
"""

import logging
from collections.abc import Iterator

from oslo_db import exception as db_exception
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from magnum.common import metrics
from magnum.common.context import service_context
from magnum.conf import CONF
from magnum.db import figures
from magnum.db.figures import Figures
from magnum.identity import breaker

LOG = logging.getLogger(__name__)


class Breakers(Collector):
    """The circuits of this process."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One value for each cloud service that was asked so far."""
        is_open = GaugeMetricFamily(
            "magnum_circuit_open",
            "1 while a cloud service is left alone because it did not answer, and until it answers again; else 0.",
            labels=("service", "region"),
        )
        for one in breaker.circuits():
            is_open.add_metric((one.service, one.region), float(not one.closed))
        yield is_open


class Fleet(Collector):
    """The database's figures."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All figures; of a database that does not answer only that."""
        try:
            found = figures.look(service_context(), CONF.certificates.warn_days)
        except (db_exception.DBError, SQLAlchemyError) as error:
            LOG.warning("The database does not give the figures for metrics: %s", error)
            yield database_answers(False)
            return
        yield database_answers(True)
        yield from families(found)


def database_answers(it_does: bool) -> GaugeMetricFamily:
    """Whether there are figures at all."""
    return GaugeMetricFamily(
        "magnum_database_answers",
        "1 if the database answered this look; 0 if not, and then the other figures are not shown.",
        value=float(it_does),
    )


def families(found: Figures) -> Iterator[GaugeMetricFamily]:
    """Figures as metrics."""
    operations = GaugeMetricFamily(
        "magnum_operations_unfinished",
        "Operations that have not ended, by what was asked, their state (PENDING, RUNNING, BLOCKED) and whose move it "
        "is (user, operator, nobody; empty while nothing stands in the way).",
        labels=("verb", "state", "actor"),
    )
    for labels, count in found.operations.items():
        operations.add_metric(labels, count)
    yield operations
    bays = GaugeMetricFamily(
        "magnum_bays",
        "Bays by status and by health (empty where nobody has looked).",
        labels=("status", "health"),
    )
    for names, count in found.bays.items():
        bays.add_metric(names, count)
    yield bays
    nearest = GaugeMetricFamily(
        "magnum_ca_expiry_seconds",
        "Seconds until the first CA of a bay expires, below 0 where one has; not shown where no bay has a CA.",
    )
    if found.ca_seconds is not None:
        nearest.add_metric((), found.ca_seconds)
    yield nearest
    expiring = GaugeMetricFamily(
        "magnum_cas_expiring",
        "Bays whose CA expires within [certificates] warn_days, or has.",
    )
    expiring.add_metric((), found.ca_expiring)
    yield expiring


def serve_conductor() -> None:
    """Show the metrics of a conductor process. To be called after its fork."""
    metrics.serve("conductor", (Breakers(), Fleet()))


def serve_api() -> None:
    """Show the metrics of a process of the API. To be called after its fork; costs nothing when called again."""
    metrics.serve("api", (Breakers(),))
