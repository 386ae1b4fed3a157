"""Reading a document by its schema: the lenient part first, then the strict one.

Clients send numbers and truth values as text, and the empty text for "not given" (contract, D6 and D8).
:meth:`Schema.read` turns such values into what the schema says they are, and only then has jsonschema check the
document. All of that is derived from the schema, so a new field is one line in one place.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from magnum.api.http import unstorable
from magnum.common import errors

#: The largest number that every database keeps in an integer column.
LARGEST: Final = 2**31 - 1

#: How deep lists and objects may stand in one another; what we know needs three.
_DEEPEST: Final = 10

_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,18}\s*", re.ASCII)
_TRUE = frozenset({"1", "t", "true", "y", "yes", "on"})
_FALSE = frozenset({"0", "f", "false", "n", "no", "off"})

#: The end of a text in a pattern. A mere ``$`` lets a line feed pass behind it.
END: Final = r"(?![\s\S])"

Properties = dict[str, Any]


def text(longest: int = 255, shortest: int = 1, **more: Any) -> dict[str, Any]:
    """A text, or null."""
    return {"type": ["string", "null"], "minLength": shortest, "maxLength": longest, **more}


def integer(least: int = 0, most: int = LARGEST) -> dict[str, Any]:
    """A whole number, or null."""
    return {"type": ["integer", "null"], "minimum": least, "maximum": most}


def boolean() -> dict[str, Any]:
    """A truth value, or null."""
    return {"type": ["boolean", "null"]}


def mandatory(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The same without null."""
    kinds = [kind for kind in schema["type"] if kind != "null"]
    return {**schema, "type": kinds[0] if len(kinds) == 1 else kinds}


#: A format of texts: one address, or several with commas between them.
IPV4_LIST: Final = "list of IPv4 addresses"
FORMATS: Final = FormatChecker(Draft202012Validator.FORMAT_CHECKER.checkers)


@FORMATS.checks(IPV4_LIST, ipaddress.AddressValueError)
def _is_ipv4_list(value: object) -> bool:
    if isinstance(value, str):
        for address in value.split(","):
            ipaddress.IPv4Address(address.strip())
    return True


_TEXTS: Final = {"type": "string"}

#: Names to texts. Numbers and truth values become text (contract 1.8).
LABELS: Final = {
    "type": "object",
    "propertyNames": {"minLength": 1, "maxLength": 255},
    "additionalProperties": _TEXTS,
}

#: Options of a driver: names to values of any type, which only the driver's own schema tells.
OPTIONS: Final = {
    "type": ["object", "null"],
    "propertyNames": {"minLength": 1, "maxLength": 255},
}


class Schema:
    """The schema of a JSON object, compiled once."""

    def __init__(
        self, properties: Properties, required: Iterable[str] = (), read_only: Iterable[str] = ()
    ) -> None:
        self.properties = properties
        self.read_only = frozenset(read_only)
        self.document: dict[str, Any] = {
            "type": "object",
            "properties": properties,
            "required": list(required),
            "additionalProperties": False,
        }
        self._validator = Draft202012Validator(self.document, format_checker=FORMATS)

    def read(self, document: Any) -> dict[str, Any]:
        """The document with every value of the type that the schema says. Raises InvalidField."""
        if document is None:
            raise errors.InvalidField("A body is needed: a JSON object.", field="")
        check_storable(document)
        if isinstance(document, dict):
            for name in self.read_only & document.keys():
                raise errors.InvalidField(f"Invalid '/{name}': it is read-only", field=f"/{name}")
            document = self._lenient(document)
        for error in self._validator.iter_errors(document):
            raise refused(error)
        checked: dict[str, Any] = document
        return checked

    def check(self, name: str, value: Any) -> Iterable[ValidationError]:
        """What is wrong with the value of one property."""
        errors_found: Iterable[ValidationError] = self._validator.evolve(
            schema=self.properties.get(name, {})
        ).iter_errors(value)
        return errors_found

    def _lenient(self, document: Mapping[str, Any]) -> dict[str, Any]:
        read = {}
        for name, value in document.items():
            schema = self.properties.get(name)
            if schema is None:
                read[name] = value
            elif value != "" or schema.get("minLength") == 0:
                read[name] = coerced(value, schema)
            elif name in self.document["required"] and _allows(schema, "null"):
                read[name] = None
        return read


def coerced(value: Any, schema: Mapping[str, Any]) -> Any:
    """A value as its schema wants it, where it can be understood so; otherwise as it came."""
    if isinstance(value, str):
        word = value.strip().lower()
        if _allows(schema, "integer") and _INTEGER.fullmatch(value):
            return int(value)
        if _allows(schema, "boolean") and word in _TRUE | _FALSE:
            return word in _TRUE
    elif _allows(schema, "boolean") and value in (0, 1):
        return bool(value)
    elif isinstance(value, float) and _allows(schema, "integer") and value.is_integer():
        return int(value)
    elif isinstance(value, dict) and schema.get("additionalProperties") == _TEXTS:
        return {key: _as_text(inner) for key, inner in value.items()}
    return value


def check_storable(document: Any, path: tuple[str | int, ...] = ()) -> None:
    """Raise InvalidField for what no database could keep: certain characters, or nesting without end."""
    if isinstance(document, str):
        if unstorable(document):
            raise errors.InvalidField(
                f"Invalid {pointer(path)!a}: it has a character that cannot be stored",
                field=pointer(path),
            )
    elif isinstance(document, dict | list):
        if len(path) > _DEEPEST:
            raise errors.InvalidField("The body is nested too deeply", field=pointer(path))
        if isinstance(document, dict):
            for key in document:
                check_storable(key, path)
        steps = document.items() if isinstance(document, dict) else enumerate(document)
        for step, value in steps:
            check_storable(value, (*path, step))


def pointer(path: Iterable[str | int]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def refused(error: ValidationError, at: tuple[str | int, ...] = ()) -> errors.InvalidField:
    """What jsonschema found, as an error that names the field.

    :param at: where in the body the validated document stands.
    """
    path = (*at, *error.absolute_path)
    message = error.message
    rule: Any = error.validator_value
    schema: Any = error.schema
    instance: Any = error.instance
    if error.validator == "required":
        missing = next(name for name in rule if name not in instance)
        path = (*path, missing)
        message = "it is required"
    elif error.validator == "additionalProperties" and rule is False:
        unknown = next(name for name in instance if name not in schema.get("properties", {}))
        path = (*path, unknown)
        message = "there is no such attribute"
    name = f"'{pointer(path)}'" if path else "body"
    return errors.InvalidField(f"Invalid {name}: {_brief(message)}", field=pointer(path))


def _brief(message: str) -> str:
    return message if len(message) <= 300 else f"{message[:200]} ... {message[-80:]}"


def _allows(schema: Mapping[str, Any], kind: str) -> bool:
    kinds = schema.get("type", ())
    return kind == kinds or (not isinstance(kinds, str) and kind in kinds)


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, bool | int | float) else value
