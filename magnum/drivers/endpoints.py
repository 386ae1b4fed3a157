"""A driver's endpoints: whether they are declared as they must be, and which one is meant. Pure; nothing is called.

What an author writes stands in :mod:`magnum.drivers.contract.extension`. Both sides of a call use this module: the API
before it asks, the conductor before and after it calls a handler.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

from magnum.drivers.contract import Driver, Endpoint, Who

METHODS = ("GET", "POST")
#: Names stand in paths and in the names of rules.
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")


def fault_of(driver: Driver) -> str | None:
    """What is wrong with a driver's endpoints, or None."""
    seen: set[tuple[str, str]] = set()
    declared: Iterable[object] = driver.endpoints
    for endpoint in declared:
        if not isinstance(endpoint, Endpoint):
            return f"{type(endpoint).__qualname__} among the endpoints is no Endpoint"
        if fault := _fault(endpoint):
            return f"endpoint {endpoint.name!r}: {fault}"
        if (endpoint.name, endpoint.method) in seen:
            return f"endpoint {endpoint.name!r}: {endpoint.method} is there twice"
        seen.add((endpoint.name, endpoint.method))
    return None


def _fault(endpoint: Endpoint) -> str | None:
    handler: object = endpoint.handler
    schemas: dict[str, object] = {"request": endpoint.request, "response": endpoint.response}
    if not _NAME.fullmatch(endpoint.name):
        return "a name is made of small letters, digits and hyphens, and begins with a letter"
    if endpoint.method not in METHODS:
        return f"its method is {endpoint.method!r}, not one of {', '.join(METHODS)}"
    if not callable(handler):
        return "its handler cannot be called"
    if endpoint.who not in list(Who):
        return f"who may call it is {endpoint.who!r}, not one of {', '.join(Who)}"
    for what, schema in schemas.items():
        if not isinstance(schema, Mapping) or schema.get("type") != "object":
            return f"its {what} is no JSON schema of type object"
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            return f"its {what} is no JSON schema: {error.message}"
    return None


def find(driver: Driver, name: str, method: str) -> Endpoint | None:
    """A driver's endpoint, None where it has no such one."""
    for endpoint in driver.endpoints:
        if (endpoint.name, endpoint.method) == (name, method):
            return endpoint
    return None


def misfit(schema: Mapping[str, Any], document: object) -> ValidationError | None:
    """The first thing in which a document is not as its schema says, or None."""
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return next(iter(validator.iter_errors(document)), None)
