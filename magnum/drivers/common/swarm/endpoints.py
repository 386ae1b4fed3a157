"""The endpoints of Swarm bays: what the Swarm is, and the command that joins another machine to it."""

from collections.abc import Mapping
from typing import Any

from magnum.drivers.common.cluster_api import DEADLINE
from magnum.drivers.common.swarm.cluster import Swarm, SwarmNode
from magnum.drivers.contract import MASTER, WORKER, Endpoint, Who, Work

_NODE = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "state": {"type": "string"},
        "availability": {"type": "string"},
        "address": {"type": "string"},
        "leader": {"type": "boolean"},
    },
    "required": ["name", "state", "availability"],
}


def info(work: Work, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The Swarm's id, Docker's version, and the nodes by their role."""
    swarm = Swarm.at(work, DEADLINE)
    ident, _ = swarm.swarm()
    nodes = swarm.nodes()
    return {
        "swarm": ident,
        "version": swarm.version(),
        "managers": [_shown(node) for node in nodes if node.role == MASTER],
        "workers": [_shown(node) for node in nodes if node.role == WORKER],
    }


def join_command(work: Work, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """What to type on a machine in the cluster's network."""
    swarm = Swarm.at(work, DEADLINE)
    role = str(request.get("role") or WORKER)
    _, tokens = swarm.swarm()
    managers = [node for node in swarm.nodes() if node.address]
    first = min(managers, key=lambda node: (not node.leader, node.name), default=None)
    place = f" {first.address}" if first else ""
    return {"role": role, "command": f"docker swarm join --token {tokens[role]}{place}"}


def _shown(node: SwarmNode) -> Mapping[str, Any]:
    more = {"address": node.address, "leader": node.leader} if node.role == MASTER else {}
    return {"name": node.name, "state": node.state, "availability": node.availability, **more}


ENDPOINTS = (
    Endpoint(
        "info",
        "Show the Swarm's id, Docker's version, and its managers and workers.",
        info,
        response={
            "type": "object",
            "properties": {
                "swarm": {"type": "string"},
                "version": {"type": "string"},
                "managers": {"type": "array", "items": _NODE},
                "workers": {"type": "array", "items": _NODE},
            },
            "required": ["swarm", "version", "managers", "workers"],
        },
        who=Who.READER,
    ),
    Endpoint(
        "join-command",
        "Show the command, with its token, that joins a machine to the Swarm as a worker or master.",
        join_command,
        request={
            "type": "object",
            "properties": {"role": {"type": "string", "enum": [WORKER, MASTER], "default": WORKER}},
            "additionalProperties": False,
        },
        response={
            "type": "object",
            "properties": {"role": {"type": "string"}, "command": {"type": "string"}},
            "required": ["role", "command"],
        },
        secret=True,
    ),
)
