"""What the service says of itself to anybody (contract 1.1)."""

from collections.abc import Iterable
from typing import Any

from magnum.api import microversions

_NAME = "OpenStack Magnum API"
_DESCRIPTION = "Magnum creates container clusters in an OpenStack cloud and looks after them."
_DOCUMENTATION = "https://docs.openstack.org/api-ref/container-infrastructure-management/"


def versions(base: str) -> dict[str, Any]:
    """The versions of the API; there is one."""
    return {
        "name": _NAME,
        "description": _DESCRIPTION,
        "versions": [
            {
                "id": "v1",
                "status": "CURRENT",
                "min_version": str(microversions.MINIMUM),
                "max_version": str(microversions.MAXIMUM),
                "links": [{"href": f"{base}/v1/", "rel": "self"}],
            }
        ],
    }


def v1(base: str, collections: Iterable[str]) -> dict[str, Any]:
    """What is found under v1: a key and two links for each collection."""
    answer: dict[str, Any] = {
        "id": "v1",
        "media_types": [
            {"base": "application/json", "type": "application/vnd.openstack.magnum.v1+json"}
        ],
        "links": [
            {"href": f"{base}/v1/", "rel": "self"},
            {"href": _DOCUMENTATION, "rel": "describedby", "type": "text/html"},
        ],
    }
    for collection in collections:
        answer[collection] = [
            {"href": f"{base}/v1/{collection}/", "rel": "self"},
            {"href": f"{base}/{collection}/", "rel": "bookmark"},
        ]
    # Not a collection of its own, so clients are told the pattern (contract 1.1).
    answer["nodegroups"] = "clusters/{cluster_id}/nodegroups"
    return answer
