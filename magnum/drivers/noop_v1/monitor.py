"""How a cluster of this driver is: as the option ``noop_health`` says.

A conductor asks a monitor now and then about each cluster that is complete and that nobody is changing. A real one asks
the cluster's own API, with a certificate from ``work.secrets``, and answers within ten seconds. It raises nothing: a
cluster that does not answer is UNHEALTHY, and one of which nothing can be said is UNKNOWN.
"""

from magnum.drivers.common.options import Options
from magnum.drivers.contract import Health, HealthStatus, Work

OPTIONS = Options(__package__)


class NoopMonitor:
    """``Monitor`` of the contract."""

    def look(self, work: Work) -> Health:
        """One part after the other, each with ``ok`` or what is wrong with it."""
        # An option that the schema does not allow is passed over: a look must not fail for it.
        options = OPTIONS.read(work.bay.labels, strict=False)
        status = HealthStatus(options["noop_health"])
        reasons = {"api": "ok"}
        if status is not HealthStatus.HEALTHY:
            reasons["node-0"] = f"The option noop_health says that the cluster is {status}."
        return Health(status, reasons)


MONITOR = NoopMonitor()
