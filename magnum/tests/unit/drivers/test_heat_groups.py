"""Node groups of the Heat drivers: the places in the stack, what the templates make of them, and which nodes go."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from magnum.drivers.contract import (
    Done,
    GroupFacts,
    InvalidOption,
    NodeGroup,
    NotSupported,
    StackChanged,
    Verb,
    Wait,
    Work,
)
from magnum.drivers.heat import groups, removal
from magnum.drivers.heat.nodes import NodeUnknown
from magnum.drivers.heat.stack import StackView
from magnum.drivers.swarm_atomic_v1.driver import Driver
from magnum.tests.drivers import tree
from magnum.tests.drivers.heat_tree import tree as tree_of
from magnum.tests.drivers.node_files import read
from magnum.tests.unit.drivers.fakes import FakeHeat, FakeHeatClouds

GROUPED = [name for name in tree.HEAT if tree.driver(name).node_groups]
ALONE = [name for name in tree.HEAT if not tree.driver(name).node_groups]
GPU = NodeGroup(
    "aaaa1111-0000-0000-0000-000000000000",
    name="GPU pool_1",
    role="gpu",
    node_count=2,
    flavor_id="g1",
    image_id="cuda",
    docker_volume_size=5,
    is_default=False,
)
BIG = replace(GPU, uuid="bbbb2222-0000-0000-0000-000000000000", name="big", flavor_id=None)
grouped = pytest.mark.parametrize("name", GROUPED)


def with_groups(work: Work, *more: NodeGroup) -> Work:
    defaults = [group for group in work.node_groups if group.is_default]
    return replace(work, node_groups=(*defaults, *more))


# --- places ----------------------------------------------------------------------------------------------------------


def shown(*uuids: str) -> dict[str, str]:
    return {groups.PARAMETER: json.dumps([{"uuid": uuid, "node_count": 3} for uuid in uuids])}


@pytest.mark.parametrize(
    ("present", "wanted", "places"),
    [
        ([], [], []),
        ([], ["a", "b"], ["a", "b"]),
        (["a", "b"], ["a", "b"], ["a", "b"]),
        (["a", "b"], ["b", "a"], ["a", "b"]),
        (["a", "b"], ["b"], ["", "b"]),
        (["a", "b"], [], ["", ""]),
        (["", "b"], ["b", "c"], ["c", "b"]),
        (["", "", "b"], ["b", "c"], ["c", "", "b"]),
        (["", "b"], ["b", "c", "d"], ["c", "b", "d"]),
        # A place that is about to be empty is nobody's yet.
        (["a"], ["b"], ["", "b"]),
    ],
)
def test_who_is_there_stays_and_who_comes_takes_what_is_empty(
    present: list[str], wanted: list[str], places: list[str]
) -> None:
    assert groups.places(shown(*present), wanted) == places
    # Asked again, once it is done, it is the same.
    assert groups.places(shown(*places), wanted) == places


@pytest.mark.parametrize("text", ["", "nonsense", "{}", "[1]", "null"])
def test_what_makes_no_sense_is_no_group(text: str) -> None:
    assert groups.places({groups.PARAMETER: text}, []) == []


# --- templates -------------------------------------------------------------------------------------------------------


@grouped
def test_its_nodes_are_as_others_but_for_what_the_group_says(name: str) -> None:
    work = with_groups(tree.work(name), GPU, BIG)
    made = tree_of(tree.heat_driver(name).definition.launch(work)).servers()
    servers = {server.place: server for server in made}
    plain = servers["nodes/0/server"]
    mine = servers["groups/0/kube_minions/1/server"]
    other = servers["groups/1/kube_minions/0/server"]
    assert sum(place.startswith("groups/") for place in servers) == 4
    assert (mine.properties["image"], mine.properties["flavor"]) == ("cuda", "g1")
    assert other.properties["flavor"] == plain.properties["flavor"]
    prefix = plain.properties["name"].removesuffix("-node-0")
    assert mine.properties["name"] == f"{prefix}-gpu-pool-1-aaaa-1"
    metadata = {"magnum_bay": work.bay.uuid, "magnum_role": "worker"}
    assert mine.properties["metadata"] == {**metadata, "magnum_group": GPU.uuid}
    assert plain.properties["metadata"] == {**metadata, "magnum_group": ""}
    for key in ("tags", "availability_zone", "user_data_format"):
        assert mine.properties[key] == plain.properties[key]
    told, others = (read(server.user_data) for server in (mine, plain))
    assert (
        told.files["/etc/magnum/credential.json"].text
        == others.files["/etc/magnum/credential.json"].text
    )
    settings = json.loads(told.files["/etc/magnum/node.json"].text)
    expected = json.loads(others.files["/etc/magnum/node.json"].text)
    assert {**settings, "name": "", "address": "", "api_addresses": "", "index": 0} == {
        **expected,
        "name": "",
        "address": "",
        "api_addresses": "",
        "index": 0,
        "docker_volume_id": settings["docker_volume_id"],
    }


@grouped
def test_without_groups_nothing_is_made_of_them(name: str) -> None:
    made = tree_of(tree.heat_driver(name).definition.launch(tree.work(name)))
    assert not any(place.startswith("groups/") for place in made.shape())
    gone = with_groups(tree.work(name))
    changes = groups.at(tree.heat_driver(name).definition.changes(gone), ["", ""])
    assert changes[groups.PARAMETER] == [dict(groups.EMPTY)] * 2
    launch = tree.heat_driver(name).definition.launch(gone)
    empty = tree_of(replace(launch, parameters={**launch.parameters, **changes}))
    assert not any("server" in place for place in empty.shape() if place.startswith("groups/"))


@pytest.mark.parametrize("name", ALONE)
def test_other_drivers_refuse_them(name: str) -> None:
    work = with_groups(tree.work(name), GPU)
    with pytest.raises(NotSupported):
        tree.heat_driver(name).definition.launch(work)


@pytest.mark.parametrize("name", tree.HEAT)
def test_a_driver_says_what_its_template_can(name: str) -> None:
    driver = tree.heat_driver(name)
    assert driver.node_groups is driver.definition.grouped


# --- updates ---------------------------------------------------------------------------------------------------------

OUTPUTS = {
    "node_refs_map": {"0": "srv-0", "1": "srv-1"},
    "node_groups": [
        {"uuid": "", "stack_id": "s0", "addresses": [], "nodes": {}},
        {
            "uuid": GPU.uuid,
            "stack_id": "s1",
            "addresses": ["192.0.2.9", None],
            "nodes": {"0": "gpu-0", "2": "gpu-2"},
        },
        "nonsense",
    ],
}


class Bay:
    """A bay on a fake Heat, whose stack is complete."""

    def __init__(self) -> None:
        self.heat = FakeHeat()
        self.driver = Driver()
        self.driver.scaler = None  # type: ignore[assignment,misc]
        work = replace(tree.work("swarm_atomic_v1"), clouds=FakeHeatClouds(self.heat))
        waited = self.driver.bay_create(work)
        assert isinstance(waited, Wait)
        bay = replace(work.bay, stack_id=waited.facts.stack_id)
        self.work = replace(work, verb=Verb.UPDATE, bay=bay, cursor={})
        self.end()

    def end(self) -> None:
        """Heat has done what was asked."""
        stack = self.heat.only()
        stack.status = "UPDATE_COMPLETE"
        stack.outputs = dict(OUTPUTS)
        self.heat.requests.clear()

    def update(self, *more: NodeGroup, **parameters: Any) -> Mapping[str, Any]:
        """An update to these groups; returns the parameters that it asked for, once it is done."""
        work = replace(with_groups(self.work, *more), parameters=parameters, cursor={})
        while not (asked := [given for name, given in self.heat.requests if name == "update"]):
            work = self.once(work)
        self.end()
        done = self.driver.bay_update(work)
        assert isinstance(done, Done), done
        self.done = done
        sent: Mapping[str, Any] = asked[0]["parameters"]
        return sent

    def once(self, work: Work) -> Work:
        waited = self.driver.bay_update(work)
        assert isinstance(waited, Wait), waited
        cursor = json.loads(json.dumps(dict(waited.cursor)))
        # A call that nobody heard of, and again.
        return replace(work, cursor=cursor)


@pytest.fixture
def bay() -> Bay:
    return Bay()


def uuids(sent: Mapping[str, Any]) -> list[str]:
    assert sent[groups.COUNT] == len(sent[groups.PARAMETER])
    return [one["uuid"] for one in sent[groups.PARAMETER]]


def test_groups_come_and_go_each_at_its_place(bay: Bay) -> None:
    assert uuids(bay.update(GPU)) == [GPU.uuid]
    assert uuids(bay.update(GPU, BIG)) == [GPU.uuid, BIG.uuid]
    assert uuids(bay.update(BIG)) == ["", BIG.uuid]
    other = replace(GPU, uuid="cccc3333-0000-0000-0000-000000000000", name="other")
    assert uuids(bay.update(BIG, other)) == [other.uuid, BIG.uuid]
    assert uuids(bay.update()) == ["", ""]


def test_what_the_stack_says_of_a_group_is_recorded(bay: Bay) -> None:
    bay.update(BIG, GPU)
    assert bay.done.facts.node_groups[GPU.name] == GroupFacts(("192.0.2.9",), "s1")
    assert BIG.name not in bay.done.facts.node_groups


def test_somebody_elses_change_of_a_group_is_seen(bay: Bay) -> None:
    bay.update(GPU)
    work = with_groups(bay.work, GPU)
    bay.driver.observe(work)
    with pytest.raises(StackChanged):
        bay.driver.observe(with_groups(bay.work, replace(GPU, node_count=7)))
    with pytest.raises(StackChanged):
        bay.driver.observe(with_groups(bay.work))


def test_a_cluster_from_before_there_were_groups_has_none(bay: Bay) -> None:
    del bay.heat.only().parameters[groups.PARAMETER]
    with pytest.raises(NotSupported, match="only a new bay"):
        bay.driver.bay_update(with_groups(bay.work, GPU))
    bay.update()


# --- which nodes go --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "gone"),
    [
        (["1"], ["srv-1"]),
        (["srv-0"], ["srv-0"]),
        (["srv-0", "0", "1"], ["srv-0", "srv-1"]),
        ([], []),
    ],
)
def test_who_is_named_goes(bay: Bay, named: list[str], gone: list[str]) -> None:
    assert bay.update(nodes_to_remove=named)["nodes_to_remove"] == gone


def test_numbers_are_those_of_the_group(bay: Bay) -> None:
    bay.update(GPU)
    fewer = replace(GPU, node_count=1)
    sent = bay.update(fewer, nodes_to_remove=["2"], nodegroup=GPU.name)
    assert sent["nodes_to_remove"] == ["gpu-2"]
    with pytest.raises(NodeUnknown, match="'1'"):
        none = replace(GPU, node_count=0)
        bay.update(none, nodes_to_remove=["1"], nodegroup=GPU.name)


def a_view(count: int, outputs: Mapping[str, Any] | None) -> StackView:
    return StackView("s", "n", "UPDATE", "COMPLETE", "", {"node_count": str(count)}, outputs)


@pytest.mark.parametrize(
    ("count", "named", "found"),
    [
        (2, ["0", "nobody"], None),  # one would have to go for the one who is not there
        (2, ["0", "1", "nobody"], ["srv-0", "srv-1"]),
        (1, ["nobody"], None),
        (0, ["nobody"], []),  # they are gone: an earlier request has done it
    ],
)
def test_nobody_goes_for_one_who_is_not_there(
    count: int, named: list[str], found: list[str] | None
) -> None:
    definition = tree.heat_driver("swarm_atomic_v1").definition
    work = replace(tree.work("swarm_atomic_v1"), parameters={"nodes_to_remove": named})
    (wanted,) = [group.node_count for group in work.node_groups if group.role == "worker"]
    view = a_view(wanted + count, OUTPUTS)
    if found is None:
        with pytest.raises(InvalidOption, match="nobody"):
            removal.leaving(definition, None, work, view)
    else:
        assert removal.leaving(definition, None, work, view) == found
    # Where the stack does not say who is there, Heat has to know.
    assert removal.leaving(definition, None, work, a_view(9, None)) == named
