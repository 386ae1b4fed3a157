"""Where a route stands in the document: the names of its path's free segments, and its own name."""

import re
from dataclasses import dataclass
from typing import Any, Final

from magnum.api.routing import Route

_UUID: Final[dict[str, Any]] = {"type": "string", "format": "uuid"}
_NAME: Final[dict[str, Any]] = {"type": "string", "minLength": 1}

#: The free segments behind a fixed one: each with its name, its meaning and its schema.
_FREE: Final[dict[str, tuple[tuple[str, str, dict[str, Any]], ...]]] = {
    "bays": (("bay", "Name or uuid of the bay.", _NAME),),
    "clusters": (("cluster", "Name or uuid of the cluster.", _NAME),),
    "baymodels": (("baymodel", "Name or uuid of the baymodel.", _NAME),),
    "clustertemplates": (("clustertemplate", "Name or uuid of the cluster template.", _NAME),),
    "nodegroups": (("nodegroup", "Name or uuid of the node group.", _NAME),),
    "certificates": (
        ("bay", "Name or uuid of the bay or cluster.", _NAME),
        ("ca_cert_type", "Which of its CAs.", _NAME),
    ),
    "credentials": (("cluster", "Name or uuid of the bay or cluster.", _NAME),),
    "operations": (("operation", "Uuid of the operation.", _UUID),),
    "drivers": (("driver", "Name of the driver.", _NAME),),
    "ext": (
        ("driver", "Name of the bay's driver.", _NAME),
        ("endpoint", "Name of the endpoint.", _NAME),
    ),
    "quotas": (
        ("project_id", "Id of the project.", _NAME),
        ("resource", "What is limited.", {"type": "string", "enum": ["Cluster"]}),
    ),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A route in the document.

    :param path: as OpenAPI writes it, with names in the place of ``{}``.
    :param name: one for each method and path.
    :param tag: the noun that it is about.
    :param parameters: of the path.
    :param is_versioned: whether it stands under microversions.
    """

    path: str
    name: str
    tag: str
    parameters: tuple[dict[str, Any], ...]
    is_versioned: bool


def place(route: Route) -> Place:
    """Where a route stands. Raises KeyError for a free segment that has no name in this module."""
    parts: list[str] = []
    parameters: list[dict[str, Any]] = []
    behind, since = "", 0
    for segment in route.segments:
        if segment != "{}":
            parts.append(segment)
            behind, since = segment, 0
            continue
        name, meaning, schema = _FREE[behind][since]
        since += 1
        parts.append(f"{{{name}}}")
        parameters.append(
            {"name": name, "in": "path", "required": True, "description": meaning, "schema": schema}
        )
    return Place(
        path="/" + "/".join(parts),
        name="_".join([route.method.lower(), *re.findall(r"\w+", "_".join(parts))]),
        tag=parts[1] if len(parts) > 1 else "discovery",
        parameters=tuple(parameters),
        is_versioned=bool(parts),
    )
