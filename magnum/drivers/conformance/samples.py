"""A value that a JSON schema allows, as small as can be: what the suite asks a driver's endpoints with."""

from collections.abc import Mapping
from typing import Any

import jsonschema


class Unknown(Exception):
    """Something cannot be tried in this world: the case is skipped. The text says why, and how it could be tried."""


def sample(schema: Mapping[str, Any]) -> Any:
    """A value for a schema. Raises Unknown where none is found."""
    made = _made(schema)
    try:
        jsonschema.Draft202012Validator(schema).validate(made)
    except jsonschema.ValidationError as error:
        raise Unknown(
            f"No request is known that the schema allows ({error.message}): "
            "put an example into it, or give the driver's World a method 'request'."
        ) from error
    return made


def _made(schema: Mapping[str, Any]) -> Any:
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            declared = schema.get("properties", {})
            return {name: _made(declared.get(name, {})) for name in schema.get("required", ())}
        case "array":
            return [_made(schema.get("items", {}))] * int(schema.get("minItems", 0))
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case "null":
            return None
    return "x" * max(1, int(schema.get("minLength", 1)))
