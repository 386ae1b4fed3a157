"""Options of a driver, read from ``name=value`` as the driver's own schema says that they are."""

from collections.abc import Iterable, Mapping
from typing import Any

from osc_lib.exceptions import CommandError

from magnum.osc import schema
from magnum.osc.client import Client
from magnum.osc.errors import ApiError


def read(client: Client, driver: str | None, pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The options with values of the types that the driver declares.

    :param driver: None where it is not known; then the service says what it does not like.

    Raises CommandError for what cannot be of its type.
    """
    declared = declared_by(client, driver)
    found = {}
    for name, text in pairs:
        try:
            found[name] = schema.typed(text, declared[name]) if name in declared else text
        except ValueError as error:
            raise CommandError(f"The option '{name}' cannot be '{text}': {error}.") from None
    return found


def declared_by(client: Client, driver: str | None) -> Mapping[str, Any]:
    """The options of a driver: name to schema. None where it is not known."""
    if driver is None:
        return {}
    try:
        body = client.get("drivers", driver.partition("@")[0])
    except ApiError as error:
        if error.status not in (403, 404):
            raise
        return {}
    found: Mapping[str, Any] = body.get("schema", {}).get("properties", {})
    return found


def chosen_driver(client: Client, wish: Mapping[str, Any]) -> str | None:
    """The driver that a wish would get (``POST /v1/placements``), None where it would get none.

    Raises ApiError for a wish that cannot be.
    """
    found: str | None = client.post("placements", body=wish)["driver"]
    return found


def patch(options: Mapping[str, Any], unset: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The changes of a PATCH that set options, and put others back to what the driver has by default."""
    changes = [
        {"op": "add", "path": f"/options/{name}", "value": value} for name, value in options.items()
    ]
    return [*changes, *({"op": "remove", "path": f"/options/{name}"} for name in unset)]
