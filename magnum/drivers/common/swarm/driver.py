"""The base of drivers of Docker Swarm: the shared Heat driver, which also keeps the Swarm tidy after a scaling."""

from magnum.drivers.common.swarm.scale import tidy
from magnum.drivers.contract import Done, Outcome, Work
from magnum.drivers.heat.driver import HeatDriver

#: Seconds for tidying up.
TIDY = 5.0


class SwarmDriver(HeatDriver):
    """A subclass sets name, versions, ``provides`` and ``definition``, and takes endpoints, monitor and scaler."""

    def bay_update(self, work: Work) -> Outcome:
        """As every Heat driver, and then have the Swarm forget the nodes that are gone."""
        outcome = super().bay_update(work)
        if isinstance(outcome, Done) and work.bay.api_address:
            tidy(work, TIDY)
        return outcome
