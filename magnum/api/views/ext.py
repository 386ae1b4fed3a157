"""The endpoints of a bay's driver as clients see them: enough to offer each on a command line."""

from typing import Any

from magnum.api.spelling import Spelling
from magnum.api.views import links
from magnum.drivers.contract import Driver, Endpoint


def of_driver(driver: Driver) -> list[dict[str, Any]]:
    """What a driver declares, without a bay."""
    return [_declared(endpoint) for endpoint in driver.endpoints]


def of_bay(driver: Driver, bay: str, spelling: Spelling, base: str) -> list[dict[str, Any]]:
    """The same below one of its bays; ``path`` is relative to the version's own URL, which clients know."""
    found = []
    for endpoint in driver.endpoints:
        place = f"{bay}/ext/{driver.name}/{endpoint.name}"
        found.append(
            {
                **_declared(endpoint),
                "driver": driver.name,
                "path": f"/{spelling.bays}/{place}",
                "links": [{"href": links.to(base, spelling.bays, place), "rel": "self"}],
            }
        )
    return found


def _declared(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "name": endpoint.name,
        "method": endpoint.method,
        "help": endpoint.help,
        "who": endpoint.who.value,
        "secret": endpoint.secret,
        "request": dict(endpoint.request),
        "response": dict(endpoint.response),
    }
