"""Nodes and pods as a Kubernetes cluster shows them: what the monitor and the scaler want to know of them. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_FACTORS = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    **{f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", 1)},
}
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:([eE][+-]?[0-9]+)|([numkMGTPE]i?|Ki)?)")
#: Conditions that are bad when they hold, and what to say then.
_PRESSURES = {
    "MemoryPressure": "short of memory",
    "DiskPressure": "short of disk space",
    "PIDPressure": "short of process ids",
    "NetworkUnavailable": "without a network for pods",
}
_MIRROR = "kubernetes.io/config.mirror"
#: The label that our nodes' kubelets give them.
_ROLE = "magnum.openstack.org/role"
#: The annotation of nodes that are to go, and were kept from new pods for that.
LEAVING = "magnum.openstack.org/leaving"


def quantity(text: object) -> float:
    """A number as Kubernetes writes it (``500m``, ``2Gi``, ``1e3``); 0 for what is none."""
    found = _QUANTITY.fullmatch(str(text).strip())
    if found is None:
        return 0.0
    number, exponent, suffix = found.groups()
    if exponent:
        return float(number + exponent)
    return float(number) * _FACTORS.get(suffix or "", 0.0)


@dataclass(frozen=True, slots=True)
class Resources:
    """Processors, bytes of memory, and pods."""

    cpu: float = 0.0
    memory: float = 0.0
    pods: float = 0.0

    @classmethod
    def of(cls, shown: object) -> "Resources":
        """From a map of quantities."""
        told = shown if isinstance(shown, Mapping) else {}
        return cls(*(quantity(told.get(name, 0)) for name in ("cpu", "memory", "pods")))

    def __add__(self, other: "Resources") -> "Resources":
        return Resources(self.cpu + other.cpu, self.memory + other.memory, self.pods + other.pods)

    def most(self, other: "Resources") -> "Resources":
        """The greater of each."""
        return Resources(
            max(self.cpu, other.cpu), max(self.memory, other.memory), max(self.pods, other.pods)
        )

    def fits(self, room: "Resources") -> bool:
        """Whether there is room for all of it; what the room does not tell is no limit."""
        return all(part <= 1 for part in self.parts(room).values())

    def parts(self, whole: "Resources") -> dict[str, float]:
        """How much each is of a whole; without those that the whole has nothing of."""
        return {
            name: getattr(self, name) / getattr(whole, name)
            for name in ("cpu", "memory", "pods")
            if getattr(whole, name) > 0
        }

    def shares(self, whole: "Resources") -> dict[str, float]:
        """The same from 0 to 1, whatever is asked for."""
        return {name: min(1.0, part) for name, part in self.parts(whole).items()}


@dataclass(frozen=True, slots=True)
class Node:
    """A node. ``trouble`` is empty when it is ready and lacks nothing; others than ours were joined by hand."""

    name: str
    ready: bool
    trouble: str
    version: str
    runtime: str
    addresses: tuple[str, ...]
    allocatable: Resources
    is_ours: bool = True
    is_leaving: bool = False

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> "Node":
        """From the API's answer; what is absent counts as not known."""
        status, info = _map(shown, "status"), _map(_map(shown, "status"), "nodeInfo")
        conditions = {
            one.get("type"): one for one in _list(status, "conditions") if isinstance(one, dict)
        }
        ready = conditions.get("Ready", {}).get("status") == "True"
        addresses = (one.get("address") for one in _list(status, "addresses"))
        return cls(
            name=str(_map(shown, "metadata").get("name", "")),
            ready=ready,
            trouble=_trouble(ready, conditions),
            version=str(info.get("kubeletVersion", "")),
            runtime=str(info.get("containerRuntimeVersion", "")),
            addresses=tuple(dict.fromkeys(str(address) for address in addresses if address)),
            allocatable=Resources.of(status.get("allocatable")),
            is_ours=_ROLE in _map(_map(shown, "metadata"), "labels"),
            is_leaving=LEAVING in _map(_map(shown, "metadata"), "annotations"),
        )


def _trouble(ready: bool, conditions: Mapping[Any, Mapping[str, Any]]) -> str:
    if not ready:
        told = conditions.get("Ready", {})
        return f"not ready: {told.get('message') or told.get('reason') or 'it says nothing'}"[:300]
    bad = [
        words
        for kind, words in _PRESSURES.items()
        if conditions.get(kind, {}).get("status") == "True"
    ]
    return ", ".join(bad)


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that has not ended. ``is_bound`` pods go with their node: those of daemon sets, and static ones."""

    namespace: str
    name: str
    node: str
    is_bound: bool
    asked: Resources
    lacks_room: bool = False

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> "Pod":
        """From the API's answer."""
        about, spec = _map(shown, "metadata"), _map(shown, "spec")
        owners = [one.get("kind") for one in _list(about, "ownerReferences")]
        conditions = _list(_map(shown, "status"), "conditions")
        return cls(
            namespace=str(about.get("namespace", "")),
            name=str(about.get("name", "")),
            node=str(spec.get("nodeName") or ""),
            is_bound="DaemonSet" in owners or _MIRROR in _map(about, "annotations"),
            asked=_asked(spec),
            lacks_room=not spec.get("nodeName")
            and any(
                one.get("type") == "PodScheduled"
                and one.get("reason") == "Unschedulable"
                and "Insufficient" in str(one.get("message"))
                for one in conditions
            ),
        )


def _asked(spec: Mapping[str, Any]) -> Resources:
    """What a pod asks for: its containers together, or its greatest first one, as the scheduler counts."""

    def requests(kind: str) -> Iterable[Resources]:
        for one in _list(spec, kind):
            yield Resources.of(_map(_map(one, "resources"), "requests"))

    total = sum(requests("containers"), Resources())
    for first in requests("initContainers"):
        total = total.most(first)
    return total + Resources(pods=1.0)


def _map(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = of.get(name)
    return value if isinstance(value, Mapping) else {}


def _list(of: Mapping[str, Any], name: str) -> list[Any]:
    value = of.get(name)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
