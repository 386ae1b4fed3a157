"""What there is to say of a route beside its line in the table of routes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from magnum.api import paging
from magnum.api.json_patch import DOCUMENT, FIXED, Rules
from magnum.api.openapi.shapes import Shape, either
from magnum.api.schemas.base import END, Schema

#: Method and path, as the table of routes has them.
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument behind the question mark."""

    schema: Shape
    description: str


@dataclass(frozen=True, slots=True)
class Body:
    """What a request may hold. ``required`` is false where no body at all has a meaning too."""

    schema: Shape
    required: bool = True


@dataclass(frozen=True, slots=True)
class Described:
    """One route.

    :param summary: one line.
    :param answers: each status of success with the shape of its body, None where it has none.
    :param query: its arguments.
    :param body: None where no body is read.
    :param errors: statuses that do not follow from the route, see :func:`magnum.api.openapi.statuses.of`.
    :param located: whether an answer of success may say with ``Location`` where to look.
    """

    summary: str
    answers: Mapping[int, Shape | None]
    query: Mapping[str, Argument] = field(default_factory=dict)
    body: Body | None = None
    errors: Collection[int] = ()
    located: bool = False

    def beside(self, *errors: int) -> "Described":
        """The same with more errors."""
        return replace(self, errors=(*self.errors, *errors))


def paged(
    sort_keys: Collection[str], marker: paging.Marker = paging.UUID, **more: Argument
) -> dict[str, Argument]:
    """The arguments of a list (contract 1.6).

    :param sort_keys: what it can be sorted by, in the caller's words.
    :param more: further arguments.
    """
    kinds: dict[str, Shape] = {
        paging.UUID.kind: {"type": "string", "format": "uuid"},
        paging.NUMBER.kind: {"type": "integer", "minimum": 0, "maximum": 10**18 - 1},
    }
    limit = {"type": "integer", "minimum": 1, "maximum": 10**9 - 1}
    direction = {"type": "string", "enum": ["asc", "desc"], "default": "asc"}
    order = {"type": "string", "enum": sorted(sort_keys), "default": "id"}
    return {
        "limit": Argument(
            limit, "How many at most; the operator's [api] max_limit is a limit too."
        ),
        "marker": Argument(kinds[marker.kind], "The last one of the page before."),
        "sort_key": Argument(order, "What to sort by."),
        "sort_dir": Argument(direction, "Which way to sort."),
        **more,
    }


def flag(description: str) -> Argument:
    """An argument that is true or false."""
    return Argument({"type": "boolean", "default": False}, description)


def whole(schema: Schema, *, required: bool = True) -> Body:
    """A body that is read by a schema of ours."""
    return Body(schema.document, required)


def patch(
    rules: Rules,
    names: Collection[str] | None = None,
    more: Mapping[str, Shape] | None = None,
) -> Body:
    """A JSON patch (contract 1.9), one alternative for each kind of value. No body at all changes nothing.

    :param names: the attributes that may change; all that the rules know if not given.
    :param more: schemas of objects that may change beside these.
    """
    properties = {name: rules.schema.properties[name] for name in names or _patchable(rules)}
    properties |= more or {}
    by_schema: dict[str, tuple[Shape, list[str]]] = {}
    for name, schema in properties.items():
        by_schema.setdefault(repr(schema), (schema, []))[1].append(name)
    alternatives = [_set(_paths(found), schema) for schema, found in by_schema.values()]
    objects = [name for name, schema in properties.items() if "object" in schema["type"]]
    if objects:
        members = {"type": "string", "pattern": rf"^/({'|'.join(objects)})/[\w.-]+{END}"}
        alternatives += [_set(members, {"type": ["string", "integer", "boolean"]}), _gone(members)]
    if removable := [name for name in properties if name not in rules.mandatory]:
        alternatives.append(_gone(_paths(removable)))
    document = {
        "type": "array",
        "maxItems": DOCUMENT["maxItems"],
        "items": either(*alternatives),
    }
    return Body(document, required=False)


def _patchable(rules: Rules) -> list[str]:
    return [
        name for name in rules.schema.properties if name not in FIXED and name not in rules.internal
    ]


def _paths(names: Collection[str]) -> Shape:
    return {"type": "string", "enum": [f"/{name}" for name in names]}


def _set(path: Shape, schema: Mapping[str, Any]) -> Shape:
    kinds = schema["type"]
    kinds = [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]
    value = {**schema, "type": kinds[0] if len(kinds) == 1 else kinds}
    if "enum" in value:
        value["enum"] = [one for one in value["enum"] if one is not None]
    return {
        "type": "object",
        "properties": {"op": {"enum": ["add", "replace"]}, "path": path, "value": value},
        "required": ["op", "path", "value"],
        "additionalProperties": False,
    }


def _gone(path: Shape) -> Shape:
    return {
        "type": "object",
        "properties": {"op": {"const": "remove"}, "path": path},
        "required": ["op", "path"],
        "additionalProperties": False,
    }
