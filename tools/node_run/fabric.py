"""Networks for nodes: a bridge on the host, and behind it one router and one bridge for each network.

Every network lives in a network namespace of its own, so two projects may use the same addresses. Its router does
what Neutron's does: it is the gateway of the subnets, translates floating IPs, and lets nodes reach the host at
``10.77.0.1``, where the cloud's services listen. Nothing else is reachable; a call to anywhere is refused at once
rather than lost. Only interfaces, routes and namespaces made here are ever touched.
"""

import dataclasses
import ipaddress
import json
import sys
from pathlib import Path

from tools.node_run import plan
from tools.node_run.balance import Front, write
from tools.node_run.debian import alone
from tools.node_run.host import Host
from tools.node_run.places import CHECKOUT
from tools.node_run.plan import EXTERNAL, HOST_ADDRESS, OUTSIDE, Interface, Network
from tools.openstack.processes import Processes, Program

BRIDGE = "magnum-nodes"
_PREFIX = "magnum-"
_OUT = "outside"  # the router's interface to the host's bridge
_IN = "inside"  # the bridge of the network
_NAMESPACES = Path("/run/netns")


def router_namespace(network: str) -> str:
    """Name of the network namespace of a network's router and bridge."""
    return f"{_PREFIX}net-{plan.short(network)}"


def node_namespace(key: str) -> str:
    """Name of the network namespace of a node."""
    return f"{_PREFIX}node-{plan.short(key)}"


class Fabric:
    """All networks on this machine.

    :param folder: where it is noted which networks there are.
    """

    def __init__(self, folder: Path, host: Host) -> None:
        self._folder = folder
        self._holds = folder.with_name("held-by")
        self._balancers = Processes(folder.with_name("balance"))
        self._host = host

    # The host's side.

    def raise_host(self) -> None:
        """Make the host's bridge, its address and the way to the floating IPs, where they are missing."""
        with alone(self._folder.with_suffix(".lock")):
            if not Path("/sys/class/net", BRIDGE).exists():
                self._ip("link", "add", BRIDGE, "type", "bridge")
            # Per network namespace, and on from the start where the kernel has it built in.
            address = f"{HOST_ADDRESS}/{OUTSIDE.prefixlen}"
            self._ip("address", "replace", address, "dev", BRIDGE)
            self._ip("link", "set", BRIDGE, "up")
            self.reach(EXTERNAL)

    def reach(self, external: ipaddress.IPv4Network) -> None:
        """Let the host reach floating IPs of an external network."""
        self._ip("route", "replace", str(external), "dev", BRIDGE, "src", HOST_ADDRESS)

    def drop_host(self) -> None:
        """Remove the host's bridge with all its routes."""
        self._host.works("ip", "link", "delete", BRIDGE)

    def hold(self, who: str) -> None:
        """Keep the host's bridge, with or without networks: somebody listens on its address."""
        self._holds.mkdir(parents=True, exist_ok=True)
        (self._holds / who).touch()

    def release(self, who: str) -> None:
        """The reverse of ``hold``."""
        (self._holds / who).unlink(missing_ok=True)

    def held(self) -> list[str]:
        """Who keeps the host's bridge."""
        return sorted(path.name for path in self._holds.glob("*"))

    # Networks.

    def networks(self) -> dict[str, Network]:
        """The networks that were made, by key."""
        found = {}
        for file in sorted(self._folder.glob("*.json")):
            shown = json.loads(file.read_text())
            lists = {name: tuple(shown.get(name, ())) for name in ("gateways", "virtual")}
            found[shown["key"]] = Network(**{**shown, **lists})
        return found

    def ensure(
        self,
        key: str,
        gateways: tuple[str, ...],
        mtu: int = plan.MTU,
        routed: bool = False,
        owner: str = "",
    ) -> Network:
        """A network with a router at these addresses; an existing one is given those it lacks.

        :param routed: give the host a route to it, if that hides nothing.
        """
        self.raise_host()
        with alone(self._folder.with_suffix(".lock")):
            known = self.networks()
            there = known.get(key)
            if there is None:
                taken = {network.outside for network in known.values()}
                there = Network(key, gateways, plan.outside_address(taken), mtu, owner=owner)
            missing = tuple(one for one in gateways if one not in there.gateways)
            network = dataclasses.replace(there, gateways=(*there.gateways, *missing))
            namespace = router_namespace(key)
            if key not in known or not (_NAMESPACES / namespace).exists():
                self._make(network)
            elif missing:
                self._addresses(network, missing)
            if routed and not network.routed and plan.may_be_routed(network, self._routes()):
                for subnet in network.subnets:
                    self._ip("route", "replace", subnet, "via", network.outside, "dev", BRIDGE)
                network = dataclasses.replace(network, routed=True)
            if network != there or key not in known:
                self._keep(network)
        return network

    def translate(self, key: str, floating: dict[str, str]) -> bool:
        """Make exactly these floating IPs (to fixed addresses) lead into a network; says whether that was news."""
        with alone(self._folder.with_suffix(".lock")):
            network = self.networks()[key]
            if dict(network.floating) == floating:
                return False
            wanted = dataclasses.replace(network, floating=floating)
            self._translate(wanted, set(network.floating) - set(floating))
            self._keep(wanted)
        return True

    def balance(self, key: str, fronts: list[Front]) -> bool:
        """Have the router listen at virtual addresses, and pass on what comes; says whether that was news."""
        with alone(self._folder.with_suffix(".lock")):
            network = self.networks()[key]
            file = self._fronts(key)
            program = self._balancer(key)
            if not fronts and not network.virtual:
                return False
            if not write(file, fronts) and self._balancers.pid(program.name) is not None:
                return False
            virtual = tuple(sorted({front.address for front in fronts}))
            gone = set(network.virtual) - set(virtual)
            commands = [f"address delete {one}/32 dev {_IN}" for one in gone]
            commands += [f"address replace {one}/32 dev {_IN}" for one in virtual]
            self._batch(router_namespace(key), commands)
            self._keep(dataclasses.replace(network, virtual=virtual))
            self._balancers.start(program)
        return True

    def drop(self, key: str) -> None:
        """Remove a network; its nodes lose theirs."""
        self._balancers.stop(self._balancer(key).name)
        self._fronts(key).unlink(missing_ok=True)
        self._host.works("ip", "netns", "delete", router_namespace(key))
        self._host.works("ip", "link", "delete", self._outer_end(key))
        self._file(key).unlink(missing_ok=True)

    # Nodes.

    def plug(self, key: str, interfaces: tuple[Interface, ...]) -> str:
        """A fresh namespace for a node, with its cards in their networks; returns its name."""
        namespace = node_namespace(key)
        self.unplug(key, interfaces)
        self._ip("netns", "add", namespace)
        commands = ["link set lo up"]
        for number, card in enumerate(interfaces):
            end, name = _node_end(key, number), f"eth{number}"
            router = router_namespace(card.network)
            pair = ["type", "veth", "peer", "name", name, "netns", namespace]
            self._ip("link", "add", end, "netns", router, "mtu", str(card.mtu), *pair)
            self._batch(router, [f"link set {end} master {_IN} up"])
            if card.mac is not None:
                commands.append(f"link set {name} address {card.mac}")
            commands += [
                f"link set {name} mtu {card.mtu} up",
                f"address add {card.address} dev {name}",
            ]
            if card.gateway is not None and not any("default" in one for one in commands):
                commands.append(f"route add default via {card.gateway} dev {name}")
        self._batch(namespace, commands)
        return namespace

    def unplug(self, key: str, interfaces: tuple[Interface, ...] = ()) -> None:
        """Remove a node's cards and its namespace. The kernel takes its time with the latter, so cards go first."""
        for number, card in enumerate(interfaces):
            router = router_namespace(card.network)
            if (_NAMESPACES / router).exists():
                self._host.works("ip", "-netns", router, "link", "delete", _node_end(key, number))
        if (_NAMESPACES / node_namespace(key)).exists():
            self._host.works("ip", "netns", "delete", node_namespace(key))

    # Parts.

    def _make(self, network: Network) -> None:
        namespace = router_namespace(network.key)
        self._host.works("ip", "netns", "delete", namespace)
        self._ip("netns", "add", namespace)
        outer = self._outer_end(network.key)
        self._host.works("ip", "link", "delete", outer)
        self._ip("link", "add", outer, "type", "veth", "peer", "name", _OUT, "netns", namespace)
        self._ip("link", "set", outer, "master", BRIDGE, "up")
        self._batch(
            namespace,
            [
                "link set lo up",
                f"link add {_IN} type bridge",
                f"link set {_IN} mtu {network.mtu} up",
                f"link set {_OUT} up",
                f"address add {network.outside}/{OUTSIDE.prefixlen} dev {_OUT}",
                f"route add {EXTERNAL} dev {_OUT}",
                f"route add default via {HOST_ADDRESS}",
            ],
        )
        settings = {
            "net/ipv4/ip_forward": "1",
            # Frames between nodes of the network are none of the router's business.
            "net/bridge/bridge-nf-call-iptables": "0",
        }
        for name, value in settings.items():
            self._host.works(
                *("nsenter", f"--net={_NAMESPACES / namespace}", "sh", "-c"),
                f"if [ -e /proc/sys/{name} ]; then echo {value} > /proc/sys/{name}; fi",
            )
        self._addresses(network, network.gateways)
        self._translate(network, set())

    def _addresses(self, network: Network, gateways: tuple[str, ...]) -> None:
        namespace = router_namespace(network.key)
        self._batch(namespace, [f"address replace {one} dev {_IN}" for one in gateways])
        self._translate(network, set())

    def _translate(self, network: Network, gone: set[str]) -> None:
        namespace = router_namespace(network.key)
        adding = [f"address replace {one}/32 dev {_OUT}" for one in network.floating]
        for one in network.floating:
            if ipaddress.IPv4Address(one) not in EXTERNAL:
                self.reach(ipaddress.IPv4Network(one))
        self._batch(namespace, [*(f"address delete {one}/32 dev {_OUT}" for one in gone), *adding])
        enter = ("nsenter", f"--net={_NAMESPACES / namespace}")
        tables = ("xtables-nft-multi", "iptables-restore")
        self._host.run(*enter, *tables, given=plan.router_rules(network))

    def _balancer(self, key: str) -> Program:
        enter = ("nsenter", f"--net={_NAMESPACES / router_namespace(key)}", sys.executable)
        command = (*enter, "-P", "-m", "tools.node_run.balance", str(self._fronts(key)))
        return Program(f"balance-{plan.short(key)}", command, {"PYTHONPATH": str(CHECKOUT)})

    def _fronts(self, key: str) -> Path:
        return self._folder.with_name("balance") / f"{plan.short(key)}.json"

    def _routes(self) -> list[str]:
        told = json.loads(self._host.run("ip", "-json", "-4", "route", "show"))
        return [one["dst"] for one in told if one["dst"] != "default"]

    def _batch(self, namespace: str, commands: list[str]) -> None:
        """Several ``ip`` commands in a namespace, in one process."""
        if commands:
            text = "\n".join([*commands, ""])
            self._host.run("ip", "-netns", namespace, "-batch", "-", given=text)

    def _ip(self, *words: str) -> None:
        self._host.run("ip", *words)

    def _outer_end(self, key: str) -> str:
        return f"mn-{plan.short(key)}"

    def _keep(self, network: Network) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        shown = {**dataclasses.asdict(network), "floating": dict(network.floating)}
        self._file(network.key).write_text(json.dumps(shown, indent=1) + "\n")

    def _file(self, key: str) -> Path:
        return self._folder / f"{plan.short(key)}.json"


def _node_end(key: str, number: int) -> str:
    return f"n{number}-{plan.short(key)}"
