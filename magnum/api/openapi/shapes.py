"""Words for the shapes of answers, as JSON Schema (Draft 2020-12)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

Shape = dict[str, Any]

TEXT: Final[Shape] = {"type": "string"}
UUID: Final[Shape] = {"type": "string", "format": "uuid"}
URL: Final[Shape] = {"type": "string", "format": "uri"}
FLAG: Final[Shape] = {"type": "boolean"}
COUNT: Final[Shape] = {"type": "integer", "minimum": 0}
NUMBER: Final[Shape] = {"type": "number"}
#: A time of day and year with its offset (contract 1.8).
MOMENT: Final[Shape] = {"type": "string", "format": "date-time"}
#: Names to texts, such as labels.
TEXTS: Final[Shape] = {"type": "object", "additionalProperties": TEXT}
#: What only a driver, or the operator's own code, knows the inside of.
ANY_OBJECT: Final[Shape] = {"type": "object"}


def or_null(shape: Mapping[str, Any]) -> Shape:
    """The same, or null."""
    kind = shape.get("type")
    if not isinstance(kind, str) or "title" in shape:
        return {"anyOf": [dict(shape), {"type": "null"}]}
    told = {**shape, "type": [kind, "null"]}
    if "enum" in shape:
        told["enum"] = [*shape["enum"], None]
    return told


def word(words: Iterable[str]) -> Shape:
    """One of these words."""
    return {"type": "string", "enum": sorted(words)}


def several(shape: Mapping[str, Any]) -> Shape:
    """A list of these."""
    return {"type": "array", "items": dict(shape)}


def named(shape: Mapping[str, Any]) -> Shape:
    """An object with a value of this shape for each of any names."""
    return {"type": "object", "additionalProperties": dict(shape)}


def either(*shapes: Mapping[str, Any]) -> Shape:
    """One of several shapes."""
    return {"anyOf": [dict(shape) for shape in shapes]}


def closed(properties: Mapping[str, Any], optional: Iterable[str] = ()) -> Shape:
    """An object with exactly these keys; the optional ones may be missing."""
    missing = set(optional)
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in missing],
        "additionalProperties": False,
    }


def thing(
    title: str, description: str, properties: Mapping[str, Any], optional: Iterable[str] = ()
) -> Shape:
    """The same with a name, under which the document has it once, among its components."""
    return {"title": title, "description": description, **closed(properties, optional)}


_LINK: Final = closed({"href": URL, "rel": TEXT})
#: Where a thing is found: with the version in the path (``self``), and without (``bookmark``).
LINKS: Final = several(_LINK)


def page(collection: str, item: Mapping[str, Any]) -> Shape:
    """A page of a list. ``next`` is there only if the page is full (contract 1.6)."""
    return closed({collection: several(item), "next": URL}, optional=("next",))
