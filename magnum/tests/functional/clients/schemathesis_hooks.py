"""What schemathesis is told of what there is, so that not every request ends at the first thing that is unknown.

It runs in the environment of schemathesis, where nothing of ours is. Most of what it makes up is let through as it is;
of the names of things, seven in eight become names of things that are there (``MAGNUM_THERE``, see the test).
"""

import json
import os
import zlib
from collections.abc import Sequence
from typing import Any

import schemathesis

THERE: dict[str, list[str]] = json.loads(os.environ["MAGNUM_THERE"])

#: Which of the things that are there a key of a body may name.
_NAMED = {
    "baymodel_id": "baymodel",
    "cluster_template_id": "baymodel",
    "cluster_template": "baymodel",
    "baymodel": "baymodel",
    "bay_uuid": "bay",
    "cluster_uuid": "bay",
    "nodegroup": "nodegroup",
    "project_id": "project_id",
    "csr": "csr",
    "coe": "coe",
    "dns_nameserver": "address",
}
_SAME = {"cluster": "bay", "clustertemplate": "baymodel"}


def _chosen(made_up: Any, names: Sequence[str]) -> Any:
    """What was made up itself in one case of eight, otherwise one of these names; the same each time."""
    number = zlib.crc32(repr(made_up).encode())
    return made_up if number % 8 == 0 or not names else names[number // 8 % len(names)]


def map_path_parameters(context: Any, path_parameters: dict[str, Any]) -> dict[str, Any]:
    """Name what is there; what is deleted, out of what is there for that."""
    method = context.operation.method.upper()
    found = {}
    for name, value in (path_parameters or {}).items():
        kind = _SAME.get(name, name)
        names = THERE.get(f"{method} {kind}", THERE.get(kind, []))
        found[name] = _chosen(value, names)
    return found


def map_query(context: Any, query: dict[str, Any]) -> dict[str, Any]:
    """Begin most lists at their beginning: nothing is behind a marker that is not there."""
    query = dict(query or {})
    if "marker" in query and _chosen(query, [""]) == "":
        del query["marker"]
    return query


def map_body(context: Any, body: Any) -> Any:
    """Name what is there."""
    if not isinstance(body, dict):
        return body
    changed = {
        name: _chosen(value, THERE[_NAMED[name]]) if name in _NAMED else value
        for name, value in body.items()
    }
    if "image_id" in changed and "coe" not in changed:  # a baymodel that can be made
        changed["coe"] = _chosen(body, THERE["coe"])
    if changed.get("coe") in THERE["coe"]:
        for name in ("driver", "network_driver", "volume_driver", "server_type"):
            changed.pop(name, None)
    return changed


def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Leave no request without the header of the version: then it is another version's document that holds."""
    raw_schema["components"]["parameters"]["version"]["required"] = False


for hook in (map_path_parameters, map_query, map_body, before_load_schema):
    schemathesis.hook(hook)
