"""Decisions without any effect: what a node is, which addresses a network gets, what to boot and what to end.

Everything here is data and plain functions, so that it can be tested without root and without a cloud.
"""

import hashlib
import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

#: The host's own address on the bridge to all networks: where nodes find the cloud's services.
HOST_ADDRESS = "10.77.0.1"
OUTSIDE = ipaddress.IPv4Network("10.77.0.0/16")
#: The external network of `tools/cloud`; floating IPs come from it.
EXTERNAL = ipaddress.IPv4Network("172.24.4.0/22")
STANDALONE = "standalone"  # name of the network of nodes that a person boots
MTU = 1450  # of a Neutron network that is a VXLAN


@dataclass(frozen=True)
class Interface:
    """One network card of a node.

    :param network: key of the network it is in.
    :param address: with the prefix length of its subnet, as in ``10.0.0.5/24``.
    :param gateway: its default route; None = no default route through it.
    :param mac: None = any.
    """

    network: str
    address: str
    gateway: str | None = None
    mac: str | None = None
    mtu: int = MTU

    @property
    def ip(self) -> str:
        """The bare address."""
        return self.address.partition("/")[0]


@dataclass(frozen=True)
class Spec:
    """What a node shall be.

    :param key: what tells it from all others; a server's id, or the name a person gave it.
    :param name: its host name.
    :param user_data: as Nova has it, in bytes.
    :param facts: more for its ``meta_data.json``.
    :param root: changes when the node shall get a fresh disk.
    :param run: changes when it shall boot again.
    :param owner: who sees to it: a cloud, by its name, or a person (empty).
    """

    key: str
    name: str
    user_data: bytes
    interfaces: tuple[Interface, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    root: str = ""
    run: str = ""
    owner: str = ""

    def shown(self) -> dict[str, Any]:
        """Everything but the user data, as JSON keeps it."""
        kept = {name: value for name, value in asdict(self).items() if name != "user_data"}
        return {**kept, "facts": dict(self.facts)}

    @classmethod
    def from_shown(cls, shown: Mapping[str, Any], user_data: bytes = b"") -> "Spec":
        """The reverse of ``shown``."""
        interfaces = tuple(Interface(**one) for one in shown["interfaces"])
        return cls(**{**shown, "interfaces": interfaces, "user_data": user_data})


@dataclass(frozen=True)
class Network:
    """A network of nodes, with its router to the host.

    :param key: a Neutron network's id, or a name.
    :param gateways: the router's addresses in it, each with the prefix length of its subnet.
    :param outside: the router's address on the host's bridge.
    :param floating: floating IP to fixed address.
    :param routed: whether the host has a route to the fixed addresses too.
    :param owner: as a node's.
    :param virtual: addresses of load balancers, at which the router listens.
    """

    key: str
    gateways: tuple[str, ...]
    outside: str
    mtu: int = MTU
    floating: Mapping[str, str] = field(default_factory=dict)
    routed: bool = False
    owner: str = ""
    virtual: tuple[str, ...] = ()

    @property
    def subnets(self) -> tuple[str, ...]:
        """The subnets, in CIDR notation."""
        return tuple(str(ipaddress.IPv4Interface(one).network) for one in self.gateways)


def short(key: str) -> str:
    """Eight hex digits for names that have to be short, such as those of interfaces."""
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def hostname(name: str) -> str:
    """A host name from any server's name, as Nova makes one."""
    kept = re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")
    return kept[:63].rstrip("-") or "node"


def outside_address(taken: Collection[str]) -> str:
    """The next free address on the host's bridge."""
    for candidate in OUTSIDE.hosts():
        # The first 256 are the host's own.
        if candidate.packed[2] and str(candidate) not in taken:
            return str(candidate)
    raise ValueError(f"all addresses of {OUTSIDE} are taken")


def first_host(address: str) -> str:
    """The usual gateway of an interface address such as ``10.0.0.5/24``, in the same notation."""
    network = ipaddress.IPv4Interface(address).network
    return f"{next(network.hosts())}/{network.prefixlen}"


def may_be_routed(network: Network, routes: Iterable[str]) -> bool:
    """Whether the host may have a route to a network: it must not hide what the host already reaches.

    :param routes: destinations of the host's routes, in CIDR notation.
    """
    ours = [ipaddress.IPv4Network(one) for one in network.subnets]
    known = [ipaddress.IPv4Network(one) for one in routes]
    return not any(own.overlaps(other) for own in ours for other in known)


def router_rules(network: Network) -> str:
    """The tables ``nat`` and ``filter`` of a network's router, whole, as ``iptables-restore`` takes them.

    A floating IP is the address of one node, in both directions; whatever else goes out, goes out as the router.
    Nodes of one network that call each other by a floating IP come back through the router. What leads nowhere is
    refused with a TCP reset, because an ICMP error is soft for a connection that is just being made.
    """
    lines = ["*nat", ":PREROUTING ACCEPT [0:0]", ":INPUT ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]"]
    lines.append(":POSTROUTING ACCEPT [0:0]")
    for floating, fixed in sorted(network.floating.items()):
        lines.append(f"-A PREROUTING -d {floating}/32 -j DNAT --to-destination {fixed}")
        lines.append(f"-A POSTROUTING -s {fixed}/32 -o outside -j SNAT --to-source {floating}")
    for subnet in network.subnets:
        lines.append(
            f"-A POSTROUTING -s {subnet} -d {subnet} -m conntrack --ctstate DNAT -j MASQUERADE"
        )
    lines.append("-A POSTROUTING -o outside -j MASQUERADE")
    lines += ["COMMIT", "*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]"]
    lines.append(":OUTPUT ACCEPT [0:0]")
    lines += [f"-A FORWARD -o outside -d {reached} -j ACCEPT" for reached in (OUTSIDE, EXTERNAL)]
    lines.append("-A FORWARD -o outside -p tcp -j REJECT --reject-with tcp-reset")
    lines.append("-A FORWARD -o outside -j REJECT")
    return "\n".join([*lines, "COMMIT", ""])


@dataclass(frozen=True)
class Steps:
    """What has to be done so that the nodes are what they should be.

    :param boot: nodes that shall run and do not.
    :param reboot: nodes that run and shall boot again, with the disk they have.
    :param renew: nodes that shall boot with a fresh disk.
    :param stop: keys of nodes that shall not run, and keep their disk.
    :param remove: keys of nodes whose server is gone.
    """

    boot: tuple[Spec, ...] = ()
    reboot: tuple[Spec, ...] = ()
    renew: tuple[Spec, ...] = ()
    stop: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True)
class Present:
    """A node that is there.

    :param root: what ``Spec.root`` was when it got its disk.
    :param run: what ``Spec.run`` was when it was last booted.
    """

    root: str
    run: str
    runs: bool


def steps(
    wanted: Iterable[Spec],
    off: Collection[str],
    busy: Collection[str],
    present: Mapping[str, Present],
    afresh: bool = False,
) -> Steps:
    """Compare what Nova has with what is there.

    A node that ended by itself (``poweroff``) is left as it is, as Nova's fake driver would not notice either.

    :param wanted: nodes of ACTIVE servers.
    :param off: keys of servers that shall not run.
    :param busy: keys of servers that are about to become something: nothing is done to their nodes.
    :param present: the nodes that are there, by key.
    :param afresh: this is the first look, so a node that does not run has ended with the machine.
    """
    boot, reboot, renew = [], [], []
    keys = {*off, *busy}
    for spec in wanted:
        keys.add(spec.key)
        there = present.get(spec.key)
        if there is None:
            boot.append(spec)
        elif there.root != spec.root:
            renew.append(spec)
        elif there.run != spec.run or (afresh and not there.runs):
            reboot.append(spec)
    return Steps(
        tuple(boot),
        tuple(reboot),
        tuple(renew),
        tuple(sorted(key for key in off if key in present and present[key].runs)),
        tuple(sorted(key for key in present if key not in keys)),
    )
