"""Requests for bays (contract 2.2), in the words of a family of clients."""

import functools
from typing import Final

from magnum.api.json_patch import Rules
from magnum.api.microversions import OPERATIONS, Version
from magnum.api.schemas.base import (
    END,
    LABELS,
    OPTIONS,
    Properties,
    Schema,
    boolean,
    integer,
    mandatory,
    text,
)
from magnum.api.schemas.placements import HINTS
from magnum.api.spelling import Spelling

#: Minutes; about nineteen years. More would leave the calendars of some databases.
LONGEST_TIMEOUT = 10_000_000

READ_ONLY = (
    "stack_id",
    "cluster_id",
    "api_address",
    "node_addresses",
    "master_addresses",
    "coe_version",
    "container_version",
    "project_id",
    "user_id",
    "links",
    "created_at",
    "updated_at",
)

#: Never to be patched, shown or not.
INTERNAL = frozenset(
    {
        "api_address",
        "node_addresses",
        "master_addresses",
        "stack_id",
        "cluster_id",
        "ca_cert_ref",
        "magnum_cert_ref",
        "trust_id",
        "trustee_username",
        "trustee_user_id",
        "trustee_password",
    }
)

#: What an agent inside a cluster reports of it.
HEALTH: Final = frozenset({"health_status", "health_status_reason"})
_HEALTH: Final[Properties] = {
    "health_status": text(enum=["HEALTHY", "UNHEALTHY", "UNKNOWN", None]),
    "health_status_reason": {**LABELS, "type": ["object", "null"]},
}


@functools.cache
def create(spelling: Spelling, version: Version) -> Schema:
    """The body of a POST."""
    more: Properties = {}
    if spelling.has_more(version):
        more |= {"keypair": text(), "merge_labels": boolean()}
    if version >= OPERATIONS:
        more |= {"options": OPTIONS, "hints": HINTS}
    properties = {**_properties(spelling, version), **more}
    return Schema(properties, (spelling.baymodel_key,), READ_ONLY)


@functools.cache
def patch(spelling: Spelling, version: Version) -> Rules:
    """The body of a PATCH."""
    more = _HEALTH if spelling.has_more(version) else {}
    return Rules(
        schema=Schema({**_properties(spelling, version), **more}),
        internal=INTERNAL,
        mandatory=frozenset({spelling.baymodel_key}),
        defaults={"node_count": 1, "health_status_reason": {}},
    )


def _properties(spelling: Spelling, version: Version) -> Properties:
    return {
        "name": text(242, pattern=f"^[a-zA-Z][a-zA-Z0-9_.-]*{END}"),
        spelling.baymodel_key: mandatory(text()),
        "node_count": integer(0 if spelling.may_be_empty(version) else 1),
        "master_count": integer(1),
        spelling.timeout_key: integer(0, LONGEST_TIMEOUT),
        "discovery_url": text(),
        "docker_volume_size": integer(1),
        "labels": {**LABELS, "type": ["object", "null"]},
        "flavor_id": text(),
        "master_flavor_id": text(),
        "fixed_network": text(),
        "fixed_subnet": text(),
        "floating_ip_enabled": boolean(),
        "master_lb_enabled": boolean(),
    }
