"""A look at the cluster: it is healthy if its port says hello."""

import socket

from magnum.drivers.contract import Health, HealthStatus, Work


class GoodMonitor:
    """Looks whether somebody is at home."""

    def look(self, work: Work) -> Health:
        place = (work.bay.api_address or "").rpartition("/")[2]
        host, _, port = place.partition(":")
        try:
            with socket.create_connection((host, int(port or 0)), timeout=1) as connection:
                said = connection.recv(5)
        except OSError as error:
            said = type(error).__name__.encode()
        if said == b"hello":
            return Health(HealthStatus.HEALTHY, {"api": "ok"}, {"cpu": 0.5})
        return Health(HealthStatus.UNHEALTHY, {"api": "it does not answer"})
