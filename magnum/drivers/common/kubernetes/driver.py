"""The base of our Kubernetes drivers: the shared Heat driver, which also keeps the cluster tidy after a scaling."""

from magnum.drivers.common.kubernetes.scale import tidy
from magnum.drivers.contract import Done, Outcome, Work
from magnum.drivers.heat.driver import HeatDriver

#: Seconds for tidying up.
TIDY = 5.0


class KubernetesDriver(HeatDriver):
    """A subclass sets name, versions, ``provides`` and ``definition``, and takes endpoints, monitor and scaler."""

    def bay_update(self, work: Work) -> Outcome:
        """As every Heat driver, and then have the cluster forget the nodes that are gone."""
        outcome = super().bay_update(work)
        if isinstance(outcome, Done) and work.bay.api_address:
            tidy(work, TIDY)
        return outcome
