"""A running Swarm as its API shows it: nodes, and the tasks that run on them. Nothing is decided here."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from magnum.drivers.common.cluster_api import ClusterApi, ClusterUnavailable, cluster_api
from magnum.drivers.contract import MASTER, WORKER, Work

#: Label of a node that a scaling is about to take away.
LEAVING = "magnum.leaving"
_RUNNING = '{"desired-state":{"running":true}}'
#: States of a task that does not run yet, and that has come to no end.
_ON_ITS_WAY = frozenset(
    {"new", "pending", "assigned", "accepted", "preparing", "ready", "starting"}
)


@dataclass(frozen=True, slots=True)
class SwarmNode:
    """A node of the Swarm. ``name`` is its server's. ``spec`` and ``version`` are what an update of it needs.

    ``cpus`` are in billionths, ``memory`` is in bytes. ``reachability`` and ``address`` are of managers only.
    """

    ident: str
    name: str
    role: str
    state: str
    message: str
    availability: str
    reachability: str
    leader: bool
    address: str
    cpus: int
    memory: int
    version: int
    spec: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> "SwarmNode":
        """From Docker's answer. Raises KeyError, TypeError, ValueError where that is no node."""
        spec, status = shown["Spec"], shown["Status"]
        manager = shown.get("ManagerStatus") or {}
        resources = shown["Description"].get("Resources") or {}
        return cls(
            ident=str(shown["ID"]),
            name=str(shown["Description"]["Hostname"]).partition(".")[0],
            role=MASTER if spec["Role"] == "manager" else WORKER,
            state=str(status["State"]),
            message=str(status.get("Message") or ""),
            availability=str(spec["Availability"]),
            reachability=str(manager.get("Reachability") or ""),
            leader=bool(manager.get("Leader")),
            address=str(manager.get("Addr") or ""),
            cpus=int(resources.get("NanoCPUs") or 0),
            memory=int(resources.get("MemoryBytes") or 0),
            version=int(shown["Version"]["Index"]),
            spec=spec,
        )

    def is_of(self, uuid: str) -> bool:
        """Whether it is a bay's own; else somebody has joined it by hand. Names have the uuid's first part in them."""
        return f"-{uuid[:8].lower()}-" in self.name

    @property
    def is_leaving(self) -> bool:
        """Whether a scaling has marked it."""
        return LEAVING in (self.spec.get("Labels") or {})

    @property
    def trouble(self) -> str:
        """What is wrong with it; empty where nothing is."""
        if self.state != "ready":
            return f"{self.state}: {self.message}" if self.message else self.state
        if self.role == MASTER and self.reachability != "reachable":
            return f"its manager is {self.reachability or 'unknown'}"
        return ""


@dataclass(frozen=True, slots=True)
class Task:
    """A container that is to run. ``node`` is empty until it has a place. ``everywhere`` is one of a global service."""

    node: str
    state: str
    trouble: str
    everywhere: bool
    cpus: int
    memory: int

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> "Task":
        """From Docker's answer. Raises KeyError, TypeError, ValueError where that is no task."""
        wanted = ((shown["Spec"].get("Resources") or {}).get("Reservations")) or {}
        return cls(
            node=str(shown.get("NodeID") or ""),
            state=str(shown["Status"]["State"]),
            trouble=str(shown["Status"].get("Err") or ""),
            everywhere=not shown.get("Slot"),
            cpus=int(wanted.get("NanoCPUs") or 0),
            memory=int(wanted.get("MemoryBytes") or 0),
        )

    @property
    def is_pending(self) -> bool:
        """Whether it still has to come to run."""
        return self.state in _ON_ITS_WAY


class Swarm:
    """One Swarm, asked through a manager. Every method raises ClusterUnavailable where there is no good answer."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api

    @classmethod
    def at(cls, work: Work, seconds: float) -> "Swarm":
        """The bay's, with so many seconds for all that is asked."""
        return cls(cluster_api(work, seconds=seconds))

    @property
    def seconds_left(self) -> float:
        """Seconds in which more can be asked."""
        return self._api.seconds_left

    def version(self) -> str:
        """Docker's version on the manager that answers."""
        with self._sensible("/version"):
            return str(self._api.get("/version")["Version"])

    def swarm(self) -> tuple[str, Mapping[str, str]]:
        """The Swarm's id, and its join tokens by the contract's roles."""
        with self._sensible("/swarm"):
            shown = self._api.get("/swarm")
            tokens = shown["JoinTokens"]
            return str(shown["ID"]), {MASTER: str(tokens["Manager"]), WORKER: str(tokens["Worker"])}

    def nodes(self) -> tuple[SwarmNode, ...]:
        """All nodes, by name."""
        with self._sensible("/nodes"):
            found = (SwarmNode.of(shown) for shown in self._api.get("/nodes"))
            return tuple(sorted(found, key=lambda node: (node.name, node.ident)))

    def tasks(self) -> tuple[Task, ...]:
        """What is to run."""
        with self._sensible("/tasks"):
            return tuple(Task.of(shown) for shown in self._api.get("/tasks", filters=_RUNNING))

    def mark(self, node: SwarmNode, *, leaving: bool) -> None:
        """Have a node give up what runs on it and take nothing more; or be as any other again."""
        labels = {
            name: text for name, text in (node.spec.get("Labels") or {}).items() if name != LEAVING
        }
        changed = {
            **node.spec,
            "Labels": {**labels, LEAVING: "true"} if leaving else labels,
            "Availability": "drain" if leaving else "active",
        }
        self._api.call("POST", f"/nodes/{node.ident}/update?version={node.version}", changed)

    def forget(self, node: SwarmNode) -> None:
        """Remove a worker that will not come back."""
        self._api.call("DELETE", f"/nodes/{node.ident}?force=true")

    @contextlib.contextmanager
    def _sensible(self, path: str) -> Iterator[None]:
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ClusterUnavailable(
                f"The cluster's API at {self._api.address} gives an answer that makes no sense.",
                f"{path}: {json.dumps(str(error))}",
            ) from error
