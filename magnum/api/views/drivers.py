"""A driver as clients see it: enough to make a form of its options, and to know what can be asked of its bays."""

from typing import Any

from magnum.api.views import ext, links
from magnum.drivers import options
from magnum.drivers.contract import Driver


def short(driver: Driver, base: str) -> dict[str, Any]:
    """What a list shows of a driver."""
    offers = sorted(driver.provides, key=lambda one: (one.coe, one.server_type, one.os_distro))
    return {
        "name": driver.name,
        "driver_version": driver.version,
        "template_version": driver.template_version,
        "contract": ".".join(str(number) for number in driver.contract),
        "provides": [
            {"server_type": one.server_type, "os_distro": one.os_distro, "coe": one.coe}
            for one in offers
        ],
        "verbs": sorted(verb.value for verb in driver.verbs()),
        "usable": True,
        "links": links.of(base, "drivers", driver.name),
    }


def full(driver: Driver, base: str) -> dict[str, Any]:
    """The same with the JSON schema of its options, and its endpoints."""
    return {
        **short(driver, base),
        "schema": dict(options.of(driver).schema),
        "endpoints": ext.of_driver(driver),
    }


def broken(name: str, reason: str, base: str) -> dict[str, Any]:
    """One that cannot be used, for those who may know why."""
    return {
        "name": name,
        "usable": False,
        "reason": reason,
        "links": links.of(base, "drivers", name),
    }
