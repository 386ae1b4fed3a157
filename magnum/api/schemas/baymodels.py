"""Requests for baymodels (contract 2.1)."""

import functools
from typing import Final

from magnum.api.json_patch import Rules
from magnum.api.microversions import OPERATIONS, Version
from magnum.api.schemas.base import (
    END,
    IPV4_LIST,
    LABELS,
    OPTIONS,
    Properties,
    Schema,
    boolean,
    integer,
    mandatory,
    text,
)
from magnum.api.spelling import Spelling

UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

PROPERTIES: Final[Properties] = {
    "uuid": text(36, pattern=f"^{UUID}{END}"),
    "name": text(),
    "coe": text(),
    "driver": text(),
    "image_id": mandatory(text()),
    "keypair_id": text(),
    "flavor_id": text(),
    "master_flavor_id": text(),
    "external_network_id": text(),
    "fixed_network": text(),
    "fixed_subnet": text(),
    "dns_nameserver": text(format=IPV4_LIST),
    "network_driver": text(),
    "volume_driver": text(),
    "docker_volume_size": integer(1),
    "docker_storage_driver": text(),
    "apiserver_port": integer(1024, 65535),
    "cluster_distro": text(),
    "http_proxy": text(),
    "https_proxy": text(),
    "no_proxy": text(),
    "insecure_registry": text(),
    "registry_enabled": boolean(),
    "tls_disabled": boolean(),
    "public": boolean(),
    "hidden": boolean(),
    "server_type": text(enum=["vm", "bm", None]),
    "master_lb_enabled": boolean(),
    "floating_ip_enabled": boolean(),
    "labels": LABELS,
    "tags": text(shortest=0),
}

READ_ONLY: Final = ("project_id", "user_id", "links", "created_at", "updated_at")

#: What an attribute is where nobody gave it, and what it is again when it is removed.
DEFAULTS: Final = {
    "registry_enabled": False,
    "tls_disabled": False,
    "public": False,
    "hidden": False,
    "server_type": "vm",
    "master_lb_enabled": False,
    "floating_ip_enabled": True,
    "labels": {},
}


@functools.cache
def create(spelling: Spelling, version: Version) -> Schema:
    """The body of a POST. The first family of clients always names a keypair, if only null."""
    more = {"options": OPTIONS} if version >= OPERATIONS else {}
    required = ("image_id",) if spelling.is_newer else ("image_id", "keypair_id")
    return Schema({**PROPERTIES, **more}, required, READ_ONLY)


PATCH: Final = Rules(
    schema=Schema(PROPERTIES),
    mandatory=frozenset(
        {
            "coe",
            "image_id",
            "network_driver",
            "external_network_id",
            "tls_disabled",
            "public",
            "server_type",
            "registry_enabled",
            "cluster_distro",
            "hidden",
        }
    ),
    defaults=DEFAULTS,
)
