"""What Nova and Neutron answer, as nodes and networks."""

import base64
import datetime
from typing import Any

import pytest

from tools.node_run import nova_view
from tools.node_run.balance import Front
from tools.node_run.nova_view import Grid

SUBNETS = {
    "s4": {
        "id": "s4",
        "network_id": "net",
        "ip_version": 4,
        "cidr": "10.0.0.0/24",
        "gateway_ip": "10.0.0.254",
    },
    "s6": {
        "id": "s6",
        "network_id": "net",
        "ip_version": 6,
        "cidr": "fd00::/64",
        "gateway_ip": None,
    },
    "lone": {
        "id": "lone",
        "network_id": "other",
        "ip_version": 4,
        "cidr": "10.1.0.0/16",
        "gateway_ip": None,
    },
    "ext": {
        "id": "ext",
        "network_id": "public",
        "ip_version": 4,
        "cidr": "172.24.4.0/22",
        "gateway_ip": "172.24.4.1",
    },
}
NETWORKS = {
    "net": {"id": "net", "mtu": 1442, "router:external": False},
    "other": {"id": "other", "mtu": 0},
    "public": {"id": "public", "mtu": 1500, "router:external": True},
}
GRID = Grid(SUBNETS, NETWORKS)


def port(ident: str, network: str, *fixed: tuple[str, str]) -> dict[str, Any]:
    return {
        "id": ident,
        "network_id": network,
        "mac_address": "fa:16:3e:00:00:01",
        "fixed_ips": [{"subnet_id": subnet, "ip_address": ip} for subnet, ip in fixed],
    }


def server(**changes: Any) -> dict[str, Any]:
    return {
        "id": "5f0c9a5e-0000-0000-0000-000000000001",
        "name": "Bay node_0",
        "status": "ACTIVE",
        "tenant_id": "p",
        "metadata": {"role": "node"},
        "updated": "2026-11-21T09:00:00Z",
        nova_view.USER_DATA: base64.b64encode(b"#!/bin/sh\n").decode(),
        **changes,
    }


def action(kind: str, number: int) -> dict[str, Any]:
    return {
        "action": kind,
        "request_id": f"req-{number}",
        "start_time": f"2026-11-21T09:00:{number:02}.000000",
    }


def test_a_server_is_a_node_with_the_cards_of_its_ports() -> None:
    ports = [port("p1", "net", ("s6", "fd00::5"), ("s4", "10.0.0.5")), port("p2", "net")]
    made = nova_view.spec(server(), [action("create", 1)], ports, GRID)
    (card,) = made.interfaces
    assert (card.network, card.address, card.gateway, card.mtu) == (
        "net",
        "10.0.0.5/24",
        "10.0.0.254",
        1442,
    )
    assert (made.name, made.user_data, made.owner) == ("bay-node-0", b"#!/bin/sh\n", "cloud")
    assert made.facts["meta"] == {"role": "node"}


@pytest.mark.parametrize(
    ("kinds", "root", "run"),
    [
        (["create"], 1, 1),
        (["create", "reboot"], 1, 2),
        (["create", "rebuild", "reboot"], 2, 3),
        (["create", "reboot", "rebuild"], 3, 3),
        (["create", "stop", "start"], 1, 3),
        (["create", "attach_interface", "lock"], 1, 1),
    ],
)
def test_nova_tells_what_became_of_the_disk_and_of_the_run(
    kinds: list[str], root: int, run: int
) -> None:
    done = [action(kind, number) for number, kind in enumerate(kinds, start=1)]
    made = nova_view.spec(server(), reversed(done), [], GRID)
    assert (made.root, made.run) == (f"req-{root}", f"req-{run}")


def test_a_server_without_user_data_boots_without() -> None:
    assert nova_view.spec(server(**{nova_view.USER_DATA: None}), [], [], GRID).user_data == b""


def test_a_network_has_a_router_in_each_subnet_of_version_4() -> None:
    assert GRID.gateways("net") == ("10.0.0.254/24",)
    assert GRID.gateways("other") == ("10.1.0.1/16",)  # Neutron knows of none, nodes need one
    assert (GRID.mtu("net"), GRID.mtu("other"), GRID.mtu("unheard-of")) == (1442, 1450, 1450)
    assert [str(one) for one in GRID.external()] == ["172.24.4.0/22"]


def test_an_unknown_subnet_is_noticed() -> None:
    assert GRID.knows([port("p", "net", ("s4", "10.0.0.5"))])
    assert not GRID.knows([port("p", "net", ("new", "10.9.0.5"))])


def test_a_floating_ip_belongs_to_the_network_of_its_port() -> None:
    ports = [port("p1", "net"), port("p2", "other")]
    ips: list[dict[str, Any]] = [
        {"floating_ip_address": "172.24.4.5", "fixed_ip_address": "10.0.0.5", "port_id": "p1"},
        {"floating_ip_address": "172.24.4.6", "fixed_ip_address": "10.1.0.5", "port_id": "p2"},
        {"floating_ip_address": "172.24.4.7", "fixed_ip_address": None, "port_id": None},
    ]
    assert nova_view.floating("net", ips, ports) == {"172.24.4.5": "10.0.0.5"}
    assert nova_view.floating("other", ips, ports) == {"172.24.4.6": "10.1.0.5"}


def test_a_load_balancer_listens_for_its_members() -> None:
    balancers = [
        {"id": "lb", "vip_address": "10.0.0.9", "vip_network_id": "net"},
        {"id": "far", "vip_address": "10.1.0.9", "vip_network_id": "other"},
    ]
    listeners = [
        {"loadbalancers": [{"id": "lb"}], "protocol_port": 6443, "default_pool_id": "p"},
        {"loadbalancers": [{"id": "lb"}], "protocol_port": 80, "default_pool_id": None},
        {"loadbalancers": [{"id": "far"}], "protocol_port": 80, "default_pool_id": "p"},
    ]
    members = {"p": [{"address": f"10.0.0.{n}", "protocol_port": 6443} for n in (6, 5)]}
    assert nova_view.fronts("net", balancers, listeners, members) == [
        Front("10.0.0.9", 80, ()),
        Front("10.0.0.9", 6443, (("10.0.0.5", 6443), ("10.0.0.6", 6443))),
    ]


def test_nova_is_asked_again_when_a_server_changed_or_has_just_changed() -> None:
    updated = datetime.datetime.fromisoformat("2026-11-21T09:00:00+00:00")
    late, soon = updated + datetime.timedelta(hours=1), updated + datetime.timedelta(seconds=1)
    assert nova_view.changed(server(), None, late)
    assert nova_view.changed(server(), "2026-11-21T08:00:00Z", late)
    assert nova_view.changed(server(), server()["updated"], soon)
    assert not nova_view.changed(server(), server()["updated"], late)


@pytest.mark.parametrize(
    ("status", "off"), [("ACTIVE", False), ("SHUTOFF", True), ("REBUILD", False), ("BUILD", False)]
)
def test_only_servers_that_are_off_are_off(status: str, off: bool) -> None:
    assert nova_view.is_off(server(status=status)) is off
