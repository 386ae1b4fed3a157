"""Verbs that work on nodes one after the other, through Nova: rebuild, orderly reboot, power cycle.

A server keeps its id, name, network and addresses in all of them. Masters go one at a time, the others in batches.
Nova notes what a server is busy with before it answers, so a request whose answer was lost is seen at the next look.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from magnum.drivers.contract import (
    MASTER,
    Actor,
    CloudUnavailable,
    Done,
    Failed,
    Fault,
    InvalidOption,
    NotSupported,
    Outcome,
    Progress,
    Wait,
    Work,
)
from magnum.drivers.heat.errors import AlreadyThere, clean, translated

#: The first microversion of Nova that finds servers by their tags.
MICROVERSION = "2.26"
#: Nova tells nobody when it has done with a server: looks are at most this many seconds apart.
LOOK = 5.0
#: Keys of a server's metadata that our templates set.
ROLE, GROUP = "magnum_role", "magnum_group"


class NodeUnknown(InvalidOption):
    """The bay has no node of a name or id that was given."""

    code = "NODE_UNKNOWN"


@dataclass(frozen=True, slots=True)
class Server:
    """A node as Nova shows it. ``task`` is what Nova is at with it, empty if nothing; ``image`` is an id, or empty.

    ``group`` is the uuid of its node group, empty for the groups that every cluster has.
    """

    ident: str
    name: str
    role: str
    status: str
    task: str
    image: str
    fault: str = ""
    group: str = ""

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> "Server":
        """From Nova's answer. Raises KeyError where that is no server."""
        image = shown.get("image") or {}
        return cls(
            ident=shown["id"],
            name=shown["name"],
            role=(shown.get("metadata") or {}).get(ROLE, ""),
            status=shown["status"],
            task=shown.get("OS-EXT-STS:task_state") or "",
            image=image.get("id", "") if isinstance(image, Mapping) else "",
            fault=(shown.get("fault") or {}).get("message", ""),
            group=(shown.get("metadata") or {}).get(GROUP, ""),
        )

    @property
    def busy(self) -> bool:
        """Whether Nova is at something with it."""
        return bool(self.task) or self.status in ("REBOOT", "HARD_REBOOT", "REBUILD")


@dataclass(frozen=True, slots=True)
class Plan:
    """How far a verb has got: ids that are still to come, in order, those that are under way, and counters."""

    todo: tuple[str, ...]
    now: tuple[str, ...] = ()
    done: int = 0
    total: int = 0

    @classmethod
    def of(cls, cursor: Mapping[str, Any]) -> "Plan | None":
        """From a cursor; None from an empty one."""
        if "todo" not in cursor:
            return None
        return cls(
            tuple(cursor["todo"]), tuple(cursor["now"]), int(cursor["done"]), int(cursor["total"])
        )

    def data(self) -> dict[str, Any]:
        """What to put into an outcome's cursor."""
        return asdict(self)


def plan(servers: Sequence[Server], named: Sequence[str]) -> Plan:
    """Which nodes, and in which order: masters first, each kind by name.

    :param named: ids or names of the nodes that are meant; empty means all.

    Raises NodeUnknown for one that is not there.
    """
    known = {one.ident for one in servers} | {one.name for one in servers}
    if unknown := [name for name in named if name not in known]:
        raise NodeUnknown(f"The bay has no node {', '.join(map(repr, unknown))}.")
    chosen = [one for one in servers if not named or one.ident in named or one.name in named]
    ordered = sorted(chosen, key=lambda one: (one.role != MASTER, one.name, one.ident))
    return Plan(tuple(one.ident for one in ordered), total=len(ordered))


def batch(todo: Sequence[str], servers: Mapping[str, Server], size: int) -> tuple[str, ...]:
    """The nodes to begin with next: one master alone, or up to ``size`` others. What has gone is passed over."""
    present = [ident for ident in todo if ident in servers]
    if not present:
        return ()
    if servers[present[0]].role == MASTER:
        return (present[0],)
    return tuple(present[:size])


class Nodes:
    """Nova's servers of one bay. Every method is one request and raises the contract's exceptions only."""

    def __init__(self, work: Work) -> None:
        self._tag = f"magnum-{work.bay.uuid}"
        with translated("finding the compute service", "compute"):
            nova = work.clouds.rest("compute")
        if nova is None:
            raise NotSupported(
                "This cloud has no compute service whose servers could be worked on."
            )
        self._nova = nova

    def all(self) -> tuple[Server, ...]:
        """The bay's servers."""
        with translated("looking at the nodes", "compute"):
            answer = self._nova.get(
                "/servers/detail", params={"tags": self._tag}, microversion=MICROVERSION
            ).json()
        try:
            return tuple(Server.of(shown) for shown in answer["servers"])
        except (KeyError, TypeError, AttributeError) as error:
            raise CloudUnavailable(
                "The cloud's compute service gave an answer that makes no sense.",
                f"not a list of servers: {error!r}",
            ) from error

    def act(self, ident: str, action: Mapping[str, Any], doing: str) -> None:
        """Ask for an action on a server. One that is busy already counts as asked."""
        try:
            with translated(doing, "compute"):
                self._nova.post(f"/servers/{ident}/action", json=action, microversion=MICROVERSION)
        except AlreadyThere:
            pass


def reboot(work: Work, kind: str) -> Outcome:
    """Restart nodes, waiting for each. ``kind`` is Nova's: SOFT asks the system to, HARD takes the power away."""
    words = "restarting" if kind == "SOFT" else "power-cycling"

    def action(server: Server) -> Mapping[str, Any]:
        # Nova restarts only what runs; what was stopped is started.
        return {"os-start": None} if server.status == "SHUTOFF" else {"reboot": {"type": kind}}

    return _each(work, words, action)


def rebuild(work: Work) -> Outcome:
    """Make nodes anew from the images they were made from; what they had on their own disks is gone."""

    def action(server: Server) -> Mapping[str, Any]:
        image = server.image or _group_image(work, server.role)
        if not image:
            raise NotSupported(f"Node {server.name} was not made from an image.")
        return {"rebuild": {"imageRef": image}}

    return _each(work, "rebuilding", action)


def _group_image(work: Work, role: str) -> str | None:
    for group in work.node_groups:
        if group.role == role and group.is_default:
            return group.image_id or work.baymodel.image_id
    return work.baymodel.image_id


def _each(work: Work, words: str, action: Callable[[Server], Mapping[str, Any]]) -> Outcome:
    """Go on with the nodes: look, and where a batch is complete, begin with the next one."""
    nodes = Nodes(work)
    servers = {one.ident: one for one in nodes.all()}
    at = Plan.of(work.cursor) or plan(list(servers.values()), work.parameters.get("nodes") or ())
    under_way = [servers[ident] for ident in at.now if ident in servers]
    if broken := [one for one in under_way if one.status == "ERROR"]:
        return _broken(words, broken)
    if not any(one.busy for one in under_way):
        size = max(1, int(work.parameters.get("batch_size") or 1))
        following = batch(at.todo, servers, size)
        rest = tuple(ident for ident in at.todo if ident not in following and ident in servers)
        at = Plan(rest, following, at.total - len(rest) - len(following), at.total)
        for ident in following:
            nodes.act(ident, action(servers[ident]), f"{words} node {servers[ident].name}")
        if not following:
            return Done()
    names = ", ".join(servers[ident].name for ident in at.now if ident in servers)
    return Wait(
        min(work.poll_interval, LOOK),
        at.data(),
        Progress(f"{words} {names}"[:255], at.done, at.total),
    )


def _broken(words: str, broken: Sequence[Server]) -> Failed:
    faults = tuple(
        Fault(one.name, "OS::Nova::Server", clean(one.fault) or "no reason given") for one in broken
    )
    told = "; ".join(f"{fault.resource}: {fault.text}" for fault in faults)
    text = f"{words.capitalize()} failed on node {told}"
    return Failed("NODE_ACTION_FAILED", Actor.OPERATOR, text, faults=faults)
