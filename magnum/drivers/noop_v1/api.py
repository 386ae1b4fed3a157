"""Endpoints of this driver's own, below its bays: ``/v1/bays/<bay>/ext/noop_v1/<name>``.

A handler is called in a conductor, outside the queue of operations, while the caller waits. So it answers within
seconds. It gets the same :class:`Work` as a verb, and the request as its schema says it is; what it returns must be as
the other schema says. It raises the contract's errors, and those alone reach the caller with their text.
"""

from collections.abc import Mapping
from typing import Any

from magnum.drivers.contract import Endpoint, Who, Work


def info(work: Work, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """What there is to know of a cluster that does not exist."""
    return {
        "name": work.bay.name,
        "nodes": sum(group.node_count for group in work.node_groups),
        "driver_version": work.bay.driver_version,
    }


def echo(work: Work, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The text that was sent, as often as was asked for."""
    text: str = request["text"]
    if request.get("loud", False):
        text = text.upper()
    return {"text": " ".join([text] * request.get("times", 1))}


#: What the driver shows. A GET takes its request from the query, as text, which is read by the schema's types.
ENDPOINTS = (
    Endpoint(
        name="info",
        help="Show what this driver knows of the cluster.",
        handler=info,
        who=Who.READER,
        response={
            "type": "object",
            "properties": {
                "name": {"type": ["string", "null"]},
                "nodes": {"type": "integer"},
                "driver_version": {"type": ["string", "null"]},
            },
            "required": ["name", "nodes", "driver_version"],
            "additionalProperties": False,
        },
    ),
    Endpoint(
        name="echo",
        help="Answer with the text that was sent.",
        handler=echo,
        method="POST",
        request={
            "type": "object",
            "properties": {
                "text": {"type": "string", "maxLength": 1000, "description": "What to say."},
                "times": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 10,
                    "description": "How often to say it; once if not given.",
                },
                "loud": {"type": "boolean", "description": "Say it in capitals."},
            },
            "required": ["text"],
            "additionalProperties": False,
        },
        response={
            "type": "object",
            "properties": {"text": {"type": "string"}},
            "required": ["text"],
            "additionalProperties": False,
        },
    ),
)
