"""Endpoints of its own: what the cluster is, and the token for new nodes."""

from collections.abc import Mapping
from typing import Any

from magnum.drivers.contract import Endpoint, NotFound, Work

from .cloud import ask, name_of


def _info(work: Work, request: Mapping[str, Any]) -> Mapping[str, Any]:
    cluster = ask(work, "get", name_of(work))
    if cluster is None:
        raise NotFound("There is no cluster.")
    return {"nodes": cluster["nodes"]}


def _token(work: Work, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"token": work.secrets.kept("token", lambda: "made-where-nobody-looks")}


ENDPOINTS = (
    Endpoint(
        "info",
        "What the cluster is.",
        _info,
        response={
            "type": "object",
            "properties": {"nodes": {"type": "integer"}},
            "required": ["nodes"],
            "additionalProperties": False,
        },
    ),
    Endpoint(
        "token",
        "What a new node is let in with.",
        _token,
        method="POST",
        request={
            "type": "object",
            "properties": {"role": {"type": "string", "enum": ["worker", "master"]}},
            "required": ["role"],
            "additionalProperties": False,
        },
        secret=True,
    ),
)
