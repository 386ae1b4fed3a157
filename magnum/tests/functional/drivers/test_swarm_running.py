"""A running Swarm watched, scaled and asked, against a FakeDocker over HTTP."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from magnum.drivers.common.cluster_api import ClusterUnavailable
from magnum.drivers.common.swarm import monitor, scale
from magnum.drivers.common.swarm.cluster import LEAVING, Swarm
from magnum.drivers.common.swarm.endpoints import ENDPOINTS, info, join_command
from magnum.drivers.common.swarm.monitor import SwarmMonitor
from magnum.drivers.common.swarm.scale import SwarmScaler, tidy
from magnum.drivers.contract import HealthStatus, Work
from magnum.drivers.heat.nodes import Server
from magnum.tests.drivers.fake_docker import TOKENS, FakeDocker, FakeSwarm, listening
from magnum.tests.unit.drivers.fakes import UUID, make_work

PREFIX = f"b-{UUID[:8]}"
MASTER_0, NODE_0, NODE_1, NODE_2 = (
    f"{PREFIX}-{name}" for name in ("master-0", "node-0", "node-1", "node-2")
)


def server(name: str, status: str = "ACTIVE") -> Server:
    role = "master" if "-master-" in name else "worker"
    return Server(f"id of {name}", name, role, status, "", "")


class Cluster:
    """A Swarm of one manager and three workers, and what Nova says of its servers (None: nothing)."""

    def __init__(self, port: int, swarm: FakeSwarm) -> None:
        self.swarm = swarm
        names = (MASTER_0, NODE_0, NODE_1, NODE_2)
        self.idents = {
            name: swarm.add(name, "manager" if name == MASTER_0 else "worker") for name in names
        }
        self.servers: dict[str, Server] | None = {name: server(name) for name in names}
        self.work: Work = make_work(
            bay={"api_address": f"tcp://127.0.0.1:{port}"},
            baymodel={"tls_disabled": True},
            worker={"node_count": 3},
        )

    def is_down(self, name: str) -> None:
        self.swarm.node(name)["Status"] = {"State": "down", "Message": "heartbeat failure"}

    def look(self) -> tuple[HealthStatus, dict[str, str]]:
        health = SwarmMonitor().look(self.work)
        return health.status, dict(health.reasons)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    swarm = FakeSwarm()
    with listening(FakeDocker("m", "manager", swarm)) as port:
        made = Cluster(port, swarm)
        for module in (monitor, scale):
            monkeypatch.setattr(module, "servers_of", lambda work: made.servers)
        yield made


# --- health ---------------------------------------------------------------------------------------


def test_a_swarm_that_is_well(cluster: Cluster) -> None:
    cluster.swarm.run(cluster.idents[NODE_0], cpus=10**9, memory=2**31)
    health = SwarmMonitor().look(cluster.work)
    assert health.status is HealthStatus.HEALTHY
    assert set(health.reasons.values()) == {"ok"}
    assert health.reasons.keys() == {"api", MASTER_0, NODE_0, NODE_1, NODE_2}
    assert health.utilisation == {"cpu": 1 / 8, "memory": 2 / 16}
    assert (health.facts.coe_version, health.facts.container_version) == ("20.10.24", "20.10.24")


def test_a_node_that_is_down_is_named_with_its_reason(cluster: Cluster) -> None:
    cluster.is_down(NODE_1)
    assert cluster.servers is not None
    cluster.servers[NODE_1] = server(NODE_1, "SHUTOFF")
    status, reasons = cluster.look()
    assert status is HealthStatus.UNHEALTHY
    assert reasons[NODE_1] == "down: heartbeat failure; its server is SHUTOFF"
    assert {name for name, reason in reasons.items() if reason != "ok"} == {NODE_1}
    del cluster.servers[NODE_1]
    assert cluster.look()[1][NODE_1] == "down: heartbeat failure; its server is gone"
    cluster.servers = None
    assert cluster.look()[1][NODE_1] == "down: heartbeat failure"


def test_what_is_left_of_a_node_that_was_taken_away_is_no_trouble(cluster: Cluster) -> None:
    assert cluster.servers is not None
    cluster.is_down(NODE_2)
    del cluster.servers[NODE_2]
    masters, workers = cluster.work.node_groups
    cluster.work = replace(cluster.work, node_groups=(masters, replace(workers, node_count=2)))
    status, reasons = cluster.look()
    assert (status, NODE_2 in reasons) == (HealthStatus.HEALTHY, False)


def test_a_server_that_is_not_in_the_swarm(cluster: Cluster) -> None:
    del cluster.swarm.nodes[cluster.idents[NODE_0]]
    status, reasons = cluster.look()
    assert (status, reasons[NODE_0]) == (
        HealthStatus.UNHEALTHY,
        "not in the Swarm; its server is ACTIVE",
    )
    assert cluster.servers is not None
    del cluster.servers[NODE_0]
    assert cluster.look()[1]["nodes"] == "3 of 4 nodes are in the Swarm"


def test_a_manager_that_the_others_do_not_reach(cluster: Cluster) -> None:
    cluster.swarm.node(MASTER_0)["ManagerStatus"]["Reachability"] = "unreachable"
    assert cluster.look()[1][MASTER_0] == "its manager is unreachable; its server is ACTIVE"


def test_what_people_have_joined_by_hand_counts_for_nothing(cluster: Cluster) -> None:
    cluster.swarm.add("laptop", state="down")
    assert cluster.look()[0] is HealthStatus.HEALTHY
    cluster.swarm.add("laptop-2")
    cluster.is_down(NODE_1)
    assert cluster.servers is not None
    del cluster.servers[NODE_1]
    assert cluster.look()[0] is HealthStatus.UNHEALTHY


@pytest.mark.parametrize(
    "refuse", [(500, {"message": "rpc error"}), (200, b"<html>"), (200, [7]), (200, {"a": 1})]
)
def test_an_api_that_talks_nonsense_is_unhealthy(cluster: Cluster, refuse: tuple[int, Any]) -> None:
    cluster.swarm.refuse = refuse
    status, reasons = cluster.look()
    assert status is HealthStatus.UNHEALTHY
    assert reasons.keys() == {"api"} and "127.0.0.1" in reasons["api"]


def test_a_cluster_that_does_not_answer_is_unhealthy() -> None:
    work = make_work(bay={"api_address": "tcp://127.0.0.1:1"}, baymodel={"tls_disabled": True})
    health = SwarmMonitor().look(work)
    assert health.status is HealthStatus.UNHEALTHY
    assert "does not answer" in health.reasons["api"]


# --- which nodes may go ---------------------------------------------------------------------------


def test_the_idle_node_goes_and_is_drained(cluster: Cluster) -> None:
    for name in (NODE_0, NODE_2):
        cluster.swarm.run(cluster.idents[name])
    cluster.swarm.run(cluster.idents[NODE_1], everywhere=True)
    assert SwarmScaler().removable(cluster.work, 1) == (f"id of {NODE_1}",)
    spec = cluster.swarm.node(NODE_1)["Spec"]
    assert (spec["Availability"], LEAVING in spec["Labels"]) == ("drain", True)
    assert cluster.swarm.node(NODE_0)["Spec"]["Availability"] == "active"


def test_asked_again_it_names_the_same(cluster: Cluster) -> None:
    first = SwarmScaler().removable(cluster.work, 1)
    other = next(name for name in (NODE_0, NODE_1) if f"id of {name}" not in first)
    cluster.swarm.run(cluster.idents[NODE_0 if other == NODE_1 else NODE_1])
    assert SwarmScaler().removable(cluster.work, 1) == first
    updates = [one for one in cluster.swarm.requests if one[0] == "POST"]
    assert len(updates) == 1


def test_a_dead_node_goes_before_an_idle_one(cluster: Cluster) -> None:
    cluster.is_down(NODE_0)
    assert SwarmScaler().removable(cluster.work, 1) == (f"id of {NODE_0}",)
    del cluster.swarm.nodes[cluster.idents[NODE_1]]
    two = SwarmScaler().removable(cluster.work, 2)
    assert set(two) == {f"id of {NODE_0}", f"id of {NODE_1}"}
    assert not [one for one in cluster.swarm.requests if one[0] == "POST"]


def test_it_is_not_known_where_nobody_tells(cluster: Cluster) -> None:
    assert SwarmScaler().removable(cluster.work, 0) == ()
    cluster.swarm.refuse = (500, {"message": "no"})
    assert SwarmScaler().removable(cluster.work, 1) == ()
    assert SwarmScaler().missing(cluster.work) == 0
    cluster.swarm.refuse, cluster.servers = None, None
    assert SwarmScaler().removable(cluster.work, 1) == ()


def test_more_nodes_are_needed_for_what_finds_no_room(cluster: Cluster) -> None:
    assert SwarmScaler().missing(cluster.work) == 0
    waits = {"state": "pending", "err": "no suitable node (insufficient resources on 3 nodes)"}
    for _ in range(3):
        cluster.swarm.run("", cpus=10**9, **waits)
    assert SwarmScaler().missing(cluster.work) == 2
    cluster.swarm.run("", cpus=100 * 10**9, **waits)  # which no node would ever hold
    assert SwarmScaler().missing(cluster.work) == 2


# --- after a scaling ------------------------------------------------------------------------------


def test_the_swarm_forgets_what_is_gone_and_uses_what_stayed(cluster: Cluster) -> None:
    cluster.swarm.add("laptop", state="down")
    SwarmScaler().removable(cluster.work, 2)
    assert cluster.servers is not None
    gone, *_ = [
        one["Description"]["Hostname"]
        for one in cluster.swarm.nodes.values()
        if one["Spec"]["Availability"] == "drain"
    ]
    del cluster.servers[gone]
    tidy(cluster.work, 5)
    assert cluster.swarm.names() == sorted({MASTER_0, NODE_0, NODE_1, NODE_2, "laptop"} - {gone})
    for one in cluster.swarm.nodes.values():
        assert (one["Spec"]["Availability"], one["Spec"]["Labels"]) == ("active", {})


def test_tidying_up_harms_nothing_where_nobody_answers(cluster: Cluster) -> None:
    cluster.servers = None
    tidy(cluster.work, 5)
    assert len(cluster.swarm.nodes) == 4
    cluster.swarm.refuse = (500, {"message": "no"})
    tidy(cluster.work, 5)


# --- endpoints ------------------------------------------------------------------------------------


def test_info_is_what_its_schema_says(cluster: Cluster) -> None:
    answer = info(cluster.work, {})
    (declared,) = [one for one in ENDPOINTS if one.name == "info"]
    jsonschema.validate(json.loads(json.dumps(answer)), dict(declared.response))
    assert answer["swarm"] == "the-swarm"
    assert [one["name"] for one in answer["managers"]] == [MASTER_0]
    assert [one["name"] for one in answer["workers"]] == [NODE_0, NODE_1, NODE_2]
    assert not any(token in json.dumps(answer) for token in TOKENS.values())


@pytest.mark.parametrize(
    ("request_", "role", "token"),
    [
        ({}, "worker", TOKENS["Worker"]),
        ({"role": "worker"}, "worker", TOKENS["Worker"]),
        ({"role": "master"}, "master", TOKENS["Manager"]),
    ],
)
def test_the_join_command(
    cluster: Cluster, request_: dict[str, str], role: str, token: str
) -> None:
    answer = join_command(cluster.work, request_)
    assert answer == {
        "role": role,
        "command": f"docker swarm join --token {token} 10.0.0.1:2377",
    }
    (declared,) = [one for one in ENDPOINTS if one.name == "join-command"]
    assert declared.secret
    jsonschema.validate(request_, dict(declared.request))


def test_endpoints_say_that_the_cluster_does_not_answer(cluster: Cluster) -> None:
    cluster.swarm.refuse = (503, {"message": "no leader"})
    for handler in (info, join_command):
        with pytest.raises(ClusterUnavailable):
            handler(cluster.work, {})


def test_a_swarm_is_asked_at_the_bays_address(cluster: Cluster) -> None:
    assert Swarm.at(cluster.work, 5).version() == "20.10.24"
