"""The stand-in's Nova, Neutron, Cinder and Octavia: lists of things that a test has put there.

Nova has the servers of the stacks besides (:mod:`tools.standin.nova`).

A query narrows a list by equal fields; ``tags`` asks for all tags that it names, and Nova's ``name`` is an expression
to look for. What a thing lacks does not fit.
"""

import re
from collections.abc import Mapping
from typing import Any

from tools.standin.nova import Nova
from tools.standin.wire import BALANCER, COMPUTE, NETWORK, VOLUME, Answer, Request

_VERSIONS: Mapping[str, str] = {COMPUTE: "v2.1", NETWORK: "v2.0", VOLUME: "v3", BALANCER: "v2.0"}
#: The availability zone of a cloud that has one.
_ZONE = {"zoneName": "nova", "zoneState": {"available": True}, "hosts": None}
#: Part of a path between the version and the collection.
_BETWEEN = r"(?:/lbaas|/octavia)?"
#: Of the query, what does not narrow.
_NO_FILTERS = (
    *("fields", "limit", "marker", "sort_key", "sort_dir", "page_reverse", "all_tenants"),
    *("deleted", "with_count", "offset", "all_projects"),
)


class Things:
    """Collections by service and name, for example ("compute", "servers")."""

    def __init__(self, nova: Nova) -> None:
        self.kept: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._nova = nova

    def answer(self, request: Request, project: str | None) -> Answer:
        """Carry out a request to one of the services: list a collection, show or delete one thing."""
        if request.service == COMPUTE:
            answer = self._nova.answer(request, project)
            if answer is not None:
                return answer
        version = _VERSIONS[request.service]
        below = r"(?:/[^/]+)?" if request.service == VOLUME else ""
        place = re.fullmatch(
            rf"/{re.escape(version)}{below}{_BETWEEN}/([a-z_-]+)(?:/([^/]+))?", request.path
        )
        if place is None:
            return _discovered(request, version)
        collection, ident = place[1].replace("-", "_").removeprefix("os_"), place[2]
        kept = self.kept.get((request.service, collection), [])
        if collection == "availability_zone":
            return Answer(200, {"availabilityZoneInfo": kept or [_ZONE]})
        if ident in (None, "detail", "detailed"):
            if (request.service, collection) == (COMPUTE, "servers"):
                kept = [*kept, *self._nova.servers(project)]
            found = [thing for thing in kept if _fits(request, thing)]
            return Answer(200, {collection: found})
        for thing in kept:
            if thing["id"] == ident:
                if request.method == "DELETE":
                    kept.remove(thing)
                    return Answer(204)
                return Answer(200, {collection.rstrip("s"): thing})
        return _unknown(request)


def _discovered(request: Request, version: str) -> Answer:
    links = [{"rel": "self", "href": f"{request.url}/{version}/"}]
    shown = {"id": version, "status": "CURRENT", "links": links}
    if request.path.strip("/") == version:
        return Answer(200, {"version": shown, "resources": []})
    if request.path in ("", "/"):
        return Answer(200, {"versions": [shown]})
    return _unknown(request)


def _fits(request: Request, thing: Mapping[str, Any]) -> bool:
    for name, values in request.query.items():
        if name in _NO_FILTERS:
            continue
        if name == "tags":
            if not set(values[0].split(",")) <= set(thing.get("tags") or ()):
                return False
        elif name == "name" and request.service == COMPUTE:
            if not re.search(values[0], str(thing.get("name"))):
                return False
        elif str(thing.get(name)) not in values:
            return False
    return True


def _unknown(request: Request) -> Answer:
    text = f"The resource {request.path} could not be found."
    if request.service == COMPUTE:
        return Answer(404, {"itemNotFound": {"code": 404, "message": text}})
    return Answer(404, {"NeutronError": {"type": "NotFound", "message": text, "detail": ""}})
