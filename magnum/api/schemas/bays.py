"""Requests for bays (contract 2.2), in the words of a family of clients."""

from dataclasses import dataclass

from magnum.api.json_patch import Rules
from magnum.api.schemas.base import (
    END,
    LABELS,
    Properties,
    Schema,
    boolean,
    integer,
    mandatory,
    text,
)
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


@dataclass(frozen=True, slots=True)
class BaySchemas:
    """The requests for bays in one spelling."""

    create: Schema
    patch: Rules


def of(spelling: Spelling) -> BaySchemas:
    """The requests in these words."""
    properties: Properties = {
        "name": text(242, pattern=f"^[a-zA-Z][a-zA-Z0-9_.-]*{END}"),
        spelling.baymodel_key: mandatory(text()),
        "node_count": integer(1),
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
    create = Schema(properties, required=(spelling.baymodel_key,), read_only=READ_ONLY)
    patch = Rules(
        schema=create,
        internal=INTERNAL,
        mandatory=frozenset({spelling.baymodel_key}),
        defaults={"node_count": 1},
    )
    return BaySchemas(create, patch)
