"""What follows from one look at a cloud, on a machine that boots nothing."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from magnum.tests.unit.tools.test_node_view import GRID, action, port, server
from tools.node_run.balance import Front
from tools.node_run.follow import ATTEMPTS, Follower
from tools.node_run.nova_view import Json
from tools.node_run.plan import Present, Spec
from tools.openstack.console import Trouble


class FakeCloud:
    """Nova and Neutron with one server."""

    def __init__(self) -> None:
        self.there: list[Json] = [server()]
        self.done: list[Json] | None = [action("create", 1)]

    def servers(self) -> list[Json]:
        return self.there

    def actions(self, server: str) -> list[Json] | None:
        return self.done

    def ports(self) -> list[Json]:
        return [{**port("p1", "net", ("s4", "10.0.0.5")), "device_id": server()["id"]}]

    def floating_ips(self) -> list[Json]:
        fixed = {"fixed_ip_address": "10.0.0.5", "port_id": "p1"}
        return [{"floating_ip_address": "172.24.4.5", **fixed}]

    def fronts(self, networks: Iterable[str]) -> dict[str, list[Front]]:
        return {network: [Front("10.0.0.9", 80, (("10.0.0.5", 80),))] for network in networks}

    def grid(self, ports: list[Json]) -> Any:
        return GRID


class FakeFabric:
    """Notes which networks there should be."""

    def __init__(self) -> None:
        self.made: dict[str, Any] = {}
        self.floating: dict[str, dict[str, str]] = {}
        self.fronts: dict[str, list[Front]] = {}

    def networks(self) -> dict[str, Any]:
        return dict(self.made)

    def ensure(self, key: str, gateways: tuple[str, ...], mtu: int, owner: str) -> None:
        self.made[key] = SimpleNamespace(gateways=gateways, owner=owner)

    def reach(self, external: object) -> None:
        pass

    def translate(self, key: str, floating: dict[str, str]) -> None:
        self.floating[key] = floating

    def balance(self, key: str, fronts: list[Front]) -> None:
        self.fronts[key] = fronts

    def drop(self, key: str) -> None:
        del self.made[key]


class FakeMachine:
    """Notes what is done to nodes; ``broken`` keeps them from booting."""

    def __init__(self) -> None:
        self.fabric = FakeFabric()
        self.nodes: dict[str, Any] = {}
        self.log: list[str] = []
        self.broken = False

    def all(self) -> dict[str, Any]:
        return dict(self.nodes)

    def boot(self, spec: Spec) -> None:
        self.log.append("boot")
        if self.broken:
            raise Trouble("it does not boot.")
        assert spec.interfaces[0].network in self.fabric.made
        self._runs(spec)

    def reboot(self, spec: Spec) -> None:
        self.log.append("reboot")
        self._runs(spec)

    def stop(self, key: str) -> None:
        self.log.append("stop")

    def remove(self, key: str) -> None:
        self.log.append("remove")
        del self.nodes[key]

    def _runs(self, spec: Spec) -> None:
        present = Present(spec.root, spec.run, True)
        self.nodes[spec.key] = SimpleNamespace(spec=spec, present=present)


class FakeReports:
    """Notes in whose name a report was sent."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def attend(self, server: Json) -> bool:
        self.seen.append(server["id"])
        return True


class Stage:
    """A follower among fakes."""

    def __init__(self) -> None:
        self.cloud, self.machine, self.reports = FakeCloud(), FakeMachine(), FakeReports()
        parts: Any = (self.cloud, self.machine, self.reports)
        self.follower = Follower(*parts)

    def looks(self, number: int = 1) -> list[str]:
        """What was done to nodes during so many looks."""
        self.machine.log.clear()
        for _ in range(number):
            self.follower.look()
        return list(self.machine.log)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_server_boots_once_in_its_network_with_its_floating_ip(stage: Stage) -> None:
    assert stage.looks(3) == ["boot"]
    assert stage.machine.fabric.made["net"].gateways == ("10.0.0.254/24",)
    assert stage.machine.fabric.floating == {"net": {"172.24.4.5": "10.0.0.5"}}
    assert stage.machine.fabric.fronts["net"][0].address == "10.0.0.9"


def test_a_reboot_a_rebuild_and_the_end_are_followed(stage: Stage) -> None:
    stage.looks()
    stage.cloud.there = [server(updated="2026-11-21T09:01:00Z")]
    stage.cloud.done = [action("create", 1), action("reboot", 2)]
    assert stage.looks(2) == ["reboot"]
    stage.cloud.there = [server(updated="2026-11-21T09:02:00Z")]
    stage.cloud.done = [*stage.cloud.done, action("rebuild", 3)]
    assert stage.looks(2) == ["boot"]
    stage.cloud.there = []
    assert stage.looks(2) == ["remove"]
    assert stage.machine.fabric.made == {}


def test_a_server_that_has_gone_since_it_was_listed_keeps_its_node_for_this_look(
    stage: Stage,
) -> None:
    stage.looks()
    stage.cloud.there = [server(updated="2026-11-21T09:01:00Z")]
    stage.cloud.done = None
    assert stage.looks(2) == []


def test_a_node_that_does_not_boot_is_tried_a_few_times(stage: Stage) -> None:
    stage.machine.broken = True
    assert stage.looks(ATTEMPTS + 2) == ["boot"] * ATTEMPTS


def test_nodes_and_networks_of_people_are_left_alone(stage: Stage) -> None:
    own = SimpleNamespace(spec=Spec("n1", "n1", b"", ()), present=Present("", "", True))
    stage.machine.nodes["n1"] = own
    stage.machine.fabric.made["standalone"] = SimpleNamespace(gateways=(), owner="")
    stage.looks()
    stage.cloud.there = []
    assert stage.looks(2) == ["remove"]
    assert set(stage.machine.nodes) == {"n1"}
    assert set(stage.machine.fabric.made) == {"standalone"}


@pytest.mark.parametrize("fate", ["fail", "silent", "report"])
def test_a_server_can_ask_to_be_a_fake_one(stage: Stage, fate: str) -> None:
    stage.cloud.there = [server(metadata={"fake_nodes": fate})]
    assert stage.looks() == []
    assert stage.reports.seen == [server()["id"]]
