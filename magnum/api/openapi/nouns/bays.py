"""Bays, or clusters (contract 2.2)."""

from typing import Any, Final

from magnum.api import microversions
from magnum.api.microversions import OPERATIONS, Version
from magnum.api.openapi.described import Body, Described, Key, flag, paged, patch, whole
from magnum.api.openapi.nouns import operations, placements
from magnum.api.openapi.shapes import (
    ANY_OBJECT,
    COUNT,
    FLAG,
    LINKS,
    MOMENT,
    TEXT,
    TEXTS,
    UUID,
    Shape,
    named,
    or_null,
    page,
    several,
    thing,
    word,
)
from magnum.api.schemas import bays as schemas
from magnum.api.schemas.base import OPTIONS
from magnum.api.spelling import Spelling
from magnum.db import bays as store
from magnum.drivers.contract import HealthStatus

#: Every word that a status may be (contract 2.2).
STATUSES: Final = (
    *(
        f"{what}_{how}"
        for what in ("CREATE", "UPDATE", "DELETE", "ROLLBACK", "CHECK")
        for how in ("IN_PROGRESS", "COMPLETE", "FAILED")
    ),
    *("RESUME_COMPLETE", "RESUME_FAILED", "RESTORE_COMPLETE", "SNAPSHOT_COMPLETE"),
    "ADOPT_COMPLETE",
)

_TEXT = or_null(TEXT)
_LATER = {
    "uuid": {
        **UUID,
        "description": "Of the one that was asked for; what becomes of it shows there.",
    }
}


def short(words: Spelling, version: Version) -> dict[str, Any]:
    """What a list shows."""
    shown = {
        "uuid": UUID,
        "name": _TEXT,
        words.baymodel_key: UUID,
        "docker_volume_size": or_null(COUNT),
        "labels": TEXTS,
        "master_flavor_id": _TEXT,
        "flavor_id": _TEXT,
        "node_count": COUNT,
        "master_count": COUNT,
        words.timeout_key: {**or_null(COUNT), "description": "In minutes."},
        "status": word(STATUSES),
        words.stack_key(version): _TEXT,
        "floating_ip_enabled": FLAG,
        "driver": TEXT,
        "driver_version": TEXT,
        "template_version": TEXT,
        "links": LINKS,
    }
    if words.has_more(version):
        health = or_null(word(HealthStatus))
        shown |= {"keypair": _TEXT, "health_status": health, "merge_labels": FLAG}
    return shown


def full(words: Spelling, version: Version) -> dict[str, Any]:
    """All fields but the faults."""
    shown = {
        **short(words, version),
        **dict.fromkeys(
            (
                *("status_reason", "discovery_url", "api_address", "coe_version"),
                *("container_version", "fixed_network", "fixed_subnet"),
            ),
            _TEXT,
        ),
        "node_addresses": several(TEXT),
        "master_addresses": several(TEXT),
        "master_lb_enabled": FLAG,
        "created_at": MOMENT,
        "updated_at": or_null(MOMENT),
    }
    if words.has_more(version):
        compared = ("labels_added", "labels_overridden", "labels_skipped")
        shown |= {"project_id": TEXT, "user_id": TEXT, "health_status_reason": TEXTS}
        shown |= dict.fromkeys(compared, TEXTS)
    return shown


def _age(version: Version) -> dict[str, Any]:
    if version < OPERATIONS:
        return {}
    return {
        "generation": COUNT,
        "observed_generation": or_null(COUNT),
        "observed_at": or_null(MOMENT),
    }


def _running(version: Version) -> dict[str, Any]:
    """What only one bay shows, not a list."""
    if version < OPERATIONS:
        return {}
    share = {"type": "number", "minimum": 0, "maximum": 1}
    return {
        "hints": ANY_OBJECT,
        "placement": or_null(placements.DECISION),
        "site": ANY_OBJECT,
        "utilisation": named(share),
        "ca_expires_at": or_null(MOMENT),
        "options": ANY_OBJECT,
        "operation": or_null(operations.SHORT),
        "stale": FLAG,
    }


def _one(words: Spelling, version: Version, title: str, more: dict[str, Any]) -> Shape:
    """One bay; its faults are there only where it has failed."""
    return thing(
        title,
        f"A {words.bay}.",
        {**full(words, version), **more, words.faults_key: TEXTS},
        optional=(words.faults_key,),
    )


def accepted(version: Version) -> Shape:
    """The answer to a request that is carried out later."""
    if version < OPERATIONS:
        return thing("Accepted", "A request that is carried out later.", _LATER)
    operation = {
        **or_null(UUID),
        "description": "The operation that carries it out; null where there is nothing to do.",
    }
    return thing(
        "AcceptedOperation",
        "A request that is carried out later.",
        {**_LATER, "operation": operation},
    )


#: The answer to one that never names its operation.
PLAINLY_ACCEPTED: Final = thing("Accepted", "A request that is carried out later.", _LATER)


def changes(words: Spelling, version: Version) -> Body:
    """The body of a PATCH."""
    reports = schemas.HEALTH if words.has_more(version) else frozenset()
    more = {"options": OPTIONS} if version >= OPERATIONS else {}
    return patch(schemas.patch(words, version), sorted({"node_count"} | reports), more)


def _sort_keys(words: Spelling, version: Version) -> frozenset[str]:
    """The store's columns, in the caller's words."""
    spelled = {"create_timeout", "baymodel_id", "stack_id"}
    said = {words.timeout_key, words.baymodel_key, words.stack_key(version)}
    return (store.sort_keys() - spelled) | said


def described(words: Spelling, version: Version) -> dict[Key, Described]:
    """The routes of one spelling."""
    at, one = f"/v1/{words.bays}", f"/v1/{words.bays}/{{}}"
    noun, title = words.bay, words.bay.capitalize()
    whole_one = _one(words, version, title, {**_age(version), **_running(version)})
    at_once = version < words.synchronous_below
    line = thing(f"{title}Line", f"What a list shows of a {noun}.", short(words, version))
    fields = {**full(words, version), **_age(version)}
    details = thing(f"{title}Details", f"A {noun} without its faults.", fields)
    made = {201: whole_one} if at_once else {202: accepted(version)}
    changed = {200: whole_one} if at_once else {202: accepted(version)}
    query = paged(_sort_keys(words, version))
    return {
        ("GET", at): Described(f"List {noun}s.", {200: page(words.bays, line)}, query),
        ("POST", at): Described(
            f"Make a {noun}.",
            made,
            body=whole(schemas.create(words, version)),
            errors=(404, 409),
            located=True,
        ),
        ("GET", f"{at}/detail"): Described(
            f"List {noun}s with all fields.", {200: page(words.bays, details)}, query
        ),
        ("GET", one): Described(f"Show a {noun}.", {200: whole_one}, errors=(409,)),
        ("PATCH", one): Described(
            f"Change a {noun}: its number of nodes.",
            changed,
            {"rollback": flag("Go back to what was, should it fail.")}
            if version >= microversions.ROLLBACK
            else {},
            changes(words, version),
            errors=(409,),
            located=True,
        ),
        ("DELETE", one): Described(
            f"Delete a {noun}.",
            {204: None},
            {"force": flag("Also where the cloud does not give everything back.")}
            if version >= OPERATIONS
            else {},
            errors=(409,),
            located=True,
        ),
    }
