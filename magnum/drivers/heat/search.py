"""What of a bay is left in the cloud, once its stacks are gone: one request for each kind of thing.

Heat takes a stack away whose parts it has lost sight of, because somebody let go of them or because
the answer to their creation never came. What templates make therefore bears the bay's mark wherever
it can: ``magnum-<uuid>`` as a tag, or as name or description of what has no tags, and ``magnum_bay``
in the metadata of servers and volumes. A thing that Heat named itself begins with the stack's name.
Servers and volumes with that metadata are the bay's for certain, and can be deleted from here.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from keystoneauth1 import exceptions as keystone

from magnum.drivers.contract import Clouds, CloudUnavailable, Leftover
from magnum.drivers.heat.errors import clean, translated

LOG = logging.getLogger(__name__)

#: Key in the metadata of servers and volumes whose value is the bay's uuid.
METADATA_KEY = "magnum_bay"

#: Answers that say that this service cannot be searched, today or at all. Asking again is no help.
_NOT_TO_BE_SEARCHED = frozenset({400, 401, 403, 404, 405, 410})


@dataclass(frozen=True, slots=True)
class Mark:
    """By what the things of one bay are known."""

    uuid: str

    @property
    def tag(self) -> str:
        """The tag, and the name or description of what has no tags."""
        return f"magnum-{self.uuid}"

    def is_on(self, thing: Mapping[str, Any]) -> bool:
        """Whether a thing that a service listed is the bay's. A service may ignore a filter."""
        name = str(thing.get("name") or "")
        return (
            self.tag in (thing.get("tags") or ())
            or self.tag in (name, thing.get("description"))
            or name.startswith(f"bay-{self.uuid}")
            or self.is_in_metadata_of(thing)
        )

    def is_in_metadata_of(self, thing: Mapping[str, Any]) -> bool:
        """Whether it is in the thing's metadata, where only our templates put it."""
        metadata = thing.get("metadata")
        return isinstance(metadata, Mapping) and metadata.get(METADATA_KEY) == self.uuid


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing and how to ask for those of a bay.

    ``service`` is the type in the service catalogue, ``version`` stands before the path unless the
    catalogue's address has one. ``collection`` is the key in the answer. ``by`` names the parameter
    that narrows the list; its value is ``value`` with the bay's tag and uuid put in. ``deletable``
    says that one which bears the mark in its metadata may be deleted without asking anybody.
    """

    service: str
    name: str
    version: str
    path: str
    collection: str
    by: str | None = None
    value: str = "{tag}"
    deletable: bool = False

    def query(self, mark: Mark) -> dict[str, str]:
        """The parameters of the request."""
        if self.by is None:
            return {}
        value = self.value.format(tag=mark.tag, uuid=mark.uuid, short=mark.uuid[:8])
        return {self.by: value}


#: In the order in which they hold one another: a port goes with its server.
KINDS = (
    Kind("load-balancer", "load balancer", "v2.0", "/lbaas/loadbalancers", "loadbalancers", "name"),
    # Nova looks for an expression in names. The names of nodes have the uuid's first part in them.
    Kind(
        *("compute", "server", "v2.1", "/servers/detail", "servers", "name", "{short}"),
        deletable=True,
    ),
    # Few, by their quota, and Nova has no filter for them.
    Kind("compute", "server group", "v2.1", "/os-server-groups", "server_groups"),
    # Cinder reads the value as Python writes a dict.
    Kind(
        *("block-storage", "volume", "v3", "/volumes/detail", "volumes"),
        *("metadata", f"{{{{'{METADATA_KEY}': '{{uuid}}'}}}}"),
        deletable=True,
    ),
    Kind("network", "floating IP", "v2.0", "/floatingips", "floatingips", "description"),
    Kind("network", "port", "v2.0", "/ports", "ports", "tags"),
    Kind("network", "router", "v2.0", "/routers", "routers", "tags"),
    Kind("network", "subnet", "v2.0", "/subnets", "subnets", "tags"),
    Kind("network", "network", "v2.0", "/networks", "networks", "tags"),
    Kind("network", "security group", "v2.0", "/security-groups", "security_groups", "name"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """Something that is left, of a kind. ``deletable`` where :func:`remove` may take it away."""

    kind: Kind
    leftover: Leftover
    deletable: bool


def leftovers(clouds: Clouds, uuid: str) -> tuple[Found, ...]:
    """Everything that bears the bay's mark, in every service that the cloud has.

    A service that does not let itself be searched is noted in the log, and passed over: a cloud may
    forbid it, and deletions must end there too. Raises CloudUnavailable where a service does not
    answer. The bay's own user and its secrets are not looked for: who runs the driver removes them
    after all this has gone.
    """
    return tuple(_found(clouds, Mark(uuid)))


def remove(clouds: Clouds, uuid: str, found: Iterable[Found]) -> bool:
    """Ask for the deletion of all that is deletable, and tell whether there was any.

    Where a service does not do it, now or at all, that is noted in the log; the next search tells
    what is still there. Raises CloudUnavailable where a service does not answer.
    """
    deletable = [one for one in found if one.deletable]
    for one in deletable:
        left = one.leftover
        with translated(f"deleting what is left of the bay: {left.kind}", left.service):
            adapter = clouds.rest(left.service)
            path = _path(adapter.get_endpoint() or "", one.kind).removesuffix("/detail")
            try:
                adapter.delete(f"{path}/{left.ident}")
            except keystone.NotFound:
                continue  # gone since the search
            except keystone.HttpError as error:
                LOG.warning(
                    "Bay %s: the %s %s is left and cannot be deleted, the %s service answers %s: %s",
                    *(uuid, left.kind, left.ident, left.service, error.http_status, clean(error)),
                )
                continue
        LOG.info("Bay %s: the %s %s was left, and is deleted.", uuid, left.kind, left.ident)
    return bool(deletable)


def _found(clouds: Clouds, mark: Mark) -> Iterator[Found]:
    passed_over: set[str] = set()
    for kind in KINDS:
        if kind.service in passed_over:
            continue
        with translated(f"looking for what is left of the bay: {kind.name}", kind.service):
            adapter = clouds.rest(kind.service)
            if adapter is None:
                passed_over.add(kind.service)
                continue
            try:
                listed = _listed(adapter, kind, mark)
            except keystone.HttpError as error:
                if error.http_status not in _NOT_TO_BE_SEARCHED:
                    raise
                LOG.warning(
                    "Bay %s: whether a %s is left cannot be found out, the %s service answers %s: %s",
                    *(mark.uuid, kind.name, kind.service, error.http_status, clean(error)),
                )
                continue
        for thing in listed:
            if mark.is_on(thing):
                name = str(thing.get("name") or thing.get("floating_ip_address") or "")
                leftover = Leftover(kind.service, kind.name, str(thing.get("id")), name)
                yield Found(kind, leftover, kind.deletable and mark.is_in_metadata_of(thing))


def _listed(adapter: Any, kind: Kind, mark: Mark) -> list[Mapping[str, Any]]:
    """One request. Raises CloudUnavailable where the answer makes no sense."""
    response = adapter.get(
        _path(adapter.get_endpoint() or "", kind),
        params=kind.query(mark),
        headers={"Accept": "application/json"},
    )
    try:
        things = response.json()[kind.collection]
        if all(isinstance(thing, Mapping) for thing in things):
            return list(things)
    except (ValueError, KeyError, TypeError):
        pass
    raise CloudUnavailable(
        f"The cloud's {kind.service} service gave an answer that makes no sense.",
        f"looking for what is left of the bay: {kind.name}: no list of {kind.collection}",
    )


def _path(endpoint: str, kind: Kind) -> str:
    """The path below the catalogue's address, which has the version in it or has it not."""
    parts = urlsplit(endpoint).path.split("/")
    versioned = any(part[:1] == "v" and part[1:2].isdigit() for part in parts)
    return kind.path if versioned else f"/{kind.version}{kind.path}"
