"""Actions on a bay's nodes, previews of changes, and what holds for a bay in effect."""

from magnum.api.microversions import NO_NODES, UPGRADE, Version
from magnum.api.openapi.described import Argument, Described, Key, whole
from magnum.api.openapi.nouns import bays
from magnum.api.openapi.shapes import (
    TEXT,
    UUID,
    Shape,
    closed,
    named,
    several,
    thing,
    word,
)
from magnum.api.schemas import actions as schemas
from magnum.api.spelling import Spelling
from magnum.api.views import effective as view

_CHANGES: Shape = thing(
    "Preview",
    "What a change would do to each part of the cluster.",
    {
        "changes": several(
            closed(
                {
                    "kind": word(("added", "deleted", "replaced", "updated", "unchanged")),
                    "resource": TEXT,
                    "type": TEXT,
                }
            )
        )
    },
)
_ORIGIN = word((view.BAY, view.BAYMODEL, view.DRIVER, view.CONFIGURATION))
_VALUE = {"value": {"description": "Of any type."}, "origin": _ORIGIN}


def _effective(words: Spelling) -> Shape:
    return thing(
        f"{words.bay.capitalize()}InEffect",
        f"Every value of a {words.bay}, and where it comes from.",
        {
            "uuid": UUID,
            "driver": TEXT,
            "attributes": named(closed(_VALUE)),
            "options": named(closed({**_VALUE, "change": TEXT})),
            "labels": named(closed(_VALUE)),
        },
    )


def described(words: Spelling, version: Version) -> dict[Key, Described]:
    """The routes below a bay, of microversion 1.15."""
    at, noun = f"/v1/{words.bays}/{{}}", words.bay
    template = Argument(
        {"type": "string", "enum": ["own", "current"], "default": "own"},
        "Which template the cluster is thought to have: its own, or the one that its driver has now.",
    )
    found = {
        ("POST", f"{at}/actions/{verb}"): Described(
            f"Have the nodes of a {noun} worked on: {verb}.",
            {202: bays.accepted(version)},
            body=whole(schema, required=False),
            errors=(409,),
            located=True,
        )
        for verb, schema in schemas.ACTIONS.items()
    }
    return {
        **found,
        **_changes(words, version),
        ("POST", f"{at}/preview"): Described(
            f"Show what a change of a {noun} would do in the cloud.",
            {200: _CHANGES},
            {"template": template},
            bays.changes(words, version),
            errors=(409, 502),
        ),
        ("GET", f"{at}/effective"): Described(
            f"Show what a {noun} is made of in effect.", {200: _effective(words)}, errors=(409,)
        ),
    }


def _changes(words: Spelling, version: Version) -> dict[Key, Described]:
    """Resizing and upgrading (contract 2.4)."""
    at, noun = f"/v1/{words.bays}/{{}}/actions", words.bay
    resize = schemas.resize(0 if version >= NO_NODES else 1)
    upgrade = schemas.upgrade(words.baymodel_key.removesuffix("_id"))
    later = {202: bays.accepted(version)}
    return {
        ("POST", f"{at}/resize"): Described(
            f"Give a node group of a {noun} another number of nodes.",
            later,
            body=whole(resize),
            errors=(409,),
            located=True,
        ),
        ("POST", f"{at}/upgrade"): Described(
            f"Move a {noun} to another {words.baymodel}; refused below 1.8.",
            later if version >= UPGRADE else {},
            body=whole(upgrade),
            errors=(409,),
            located=True,
        ),
    }
