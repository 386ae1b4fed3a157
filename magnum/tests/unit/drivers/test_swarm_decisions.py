"""What is decided about a running Swarm from what was seen of it: health, and which nodes may go. No Swarm is asked."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from magnum.drivers.common.swarm.cluster import LEAVING, SwarmNode, Task
from magnum.drivers.common.swarm.monitor import utilisation, verdicts
from magnum.drivers.common.swarm.scale import choose, needed
from magnum.drivers.heat.nodes import Server
from magnum.tests.drivers.fake_docker import FakeSwarm
from magnum.tests.unit.drivers.fakes import UUID

PREFIX = f"b-{UUID[:8]}"
MASTER_0, NODE_0 = f"{PREFIX}-master-0", f"{PREFIX}-node-0"


def server(name: str) -> Server:
    role = "master" if "-master-" in name else "worker"
    return Server(f"id of {name}", name, role, "ACTIVE", "", "")


def node(name: str, state: str = "ready", leaving: bool = False) -> SwarmNode:
    swarm = FakeSwarm()
    swarm.add(name, state=state, labels={LEAVING: "true"} if leaving else {})
    (shown,) = swarm.nodes.values()
    return replace(SwarmNode.of(shown), ident=f"node {name}")


some_nodes = st.dictionaries(
    st.sampled_from([f"{PREFIX}-node-{index}" for index in range(6)]),
    st.tuples(st.sampled_from(["ready", "down", "absent"]), st.booleans(), st.integers(0, 3)),
)


@given(some_nodes, st.integers(0, 8))
def test_never_a_busy_node_before_an_idle_one(
    nodes: dict[str, tuple[str, bool, int]], count: int
) -> None:
    servers = {name: server(name) for name in nodes} | {MASTER_0: server(MASTER_0)}
    listed = [node(name, one[0], one[1]) for name, one in nodes.items() if one[0] != "absent"]
    tasks = [
        Task(f"node {name}", "running", "", False, 0, 0)
        for name, one in nodes.items()
        for _ in range(one[2])
    ]
    chosen = [one.name for one in choose(servers, listed, tasks, count)]
    assert len(chosen) == min(count, len(nodes)) == len(set(chosen))
    assert MASTER_0 not in chosen

    def is_alive(name: str) -> bool:
        return nodes[name][0] == "ready"

    for stays in nodes.keys() - set(chosen):
        for goes in chosen:
            assert not is_alive(goes) or is_alive(stays)
            if is_alive(goes) and nodes[goes][1] == nodes[stays][1]:
                assert nodes[goes][2] <= nodes[stays][2]


def test_what_waits_for_another_reason_needs_no_node() -> None:
    waiting = Task("", "pending", "no suitable node (host-mode port already in use)", False, 1, 1)
    assert needed([node(NODE_0)], [waiting]) == 0
    assert needed([], []) == 0


def test_nothing_is_used_of_nothing() -> None:
    assert utilisation([], []) == {}
    assert verdicts([], 0, {}) == {}
