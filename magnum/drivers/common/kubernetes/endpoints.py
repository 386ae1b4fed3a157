"""The endpoints that our Kubernetes drivers have: ``kubeconfig`` and ``nodes``."""

import base64
from collections.abc import Mapping
from typing import Any

import yaml

from magnum.drivers.common.kubernetes.cluster import GROUP, Cluster
from magnum.drivers.contract import Endpoint, NotFound, Who, Work

#: Seconds for the cluster's answers.
SECONDS = 6.0
#: Whom the certificate of a kubeconfig is for.
_USER = "magnum-user"


def kubeconfig(work: Work, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """A configuration for kubectl, with a certificate that is good for an hour."""
    if not work.bay.api_address:
        raise NotFound("The address of the cluster's API is not known yet.")
    pair = work.secrets.client(_USER, GROUP)
    name = work.bay.name or work.bay.uuid
    context = {"cluster": name, "user": _USER}
    cluster = {"server": work.bay.api_address, "certificate-authority-data": _data(pair.authority)}
    user = {
        "client-certificate-data": _data(pair.certificate),
        "client-key-data": _data(pair.key),
    }
    text = yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": _USER, "user": user}],
            "contexts": [{"name": name, "context": context}],
            "current-context": name,
        },
        sort_keys=False,
    )
    return {"kubeconfig": text}


def nodes(work: Work, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The nodes as the cluster sees them. Raises ClusterUnavailable."""
    return {
        "nodes": [
            {
                "name": node.name,
                "ready": node.ready,
                "version": node.version,
                "addresses": list(node.addresses),
            }
            for node in Cluster.at(work, SECONDS).nodes()
        ]
    }


def _data(pem: str) -> str:
    return base64.b64encode(pem.encode()).decode()


ENDPOINTS = (
    Endpoint(
        name="kubeconfig",
        help="Show a configuration for kubectl, good for an hour.",
        handler=kubeconfig,
        who=Who.MEMBER,
        secret=True,
        response={
            "type": "object",
            "properties": {
                "kubeconfig": {"type": "string", "description": "A kubeconfig file, as YAML."}
            },
            "required": ["kubeconfig"],
            "additionalProperties": False,
        },
    ),
    Endpoint(
        name="nodes",
        help="Show the nodes as the cluster sees them.",
        handler=nodes,
        who=Who.READER,
        response={
            "type": "object",
            "properties": {
                "nodes": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string"},
                            "ready": {"type": "boolean"},
                            "version": {"type": "string"},
                            "addresses": {"type": "array", "items": {"type": "string"}},
                        },
                        "required": ["name", "ready", "version", "addresses"],
                        "additionalProperties": False,
                    },
                }
            },
            "required": ["nodes"],
            "additionalProperties": False,
        },
    ),
)
