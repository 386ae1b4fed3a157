"""Endpoints of Mesos bays: ``info`` says where Mesos and Marathon are, which versions they have and who leads."""

from collections.abc import Mapping
from typing import Any

from magnum.drivers.common.mesos.cluster import MESOS_PORT, Masters, Silent, nodes
from magnum.drivers.contract import CloudUnavailable, Endpoint, Who, Work

from .monitor import api, masters_hosts


def info(work: Work, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The cluster's addresses and versions. Raises CloudUnavailable where it does not answer."""
    place = api(work)
    if place is None:
        raise CloudUnavailable("The bay has no address of its API yet.")
    scheme = "http" if work.baymodel.tls_disabled else "https"
    try:
        with Masters(work) as masters:
            marathon = masters.get(*place, "/v2/info")
            host, measured = masters.leader(masters_hosts(work, nodes(work)))
            version = masters.get(host, MESOS_PORT, "/version")
    except Silent as error:
        raise CloudUnavailable(f"The cluster does not answer: {error}.") from error
    shown = f"[{host}]" if ":" in host else host
    return {
        "marathon": {"url": str(work.bay.api_address), "version": _text(marathon, "version")},
        "mesos": {"url": f"{scheme}://{shown}:{MESOS_PORT}", "version": _text(version, "version")},
        "agents": _number(measured, "master/slaves_active"),
        "tasks": _number(measured, "master/tasks_running"),
    }


def _text(found: Any, key: str) -> str:
    return str(found.get(key) or "")[:64] if isinstance(found, Mapping) else ""


def _number(found: Mapping[str, Any], key: str) -> int:
    value = found.get(key)
    return int(value) if isinstance(value, int | float) else 0


_PART = {
    "type": "object",
    "required": ["url", "version"],
    "properties": {"url": {"type": "string"}, "version": {"type": "string"}},
}
ENDPOINTS = (
    Endpoint(
        name="info",
        help="Where Mesos and Marathon are, their versions, and how many agents and tasks there are.",
        handler=info,
        who=Who.READER,
        response={
            "type": "object",
            "required": ["marathon", "mesos", "agents", "tasks"],
            "properties": {
                "marathon": _PART,
                "mesos": _PART,
                "agents": {"type": "integer"},
                "tasks": {"type": "integer"},
            },
        },
    ),
)
