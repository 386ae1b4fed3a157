"""Static checks of ``schema.json``: a JSON Schema of one flat object, each option with the effect of a change."""

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema

from magnum.drivers.authoring.findings import Finding
from magnum.drivers.conformance.border import CHANGES

FILE = "schema.json"
#: Types that a label's text can be turned into.
TYPES = ("string", "integer", "number", "boolean", "array")


def schema(folder: Path) -> Iterator[Finding]:
    """The file can be used by the service."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except OSError:
        return
    try:
        read = json.loads(text)
        jsonschema.Draft202012Validator.check_schema(read)
    except json.JSONDecodeError as error:
        yield Finding(FILE, error.lineno, f"It is no JSON: {error.msg}.", "Correct it.")
        return
    except (jsonschema.SchemaError, ValueError) as error:
        said = getattr(error, "message", error)
        yield Finding(FILE, 0, f"It is no JSON Schema: {said}.", "Correct it.")
        return
    if not isinstance(read, dict) or read.get("type") != "object":
        yield Finding(FILE, 0, "It is not the schema of an object.", 'Set "type": "object".')
        return
    if not isinstance(read.get("properties"), dict):
        advice = 'Set "properties" to an object; to {} where there are no options.'
        yield Finding(FILE, 0, "It declares no properties.", advice)
        return
    for name, declared in read["properties"].items():
        yield from _option(name, declared, _line(text, name))


def _line(text: str, name: str) -> int:
    """Where a property is declared: the first line that begins with its name as a key."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip().startswith(f'"{name}":'):
            return number
    return 0


def _option(name: str, declared: object, line: int) -> Iterator[Finding]:
    if not isinstance(declared, dict):
        yield Finding(FILE, line, f"The option {name} is no object.", "Declare its type.")
        return
    if declared.get("x-change") not in CHANGES:
        yield Finding(
            FILE,
            line,
            f"The option {name} does not say what changing it does.",
            f'Set "x-change" to one of {", ".join(CHANGES)}.',
        )
    if declared.get("type", "string") not in TYPES:
        yield Finding(
            FILE,
            line,
            f"The option {name} is of type {declared['type']}, which no label can be.",
            f"Use one of {', '.join(TYPES)}.",
        )
    if not declared.get("description"):
        yield Finding(FILE, line, f"The option {name} has no description.", "Write one.")
    if "default" not in declared:
        return
    for error in jsonschema.Draft202012Validator(declared).iter_errors(declared["default"]):
        yield Finding(
            FILE,
            line,
            f"The default of {name} is not allowed by its own schema: {error.message}.",
            "Change the one or the other.",
        )
