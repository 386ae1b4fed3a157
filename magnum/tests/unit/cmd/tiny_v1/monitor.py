"""A monitor that knows nothing."""

from magnum.drivers.contract import Health, HealthStatus, Work


class TinyMonitor:
    """Looks at nothing."""

    def look(self, work: Work) -> Health:
        return Health(HealthStatus.UNKNOWN)
