"""Rebuild and reboots of nodes: order, batches, named nodes, repetition, and what goes wrong."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystoneauth1 import exceptions as keystone

from magnum.drivers.contract import (
    Actor,
    Done,
    Failed,
    NotSupported,
    Outcome,
    Verb,
    Wait,
    Work,
)
from magnum.drivers.heat import nodes
from magnum.drivers.swarm_atomic_v1.driver import Driver as SwarmDriver
from magnum.tests.unit.drivers.fakes import FakeHeat, FakeHeatClouds, make_work


class FakeAnswer:
    """What an adapter returns."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def json(self) -> Any:
        return self._body


class FakeNova:
    """An adapter for a Nova whose servers are busy for one look after each action."""

    def __init__(self, masters: int = 1, workers: int = 2) -> None:
        self.servers = {
            name: {"id": name, "name": name, "role": role, "status": "ACTIVE", "task": None}
            for role, count in (("master", masters), ("worker", workers))
            for name in (f"{role}-{number}" for number in range(count))
        }
        #: Actions in their order, and the largest number of servers that were busy together.
        self.actions: list[tuple[str, str]] = []
        self.busiest = 0
        self.gone_wrong: set[str] = set()

    def get(self, path: str, params: Mapping[str, str], microversion: str) -> FakeAnswer:
        assert path == "/servers/detail" and params["tags"].startswith("magnum-")
        shown = [
            {
                "id": one["id"],
                "name": one["name"],
                "status": one["status"],
                "OS-EXT-STS:task_state": one["task"],
                "metadata": {"magnum_role": one["role"]},
                "image": {"id": "the-image"},
                "fault": {"message": "disk full"},
            }
            for one in self.servers.values()
        ]
        for one in self.servers.values():
            if one["task"] is not None:
                one["task"] = None
                one["status"] = "ERROR" if one["name"] in self.gone_wrong else "ACTIVE"
        return FakeAnswer({"servers": shown})

    def post(self, path: str, json: Mapping[str, Any], microversion: str) -> None:
        _, _, ident, _ = path.split("/")
        ((action, _),) = json.items()
        self.actions.append((ident, action))
        self.servers[ident]["task"] = action
        busy = sum(1 for one in self.servers.values() if one["task"])
        self.busiest = max(self.busiest, busy)


class FakeClouds(FakeHeatClouds):
    """A cloud with this Nova, or with none."""

    def __init__(self, nova: FakeNova | None) -> None:
        super().__init__(FakeHeat())
        self._nova = nova

    def rest(self, service_type: str) -> Any:
        return self._nova if service_type == "compute" else None


def work(nova: FakeNova | None, verb: Verb = Verb.REBUILD, **parameters: Any) -> Work:
    return dataclasses.replace(make_work(verb=verb, parameters=parameters), clouds=FakeClouds(nova))


def call(at: Work) -> Outcome:
    match at.verb:
        case Verb.REBUILD:
            return nodes.rebuild(at)
        case Verb.SOFT_REBOOT:
            return nodes.reboot(at, "SOFT")
        case _:
            return nodes.reboot(at, "HARD")


def run(at: Work) -> Outcome:
    """Call until it ends; counters only ever grow."""
    counted = 0
    for _ in range(200):
        answer = call(at)
        if not isinstance(answer, Wait):
            return answer
        assert answer.progress is not None and answer.progress.done is not None
        assert counted <= answer.progress.done <= (answer.progress.total or 0)
        counted = answer.progress.done
        at = dataclasses.replace(at, cursor=answer.cursor)
    raise AssertionError("it does not end")


def test_masters_go_first_and_alone_and_the_others_in_batches() -> None:
    nova = FakeNova(masters=3, workers=5)
    assert run(work(nova, batch_size=2)) == Done()
    assert [ident for ident, _ in nova.actions] == [
        *(f"master-{n}" for n in range(3)),
        *(f"worker-{n}" for n in range(5)),
    ]
    assert {action for _, action in nova.actions} == {"rebuild"}
    assert nova.busiest == 2


def test_without_a_batch_size_nodes_go_one_at_a_time() -> None:
    nova = FakeNova(workers=4)
    assert run(work(nova)) == Done()
    assert nova.busiest == 1


@pytest.mark.parametrize("verb", [Verb.SOFT_REBOOT, Verb.HARD_REBOOT])
def test_only_the_named_nodes_are_restarted(verb: Verb) -> None:
    nova = FakeNova(workers=3)
    assert run(work(nova, verb, nodes=["worker-2", "worker-0"])) == Done()
    assert nova.actions == [("worker-0", "reboot"), ("worker-2", "reboot")]


def test_a_stopped_node_is_started() -> None:
    nova = FakeNova(workers=1)
    nova.servers["worker-0"]["status"] = "SHUTOFF"
    assert run(work(nova, Verb.SOFT_REBOOT)) == Done()
    assert nova.actions == [("master-0", "reboot"), ("worker-0", "os-start")]


def test_an_unknown_node_is_named_and_nothing_is_touched() -> None:
    nova = FakeNova()
    with pytest.raises(nodes.NodeUnknown, match="'nobody'"):
        call(work(nova, nodes=["worker-0", "nobody"]))
    assert nova.actions == []


def test_a_node_that_breaks_stops_the_rest_and_is_named_with_novas_words() -> None:
    nova = FakeNova(workers=3)
    nova.gone_wrong = {"worker-1"}
    answer = run(work(nova))
    assert isinstance(answer, Failed)
    assert answer.code == "NODE_ACTION_FAILED" and answer.actor is Actor.OPERATOR
    assert "worker-1: disk full" in answer.text
    assert [fault.resource for fault in answer.faults] == ["worker-1"]
    assert "worker-2" not in [ident for ident, _ in nova.actions]


def test_a_node_that_goes_away_meanwhile_is_passed_over() -> None:
    nova = FakeNova(workers=2)
    first = call(work(nova))
    assert isinstance(first, Wait)
    del nova.servers["worker-0"]
    assert run(dataclasses.replace(work(nova), cursor=first.cursor)) == Done()


def test_a_bay_without_nodes_is_done_at_once() -> None:
    assert run(work(FakeNova(masters=0, workers=0))) == Done()


def test_a_cloud_without_nova_cannot() -> None:
    with pytest.raises(NotSupported):
        call(work(None))


@given(
    masters=st.integers(0, 4),
    workers=st.integers(0, 8),
    size=st.integers(1, 4),
    repeated=st.sets(st.integers(0, 30)),
)
def test_every_node_is_done_and_never_two_masters_together_whatever_is_repeated(
    masters: int, workers: int, size: int, repeated: set[int]
) -> None:
    nova = FakeNova(masters, workers)
    at = work(nova, batch_size=size)
    for number in range(200):
        answer = call(at)
        busy = [one for one in nova.servers.values() if one["task"]]
        if any(one["role"] == "master" for one in busy):
            assert len(busy) == 1
        assert len(busy) <= max(size, 1)
        if not isinstance(answer, Wait):
            break
        if number not in repeated:  # otherwise the write of this pass was lost
            at = dataclasses.replace(at, cursor=answer.cursor)
    assert answer == Done()
    assert {ident for ident, _ in nova.actions} == set(nova.servers)


def test_a_node_that_nova_is_busy_with_already_counts_as_asked() -> None:
    nova = FakeNova(masters=0, workers=1)
    real = nova.post

    def lost_answer(path: str, json: Mapping[str, Any], microversion: str) -> None:
        real(path, json, microversion)
        raise keystone.Conflict("it is in task_state rebuilding")

    nova.post = lost_answer  # type: ignore[method-assign]
    assert run(work(nova)) == Done()
    assert nova.actions == [("worker-0", "rebuild")]


def test_the_heat_drivers_have_these_verbs() -> None:
    nova = FakeNova()
    at = work(nova, Verb.HARD_REBOOT, nodes=["master-0"])
    assert isinstance(SwarmDriver().bay_hard_reboot(at), Wait)
    assert nova.actions == [("master-0", "reboot")]
    assert {Verb.REBUILD, Verb.SOFT_REBOOT, Verb.HARD_REBOOT} <= SwarmDriver.verbs()
