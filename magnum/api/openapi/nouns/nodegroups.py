"""Node groups (contract 2.3)."""

from typing import Any

from magnum.api.microversions import NODE_LABELS, OPERATIONS, Version
from magnum.api.openapi.described import Argument, Described, Key, paged, patch, whole
from magnum.api.openapi.nouns.bays import STATUSES
from magnum.api.openapi.shapes import (
    COUNT,
    FLAG,
    LINKS,
    MOMENT,
    TEXT,
    TEXTS,
    UUID,
    closed,
    or_null,
    page,
    several,
    thing,
    word,
)
from magnum.api.schemas import nodegroups as schemas
from magnum.api.spelling import Spelling
from magnum.db import node_groups as store

_TEXT = or_null(TEXT)
_TAINT = closed({"key": TEXT, "effect": word(schemas.EFFECTS), "value": TEXT}, optional=("value",))


def _short() -> dict[str, Any]:
    return {
        "uuid": UUID,
        "name": TEXT,
        "flavor_id": _TEXT,
        "image_id": _TEXT,
        "node_count": COUNT,
        "min_node_count": COUNT,
        "max_node_count": or_null(COUNT),
        "role": TEXT,
        "is_default": FLAG,
        "stack_id": _TEXT,
        "status": word(STATUSES),
        "merge_labels": FLAG,
    }


def _full(words: Spelling, version: Version) -> dict[str, Any]:
    marks = {"node_labels": or_null(TEXTS), "node_taints": or_null(several(_TAINT))}
    return {
        "id": COUNT,
        **_short(),
        words.bay_key: UUID,
        "project_id": TEXT,
        "docker_volume_size": or_null(COUNT),
        "labels": TEXTS,
        "labels_added": TEXTS,
        "labels_overridden": TEXTS,
        "labels_skipped": TEXTS,
        "node_addresses": several(TEXT),
        "status_reason": _TEXT,
        "version": _TEXT,
        "links": LINKS,
        "created_at": MOMENT,
        "updated_at": or_null(MOMENT),
        **(marks if version >= NODE_LABELS else {}),
    }


def described(words: Spelling, version: Version) -> dict[Key, Described]:
    """The routes below a bay."""
    at, noun = f"/v1/{words.bays}/{{}}/nodegroups", words.bay
    one, title = f"{at}/{{}}", f"{words.bay.capitalize()}NodeGroup"
    line = thing("NodeGroupLine", "What a list shows of a node group.", _short())
    fields = _full(words, version)
    shape = thing(title, f"Nodes of one role and flavor of a {noun}.", fields)
    accepted = shape
    if version >= OPERATIONS:
        operation = {**or_null(UUID), "description": "The operation that carries it out."}
        accepted = thing(
            f"Accepted{title}",
            "A node group, and what is done.",
            {**fields, "operation": operation},
        )
    role = Argument({"type": "string", "minLength": 1}, "Only groups of this role.")
    free = schemas.BOUNDS | (schemas.MARKS if version >= NODE_LABELS else frozenset())
    return {
        ("GET", at): Described(
            f"List the node groups of a {noun}.",
            {200: page("nodegroups", line)},
            paged(store.sort_keys(), role=role),
            errors=(409,),
        ),
        ("POST", at): Described(
            f"Add a node group to a {noun}.",
            {202: accepted},
            body=whole(schemas.create(version)),
            errors=(409,),
            located=True,
        ),
        ("GET", one): Described("Show a node group.", {200: shape}, errors=(409,)),
        ("PATCH", one): Described(
            "Change the bounds of a node group, and what its nodes are marked with.",
            {202: accepted},
            body=patch(schemas.patch(version), sorted(free)),
            errors=(409,),
            located=True,
        ),
        ("DELETE", one): Described(
            "Delete a node group.", {204: None}, errors=(409,), located=True
        ),
    }
