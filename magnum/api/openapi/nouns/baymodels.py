"""Baymodels, or cluster templates (contract 2.1)."""

from magnum.api.microversions import OPERATIONS, Version
from magnum.api.openapi.described import Described, Key, paged, patch, whole
from magnum.api.openapi.shapes import (
    ANY_OBJECT,
    FLAG,
    LINKS,
    MOMENT,
    TEXT,
    TEXTS,
    UUID,
    Shape,
    or_null,
    page,
    thing,
    word,
)
from magnum.api.schemas import baymodels as schemas
from magnum.api.schemas.base import OPTIONS
from magnum.api.spelling import Spelling
from magnum.db import baymodels as store

_TEXT = or_null(TEXT)
_NUMBER = {"type": ["integer", "null"]}


def answer(words: Spelling, version: Version) -> Shape:
    """All fields; lists show them too."""
    more = {"options": ANY_OBJECT} if version >= OPERATIONS else {}
    return thing(
        words.baymodel.capitalize(),
        f"What a {words.bay} looks like.",
        {
            "uuid": UUID,
            "name": _TEXT,
            "coe": TEXT,
            **dict.fromkeys(
                (
                    *("driver", "image_id", "keypair_id", "flavor_id", "master_flavor_id"),
                    *("external_network_id", "fixed_network", "fixed_subnet", "dns_nameserver"),
                    *("network_driver", "volume_driver", "docker_storage_driver"),
                    *("cluster_distro", "http_proxy", "https_proxy", "no_proxy"),
                    *("insecure_registry", "tags"),
                ),
                _TEXT,
            ),
            "docker_volume_size": _NUMBER,
            "apiserver_port": _NUMBER,
            "server_type": word(["vm", "bm"]),
            **dict.fromkeys(
                (
                    *("registry_enabled", "tls_disabled", "public", "hidden"),
                    *("master_lb_enabled", "floating_ip_enabled"),
                ),
                FLAG,
            ),
            "labels": TEXTS,
            **more,
            "project_id": TEXT,
            "user_id": TEXT,
            "links": LINKS,
            "created_at": MOMENT,
            "updated_at": or_null(MOMENT),
        },
    )


def described(words: Spelling, version: Version) -> dict[Key, Described]:
    """The routes of one spelling."""
    at, one = f"/v1/{words.baymodels}", f"/v1/{words.baymodels}/{{}}"
    noun, shape = words.baymodel, answer(words, version)
    query, several = paged(store.sort_keys()), page(words.baymodels, shape)
    more = {"options": OPTIONS} if version >= OPERATIONS else {}
    return {
        ("GET", at): Described(f"List {noun}s.", {200: several}, query),
        ("POST", at): Described(
            f"Make a {noun}.",
            {201: shape},
            body=whole(schemas.create(words, version)),
            errors=(404, 409),
            located=True,
        ),
        ("GET", f"{at}/detail"): Described(
            f"List {noun}s, as the list does.", {200: several}, query
        ),
        ("GET", one): Described(f"Show a {noun}.", {200: shape}, errors=(409,)),
        ("PATCH", one): Described(
            f"Change a {noun}.", {200: shape}, body=patch(schemas.PATCH, more=more), errors=(409,)
        ),
        ("DELETE", one): Described(f"Delete a {noun}.", {204: None}, errors=(409,)),
    }
