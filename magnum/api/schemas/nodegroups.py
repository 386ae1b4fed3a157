"""Requests for node groups (contract 2.3)."""

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from magnum.api.json_patch import Rules
from magnum.api.microversions import NODE_LABELS, Version
from magnum.api.schemas.base import (
    LABELS,
    Properties,
    Schema,
    boolean,
    integer,
    mandatory,
    pointer,
    text,
)
from magnum.common import errors

READ_ONLY: Final = (
    *("project_id", "stack_id", "node_addresses", "links", "created_at", "updated_at"),
)

_LABELS: Final = {**LABELS, "type": ["object", "null"]}

_PROPERTIES: Final[Properties] = {
    "name": mandatory(text()),
    "node_count": integer(0),
    "min_node_count": integer(0),
    "max_node_count": integer(0),
    "role": text(),
    "flavor_id": text(),
    "image_id": text(),
    "docker_volume_size": integer(1),
    "labels": _LABELS,
    "merge_labels": boolean(),
}

#: What the cluster itself is to know of each node, from 1.14 on.
_OF_NODES: Final[Properties] = {
    "node_labels": _LABELS,
    "node_taints": {"type": ["array", "null"], "maxItems": 100, "items": {"type": "object"}},
}

#: What a PATCH may change, by version; and what nothing of has a value for is not there.
BOUNDS: Final = frozenset({"min_node_count", "max_node_count"})
MARKS: Final = frozenset(_OF_NODES)

EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")

#: A name, with or without the domain of who gives it a meaning, and a value, as Kubernetes has them.
_WORD = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"(?:(?P<prefix>[a-z0-9](?:[a-z0-9.-]{{0,251}}[a-z0-9])?)/)?{_WORD}")
_VALUE = re.compile(f"(?:{_WORD})?")
#: Domains that Kubernetes keeps for itself, and what of them nodes may be given all the same.
_RESERVED: Final = ("kubernetes.io", "k8s.io")
_FREE_DOMAINS: Final = ("kubelet.kubernetes.io", "node.kubernetes.io")
_FREE: Final = frozenset(
    {
        *("kubernetes.io/arch", "kubernetes.io/os", "kubernetes.io/hostname"),
        *("topology.kubernetes.io/zone", "topology.kubernetes.io/region"),
        *("failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region"),
        *("beta.kubernetes.io/arch", "beta.kubernetes.io/os", "beta.kubernetes.io/instance-type"),
    }
)


class MarkRefused(errors.Conflict):
    """A node cannot be given this label or taint."""

    code = "MARK_REFUSED"


@functools.cache
def create(version: Version) -> Schema:
    """The request for a new group at a version."""
    return Schema(_properties(version), ("name",), READ_ONLY)


@functools.cache
def patch(version: Version) -> Rules:
    """What a PATCH may say at a version."""
    return Rules(
        schema=create(version),
        internal=frozenset(READ_ONLY),
        mandatory=frozenset({"name", "role", "node_count"}),
        defaults={"min_node_count": 0},
    )


def _properties(version: Version) -> Properties:
    return {**_PROPERTIES, **_OF_NODES} if version >= NODE_LABELS else _PROPERTIES


def check_marks(
    labels: Mapping[str, str] | None, taints: Sequence[Mapping[str, Any]] | None
) -> None:
    """Raise MarkRefused for labels and taints that no node can be given; it points at one."""
    for name, value in (labels or {}).items():
        _check_name(name, pointer(("node_labels", name)))
        if not _VALUE.fullmatch(value):
            raise MarkRefused(
                f"The label {name!r} cannot have the value {value!r}",
                field=pointer(("node_labels", name)),
            )
    for index, taint in enumerate(taints or ()):
        _check_taint(taint, ("node_taints", index))


def _check_name(name: Any, field: str) -> None:
    found = _NAME.fullmatch(name) if isinstance(name, str) else None
    if found is None:
        raise MarkRefused(f"{name!r} is no name for a label or taint", field=field)
    domain = found["prefix"] or ""
    kept = any(domain == one or domain.endswith(f".{one}") for one in _RESERVED)
    free = name in _FREE or any(
        domain == one or domain.endswith(f".{one}") for one in _FREE_DOMAINS
    )
    if kept and not free:
        raise MarkRefused(f"{name!r} is reserved for Kubernetes itself", field=field)


def _check_taint(taint: Mapping[str, Any], at: tuple[str | int, ...]) -> None:
    if unknown := taint.keys() - {"key", "effect", "value"}:
        raise MarkRefused(
            f"A taint has no {sorted(unknown)[0]!r}", field=pointer((*at, sorted(unknown)[0]))
        )
    _check_name(taint.get("key"), pointer((*at, "key")))
    if taint.get("effect") not in EFFECTS:
        raise MarkRefused(
            f"The effect of a taint is one of {', '.join(EFFECTS)}", field=pointer((*at, "effect"))
        )
    value = taint.get("value", "")
    if not isinstance(value, str) or not _VALUE.fullmatch(value):
        raise MarkRefused(f"A taint cannot have the value {value!r}", field=pointer((*at, "value")))
