"""The rules of the endpoints that the drivers in the tree bring, for the sample of the operator's policy file."""

from collections.abc import Iterable

from oslo_policy import policy

from magnum.drivers import catalogue
from magnum.drivers.contract import Driver, Endpoint, Who
from magnum.policies import ext

#: From the least to the most that must be allowed to a caller.
_STRICTER = (Who.READER, Who.MEMBER, Who.ADMIN)


def list_rules() -> list[policy.RuleDefault]:
    """Entry point ``oslo.policy.policies``: the rules of all installed drivers' endpoints, with their defaults."""
    found = catalogue.entry_points(catalogue.Selection())
    return [rule for driver in found.drivers for rule in of_driver(driver)]


def of_driver(driver: Driver) -> list[policy.RuleDefault]:
    """The rules of one driver's endpoints."""
    names = dict.fromkeys(endpoint.name for endpoint in driver.endpoints)
    return [of_endpoint(driver, name) for name in names]


def of_endpoint(driver: Driver, name: str) -> policy.RuleDefault:
    """The rule of an endpoint. One that can be read and written has the stricter one of its two."""
    ours: Iterable[Endpoint] = [one for one in driver.endpoints if one.name == name]
    strictest = max(ours, key=lambda one: _STRICTER.index(one.who))
    return ext.of_endpoint(driver.name, name, strictest.who, strictest.help, strictest.method)
