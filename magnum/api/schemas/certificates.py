"""Requests for certificates (contract 2.5)."""

from typing import Final

from magnum.api.schemas.base import Schema, mandatory, text

#: The types of CAs that clients know, and what each is called in a bay.
TYPES: Final = {
    "kubernetes": "",
    "etcd": "etcd",
    "front-proxy": "front-proxy",
    "front_proxy": "front-proxy",
}

#: The keys under which a request may name its bay.
BAY_KEYS: Final = ("cluster_uuid", "bay_uuid")

CREATE: Final = Schema(
    {
        **{key: text() for key in BAY_KEYS},
        "csr": mandatory(text(65536)),
        "ca_cert_type": text(enum=[*TYPES, None]),
    },
    required=("csr",),
)
