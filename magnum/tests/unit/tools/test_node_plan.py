"""Decisions about nodes: what to boot and what to end, which addresses they get, what their router does."""

import ipaddress
import json
from typing import Any

import pytest

from tools.node_run import plan
from tools.node_run.plan import Interface, Network, Present, Spec

CARD = Interface("net-a", "10.0.0.5/24", "10.0.0.1", "fa:16:3e:00:00:01")


def spec(key: str, root: str = "r1", run: str = "b1") -> Spec:
    return Spec(key, key, b"", (CARD,), root=root, run=run)


def test_a_new_server_boots_and_a_deleted_one_goes() -> None:
    found = plan.steps([spec("new")], (), (), {"old": Present("r1", "b1", True)})
    assert [one.key for one in found.boot] == ["new"]
    assert found.remove == ("old",)
    assert (found.reboot, found.renew, found.stop) == ((), (), ())


def test_what_is_as_it_should_be_is_left_alone() -> None:
    present = {"a": Present("r1", "b1", True), "powered-off": Present("r1", "b1", False)}
    assert plan.steps([spec("a"), spec("powered-off")], (), (), present) == plan.Steps()


@pytest.mark.parametrize(
    ("root", "run", "step"), [("r1", "b2", "reboot"), ("r2", "b2", "renew"), ("r2", "b1", "renew")]
)
def test_a_rebuild_gives_a_fresh_disk_and_a_reboot_keeps_it(root: str, run: str, step: str) -> None:
    wanted = spec("a", root, run)
    found = plan.steps([wanted], (), (), {"a": Present("r1", "b1", True)})
    steps: dict[str, Any] = {step: (wanted,)}
    assert found == plan.Steps(**steps)


def test_a_stopped_server_is_shut_down_once_and_keeps_its_disk() -> None:
    running, stopped = {"a": Present("r1", "b1", True)}, {"a": Present("r1", "b1", False)}
    assert plan.steps([], {"a"}, (), running) == plan.Steps(stop=("a",))
    assert plan.steps([], {"a"}, (), stopped) == plan.Steps()
    assert plan.steps([], {"never-booted"}, (), {}) == plan.Steps()


def test_nothing_is_done_to_a_server_that_is_about_to_change() -> None:
    assert plan.steps([], (), {"a"}, {"a": Present("r1", "b1", True)}) == plan.Steps()


def test_after_the_machine_was_restarted_nodes_boot_again() -> None:
    present = {"a": Present("r1", "b1", False)}
    assert plan.steps([spec("a")], (), (), present, afresh=True).reboot == (spec("a"),)


def test_every_router_has_an_address_of_its_own_outside_the_hosts() -> None:
    taken: list[str] = []
    for _ in range(300):
        taken.append(plan.outside_address(taken))
    assert len(set(taken)) == 300
    hosts = ipaddress.IPv4Network("10.77.0.0/24")
    assert all(ipaddress.IPv4Address(one) in plan.OUTSIDE for one in taken)
    assert not any(ipaddress.IPv4Address(one) in hosts for one in taken)
    assert taken[0] == plan.outside_address(taken[1:])


def test_a_floating_ip_leads_in_and_out_and_back_from_the_same_network() -> None:
    network = Network("n", ("10.0.0.1/24",), "10.77.1.0", floating={"172.24.4.9": "10.0.0.5"})
    rules = plan.router_rules(network).splitlines()
    assert "-A PREROUTING -d 172.24.4.9/32 -j DNAT --to-destination 10.0.0.5" in rules
    own = "-A POSTROUTING -s 10.0.0.5/32 -o outside -j SNAT --to-source 172.24.4.9"
    rest = "-A POSTROUTING -o outside -j MASQUERADE"
    assert rules.index(own) < rules.index(rest)
    back = "-A POSTROUTING -s 10.0.0.0/24 -d 10.0.0.0/24 -m conntrack --ctstate DNAT -j MASQUERADE"
    assert back in rules
    assert rules.count("COMMIT") == 2
    accepted = rules.index(f"-A FORWARD -o outside -d {plan.OUTSIDE} -j ACCEPT")
    assert accepted < rules.index("-A FORWARD -o outside -j REJECT")


def test_the_host_gets_no_route_that_hides_what_it_reaches() -> None:
    network = Network("n", ("10.0.0.1/24",), "10.77.1.0")
    assert plan.may_be_routed(network, ["10.77.0.0/16", "192.0.2.0/24"])
    assert not plan.may_be_routed(network, ["10.0.0.0/24"])
    assert not plan.may_be_routed(network, ["10.0.0.0/16"])
    assert not plan.may_be_routed(network, ["10.0.0.7"])


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("bay-1-node-0", "bay-1-node-0"),
        ("My Bay_ä.x", "my-bay-x"),
        ("--", "node"),
        ("n" * 80, "n" * 63),
    ],
)
def test_any_name_becomes_a_host_name(name: str, host: str) -> None:
    assert plan.hostname(name) == host


def test_a_spec_survives_json_without_its_user_data() -> None:
    whole = Spec("k", "n", b"#!/bin/sh\n", (CARD,), {"meta": {"a": "b"}}, "r", "b", "cloud")
    kept = json.loads(json.dumps(whole.shown()))
    assert b"#!/bin/sh" not in json.dumps(kept).encode()
    assert Spec.from_shown(kept, b"#!/bin/sh\n") == whole


def test_two_keys_have_two_short_names() -> None:
    assert plan.short("a") != plan.short("b")
    assert len(f"n0-{plan.short('x' * 100)}") < 16  # what the kernel takes for an interface


def test_the_usual_gateway_is_the_first_address() -> None:
    assert plan.first_host("10.0.0.5/24") == "10.0.0.1/24"
    assert plan.first_host("10.0.1.77/22") == "10.0.0.1/22"
