"""What the Kubernetes drivers conclude from a cluster's answers: quantities, health, which workers may go."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnum.drivers.common.kubernetes.monitor import utilisation, verdicts
from magnum.drivers.common.kubernetes.objects import Node, Pod, Resources, quantity
from magnum.drivers.common.kubernetes.scale import choose, needed
from magnum.drivers.heat.nodes import Server

ROLE = {"magnum.openstack.org/role": "worker"}


def node(name: str, ready: str = "True", **more: Any) -> Node:
    conditions = [{"type": "Ready", "status": ready, "message": "Kubelet is silent."}]
    conditions += [{"type": kind, "status": "True"} for kind in more.get("pressures", ())]
    return Node.of(
        {
            "metadata": {
                "name": name,
                "labels": ROLE,
                "annotations": {"magnum.openstack.org/leaving": "true"}
                if more.get("leaving")
                else {},
            },
            "status": {
                "conditions": conditions,
                "allocatable": {"cpu": "2", "memory": "4Gi", "pods": "110"},
                "addresses": [{"type": "InternalIP", "address": "10.0.0.5"}],
                "nodeInfo": {
                    "kubeletVersion": "v1.31.2",
                    "containerRuntimeVersion": "containerd://1.7",
                },
            },
        }
    )


_numbers = itertools.count()


def pod(on: str, owner: str = "ReplicaSet", cpu: str = "0", memory: str = "0", **more: Any) -> Pod:
    status: dict[str, Any] = {}
    if not on:
        message = more.get("message", "0/3 nodes are available: 3 Insufficient cpu.")
        status = {
            "conditions": [{"type": "PodScheduled", "reason": "Unschedulable", "message": message}]
        }
    return Pod.of(
        {
            "metadata": {
                "namespace": "default",
                "name": f"p{next(_numbers)}",
                "ownerReferences": [{"kind": owner}],
                "annotations": more.get("annotations", {}),
            },
            "spec": {
                "nodeName": on,
                "containers": [{"resources": {"requests": {"cpu": cpu, "memory": memory}}}],
                "initContainers": more.get("first", []),
            },
            "status": status,
        }
    )


def server(name: str, role: str = "worker", status: str = "ACTIVE") -> Server:
    return Server(f"id-{name}", name, role, status, "", "")


def servers(*names: str) -> dict[str, Server]:
    return {name: server(name) for name in names}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("500m", 0.5), ("2", 2), ("1.5", 1.5), ("2Gi", 2 * 1024**3), ("1Ki", 1024), ("3M", 3e6)),
        *(("1e3", 1000), ("12E", 12e18), ("100u", 1e-4), ("0", 0), ("", 0), ("much", 0), (None, 0)),
        *((7, 7), (".5", 0.5), ("4 Gi", 0), ("-1", 0)),
    ],
)
def test_quantities(text: object, number: float) -> None:
    assert quantity(text) == pytest.approx(number)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["metadata", "status", "spec", "conditions", "containers", "labels", "type"]
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(["metadata", "status", "spec"]), anything))
def test_any_answer_is_read(shown: dict[str, Any]) -> None:
    assert Node.of(shown).ready in (True, False)
    assert Pod.of(shown).asked.pods == 1


def test_what_a_pod_asks_for_is_the_greatest_of_its_times() -> None:
    first = [{"resources": {"requests": {"cpu": "3", "memory": "1"}}}]
    assert pod("a", cpu="1", memory="2", first=first).asked == Resources(3, 2, 1)


def test_a_node_says_what_it_lacks() -> None:
    assert node("a").trouble == ""
    assert node("a", "False").trouble == "not ready: Kubelet is silent."
    assert node("a", pressures=["DiskPressure"]).trouble == "short of disk space"
    assert not Node.of({"metadata": {"name": "guest"}}).is_ours


def test_verdicts_tell_of_each_node() -> None:
    nodes = [node("a"), node("b", "Unknown")]
    assert verdicts(nodes, 2, None) == {"a": "ok", "b": "not ready: Kubelet is silent."}
    off = {"a": server("a"), "b": server("b", status="SHUTOFF")}
    assert verdicts(nodes, 2, off)["b"] == "not ready: Kubelet is silent.; its server is SHUTOFF"
    assert verdicts(nodes, 2, servers("a"))["b"].endswith("its server is gone")
    # One that is gone and that nobody wants any more is no trouble.
    assert verdicts(nodes, 1, servers("a")) == {"a": "ok"}
    assert (
        verdicts([node("a")], 2, servers("a", "c"))["c"]
        == "not in the cluster; its server is ACTIVE"
    )
    assert verdicts([node("a")], 3, None)["nodes"] == "1 of 3 nodes are in the cluster"


def test_utilisation_is_of_nodes_that_are_ready() -> None:
    nodes = [node("a"), node("b", "False")]
    pods = [pod("a", cpu="1", memory="1Gi"), pod("b", cpu="2"), pod("")]
    assert utilisation(nodes, pods) == {"cpu": 0.5, "memory": 0.25, "pods": round(1 / 110, 4)}
    assert utilisation([], pods) == {}


def chosen(found: tuple[Server, ...]) -> list[str]:
    return [one.name for one in found]


def test_who_is_not_ready_goes_first_then_the_idle() -> None:
    nodes = [node("w-0"), node("w-1"), node("w-2", "False"), node("w-3")]
    pods = [pod("w-0"), pod("w-3"), pod("w-3"), pod("w-2"), pod("w-2"), pod("w-2")]
    workers = servers("w-0", "w-1", "w-2", "w-3")
    assert chosen(choose(workers, nodes, pods, 9)) == ["w-2", "w-1", "w-0", "w-3"]
    assert chosen(choose({**workers, "m": server("m", "master")}, nodes, pods, 9)) == chosen(
        choose(workers, nodes, pods, 9)
    )


def test_pods_that_every_node_has_keep_none() -> None:
    nodes = [node("w-0"), node("w-1")]
    mirror = {"kubernetes.io/config.mirror": "x"}
    pods = [pod("w-1", "DaemonSet"), pod("w-1", annotations=mirror), pod("w-0")]
    assert chosen(choose(servers("w-0", "w-1"), nodes, pods, 1)) == ["w-1"]


def test_the_same_are_chosen_again() -> None:
    """Those drained once have other pods by now, or none."""
    nodes = [node("w-0", leaving=True), node("w-1")]
    assert chosen(choose(servers("w-0", "w-1"), nodes, [pod("w-0")], 1)) == ["w-0"]


def test_of_equals_the_youngest_goes() -> None:
    nodes = [node(f"w-{index}") for index in (2, 10, 9)]
    assert chosen(choose(servers("w-2", "w-10", "w-9"), nodes, [], 2)) == ["w-10", "w-9"]


def test_as_many_are_missing_as_hold_what_waits() -> None:
    nodes = [node("w-0")]
    assert needed(nodes, []) == 0
    assert needed(nodes, [pod("w-0", cpu="9")]) == 0
    assert needed(nodes, [pod("", cpu="1"), pod("", cpu="1")]) == 1
    assert needed(nodes, [pod("", cpu="1"), pod("", cpu="1"), pod("", cpu="500m")]) == 2
    assert needed(nodes, [pod("", memory="3Gi"), pod("", memory="3Gi")]) == 2
    # No node would ever hold it, or something else than room is lacking.
    assert needed(nodes, [pod("", cpu="3")]) == 0
    assert needed(nodes, [pod("", message="0/1 nodes: 1 had taint")]) == 0
    assert needed([], [pod("", cpu="3")]) == 1
