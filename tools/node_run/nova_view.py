"""The cloud as nodes need to know it: servers of Nova, ports and floating IPs of Neutron, as specs and networks.

The parsing is plain functions over what the APIs answer; ``Cloud`` fetches it, as the administrator, of all projects.
"""

import base64
import datetime
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from keystoneauth1 import adapter, exceptions

from tools.node_run import plan
from tools.node_run.balance import Front
from tools.node_run.plan import Interface, Spec

OWNER = "cloud"
USER_DATA = "OS-EXT-SRV-ATTR:user_data"  # shown to administrators since microversion 2.3
MICROVERSION = "2.3"
_FRESH_DISK = ("create", "rebuild")
_BOOTS = (*_FRESH_DISK, "reboot", "start", "unpause", "resume", "unshelve", "restore")
_OFF = ("SHUTOFF", "SUSPENDED", "PAUSED", "SHELVED", "SHELVED_OFFLOADED", "SOFT_DELETED")
_JUST_NOW = datetime.timedelta(seconds=3)  # Nova tells times in whole seconds

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Grid:
    """The networks of the cloud: what a node's cards and a router are made from.

    :param subnets: by id.
    :param networks: by id.
    """

    subnets: Mapping[str, Json]
    networks: Mapping[str, Json]

    def knows(self, ports: Iterable[Json]) -> bool:
        """Whether every address of the ports belongs to a known subnet."""
        return all(one["subnet_id"] in self.subnets for port in ports for one in port["fixed_ips"])

    def gateways(self, network: str) -> tuple[str, ...]:
        """The addresses of a network's router, one in each IPv4 subnet."""
        return tuple(
            self._gateway(subnet)
            for subnet in self.subnets.values()
            if subnet["network_id"] == network and subnet["ip_version"] == 4
        )

    def mtu(self, network: str) -> int:
        """Bytes."""
        return int(self.networks.get(network, {}).get("mtu") or plan.MTU)

    def external(self) -> list[ipaddress.IPv4Network]:
        """The ranges that floating IPs come from."""
        return [
            ipaddress.IPv4Network(subnet["cidr"])
            for subnet in self.subnets.values()
            if self.networks.get(subnet["network_id"], {}).get("router:external")
            and subnet["ip_version"] == 4
        ]

    def cards(self, port: Json) -> list[Interface]:
        """A network card for the first IPv4 address of a port; none where it has none."""
        for one in port["fixed_ips"]:
            subnet = self.subnets[one["subnet_id"]]
            if subnet["ip_version"] == 4:
                gateway, length = self._gateway(subnet).split("/")
                address = f"{one['ip_address']}/{length}"
                network = port["network_id"]
                return [
                    Interface(network, address, gateway, port["mac_address"], self.mtu(network))
                ]
        return []

    @staticmethod
    def _gateway(subnet: Json) -> str:
        length = ipaddress.IPv4Network(subnet["cidr"]).prefixlen
        told = subnet["gateway_ip"]
        return f"{told}/{length}" if told else plan.first_host(subnet["cidr"])


def spec(server: Json, actions: Iterable[Json], ports: Iterable[Json], grid: Grid) -> Spec:
    """The node of a server.

    :param actions: what Nova did to it (``os-instance-actions``).
    :param ports: those of the server, in the order of its cards.
    """
    done = sorted(actions, key=lambda action: str(action["start_time"]))
    return Spec(
        key=server["id"],
        name=plan.hostname(server["name"]),
        user_data=base64.b64decode(server.get(USER_DATA) or ""),
        interfaces=tuple(card for port in ports for card in grid.cards(port)),
        facts={
            "name": server["name"],
            "project_id": server["tenant_id"],
            "meta": dict(server["metadata"]),
        },
        root=_last(done, _FRESH_DISK),
        run=_last(done, _BOOTS),
        owner=OWNER,
    )


def floating(network: str, floating_ips: Iterable[Json], ports: Iterable[Json]) -> dict[str, str]:
    """The floating IPs that lead into a network, to the fixed addresses that they stand for."""
    inside = {port["id"] for port in ports if port["network_id"] == network}
    return {
        one["floating_ip_address"]: one["fixed_ip_address"]
        for one in floating_ips
        if one["port_id"] in inside and one["fixed_ip_address"]
    }


def changed(server: Json, before: str | None, now: datetime.datetime) -> bool:
    """Whether Nova may have done something to a server since it was last asked what.

    :param before: what it had in ``updated`` then; None = it was never asked.
    """
    updated = datetime.datetime.fromisoformat(server["updated"])
    return before != server["updated"] or now - updated < _JUST_NOW


def fronts(
    network: str,
    balancers: Iterable[Json],
    listeners: Iterable[Json],
    members: Mapping[str, Iterable[Json]],
) -> list[Front]:
    """What the load balancers in a network listen for, and where it goes.

    :param members: by pool.
    """
    vips = {one["id"]: one["vip_address"] for one in balancers if one["vip_network_id"] == network}
    found = []
    for one in listeners:
        for address in {vips[lb["id"]] for lb in one["loadbalancers"] if lb["id"] in vips}:
            behind = members.get(one["default_pool_id"] or "", ())
            places = tuple((item["address"], item["protocol_port"]) for item in behind)
            found.append(Front(address, one["protocol_port"], tuple(sorted(places))))
    return sorted(found, key=lambda front: (front.address, front.port))


def is_off(server: Json) -> bool:
    """Whether it shall not run."""
    return server["status"] in _OFF


def _last(actions: Iterable[Json], kinds: Iterable[str]) -> str:
    found = [str(action["request_id"]) for action in actions if action["action"] in kinds]
    return found[-1] if found else ""


class Cloud:
    """Nova, Neutron and (where there is one) Octavia, asked as the administrator."""

    def __init__(
        self, compute: adapter.Adapter, network: adapter.Adapter, balancing: adapter.Adapter
    ) -> None:
        self._compute = compute
        self._network = network
        self._balancing = balancing
        self._grid = Grid({}, {})

    def servers(self) -> list[Json]:
        """All servers of all projects."""
        found: list[Json] = []
        url: str | None = "/servers/detail"
        query = {"all_tenants": "1"}
        while url is not None:
            page = self._compute.get(url, params=query).json()
            found += page["servers"]
            links = [link["href"] for link in page.get("servers_links", ())]
            url, query = (links[0] if links else None), {}
        return found

    def actions(self, server: str) -> list[Json] | None:
        """What Nova did to a server; None when it has gone since it was listed."""
        try:
            answer = self._compute.get(f"/servers/{server}/os-instance-actions").json()
        except exceptions.NotFound:
            return None
        found: list[Json] = answer["instanceActions"]
        return found

    def ports(self) -> list[Json]:
        """All ports with an address, the oldest first."""
        found = self._list("ports")
        return sorted(found, key=lambda port: (str(port.get("created_at")), port["id"]))

    def floating_ips(self) -> list[Json]:
        """All floating IPs."""
        return self._list("floatingips")

    def fronts(self, networks: Iterable[str]) -> dict[str, list[Front]]:
        """What load balancers listen for, by network; nothing where there is no Octavia."""
        if self._balancing.get_endpoint() is None:
            return {}
        balancers = self._balanced("loadbalancers")
        if not balancers:
            return {network: [] for network in networks}
        listeners = self._balanced("listeners")
        pools = {one["default_pool_id"] for one in listeners if one["default_pool_id"]}
        members = {pool: self._members(pool) for pool in pools}
        return {network: fronts(network, balancers, listeners, members) for network in networks}

    def _members(self, pool: str) -> list[Json]:
        try:
            return self._balanced(f"pools/{pool}/members")
        except exceptions.NotFound:  # gone since it was listed
            return []

    def _balanced(self, path: str) -> list[Json]:
        collection = path.rpartition("/")[2]
        found: list[Json] = self._balancing.get(f"/v2/lbaas/{path}").json()[collection]
        return found

    def grid(self, ports: Iterable[Json]) -> Grid:
        """All networks; asked for again when a port is in a subnet that was not there before."""
        if not self._grid.subnets or not self._grid.knows(ports):
            subnets = {one["id"]: one for one in self._list("subnets")}
            networks = {one["id"]: one for one in self._list("networks")}
            self._grid = Grid(subnets, networks)
        return self._grid

    def _list(self, collection: str) -> list[Json]:
        found: list[Json] = self._network.get(f"/v2.0/{collection}").json()[collection]
        return found
