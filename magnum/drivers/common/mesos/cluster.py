"""A Mesos cluster as its masters and Nova show it: the leading master, the agents, and the servers that they run on.

Answers are JSON from inside the bay and are believed only as far as they go: what has another shape is
:class:`Silent`. All that is asked for in one look has to come within :data:`LONGEST` seconds.
"""

import http.client
import json
import ssl
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from magnum.drivers.contract import CloudUnavailable, KeyPair, Work
from magnum.drivers.heat.errors import translated
from magnum.drivers.heat.nodes import MICROVERSION, ROLE

#: Seconds that a whole look may take, and one connection or answer in it.
LONGEST, PATIENCE = 8.0, 3.0
#: Bytes of an answer that are read.
LARGEST = 16 * 1024 * 1024
#: The port of Mesos's own API on every master.
MESOS_PORT = 5050
#: The attribute by which an agent says which node it is.
NODE = "node"


class Silent(Exception):
    """A part of the cluster does not answer, or not sensibly. The text may be shown: no secret is in it."""


@dataclass(frozen=True, slots=True)
class Node:
    """A server of the bay at Nova. ``addresses`` are those that it may be reached by, floating ones first."""

    ident: str
    name: str
    role: str
    status: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Agent:
    """A Mesos agent. ``node`` is the name of its node, empty where it does not say; ``tasks`` is how many it runs."""

    ident: str
    node: str
    active: bool
    tasks: int
    used: float


def nodes(work: Work) -> tuple[Node, ...]:
    """The bay's servers. Raises the contract's exceptions."""
    with translated("looking at the nodes", "compute"):
        nova = work.clouds.rest("compute")
        if nova is None:
            raise CloudUnavailable("This cloud has no compute service.")
        tag = f"magnum-{work.bay.uuid}"
        answer = nova.get("/servers/detail", params={"tags": tag}, microversion=MICROVERSION).json()
    try:
        return tuple(_node(shown) for shown in answer["servers"])
    except (KeyError, TypeError, AttributeError) as error:
        raise CloudUnavailable(
            "The cloud's compute service gave an answer that makes no sense.",
            f"not a list of servers: {error!r}",
        ) from error


def _node(shown: Mapping[str, Any]) -> Node:
    listed = [one for network in (shown.get("addresses") or {}).values() for one in network]
    listed.sort(key=lambda one: one.get("OS-EXT-IPS:type") != "floating")
    return Node(
        ident=shown["id"],
        name=shown["name"],
        role=(shown.get("metadata") or {}).get(ROLE, ""),
        status=shown["status"],
        addresses=tuple(str(one["addr"]) for one in listed),
    )


class Masters:
    """The masters' APIs. Use it as a context: the client certificate lies in a folder meanwhile."""

    def __init__(self, work: Work) -> None:
        self._end = time.monotonic() + LONGEST
        self._folder = tempfile.TemporaryDirectory(prefix="magnum-mesos-")
        self._tls: ssl.SSLContext | None = None
        if not work.baymodel.tls_disabled:
            self._tls = _context(work.secrets.client("magnum"), Path(self._folder.name))

    def __enter__(self) -> "Masters":
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def get(self, host: str, port: int, path: str) -> Any:
        """The answer to a GET: JSON as a value, anything else as text. Raises Silent."""
        return self.ask("GET", host, port, path)

    def ask(self, method: str, host: str, port: int, path: str) -> Any:
        """As :meth:`get`, with another method."""
        left = min(PATIENCE, self._end - time.monotonic())
        if left <= 0:
            raise Silent(f"no answer within {LONGEST:.0f} seconds")
        connection: http.client.HTTPConnection
        if self._tls is None:
            connection = http.client.HTTPConnection(host, port, timeout=left)
        else:
            connection = http.client.HTTPSConnection(host, port, timeout=left, context=self._tls)
        try:
            connection.request(method, path, headers={"Accept": "application/json"})
            answer = connection.getresponse()
            text = self._read(answer)
        except ssl.SSLCertVerificationError as error:
            raise Silent(f"its certificate is not good: {error.verify_message}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Silent(f"no answer: {type(error).__name__}") from error
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK:
            raise Silent(f"it answers {answer.status}")
        try:
            return json.loads(text)
        except ValueError:
            return text.strip()

    def _read(self, answer: http.client.HTTPResponse) -> str:
        """The body, as long as there is time: one that comes in drops is given up."""
        found = bytearray()
        while part := answer.read1(65536):
            found += part
            if time.monotonic() > self._end or len(found) > LARGEST:
                raise ValueError("too slow or too long")
        return found.decode("utf-8", "replace")

    def leader(self, hosts: tuple[str, ...]) -> tuple[str, Mapping[str, Any]]:
        """The host of the leading master, and its measurements. Raises Silent where none of the hosts leads."""
        said = "no address of a master is known"
        for host in hosts:
            try:
                found = _mapping(self.get(host, MESOS_PORT, "/metrics/snapshot"))
            except Silent as error:
                said = f"{host}: {error}"
                continue
            if found.get("master/elected") == 1:
                return host, found
            said = "no master leads"
        raise Silent(said)

    def agents(self, host: str) -> tuple[Agent, ...]:
        """The agents that the leading master knows. Raises Silent."""
        found = _mapping(self.get(host, MESOS_PORT, "/master/state"))
        counts: dict[str, int] = {}
        try:
            for framework in found.get("frameworks") or []:
                for task in framework.get("tasks") or []:
                    counts[task["slave_id"]] = counts.get(task["slave_id"], 0) + 1
            return tuple(_agent(shown, counts) for shown in found.get("slaves") or [])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Silent(f"an answer that makes no sense: {type(error).__name__}") from error


def _agent(shown: Mapping[str, Any], tasks: Mapping[str, int]) -> Agent:
    total, used = shown.get("resources") or {}, shown.get("used_resources") or {}
    shares = [
        float(used.get(kind) or 0) / float(total[kind])
        for kind in ("cpus", "mem")
        if float(total.get(kind) or 0)
    ]
    return Agent(
        ident=str(shown["id"]),
        node=str((shown.get("attributes") or {}).get(NODE, "")),
        active=shown.get("active") is True,
        tasks=tasks.get(str(shown["id"]), 0),
        used=max(shares, default=0.0),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Silent("an answer that makes no sense")
    return value


def _context(pair: KeyPair, folder: Path) -> ssl.SSLContext:
    """A client's TLS. Python takes certificates of its own from files only."""
    context = ssl.create_default_context(cadata=pair.authority)
    for name, text in (("client.crt", pair.certificate), ("client.key", pair.key)):
        (folder / name).write_text(text)
    context.load_cert_chain(folder / "client.crt", folder / "client.key")
    return context
