"""Fewer workers, and nobody has named them: the scaler says which go, once, and never stops the update."""

import dataclasses
import json
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnum.drivers.contract import Done, Facts, Verb, Wait, Work
from magnum.drivers.heat import removal
from magnum.drivers.heat.driver import HeatDriver
from magnum.drivers.heat.stack import Launch
from magnum.drivers.heat.template import TemplateDefinition
from magnum.tests.unit.drivers.fakes import FakeHeat, make_work


class Definition(TemplateDefinition):
    """A template with workers."""

    mutable = frozenset({"node_count", "nodes_to_remove"})
    orders = frozenset({"nodes_to_remove"})

    def parameters(self, work: Work) -> Mapping[str, Any]:
        named = list(work.parameters.get("nodes_to_remove") or ())
        return {"node_count": work.group("worker").node_count, "nodes_to_remove": named}

    def launch(self, work: Work) -> Launch:
        return Launch("template", {}, self.parameters(work), {})

    def facts(self, work: Work, stack_id: str, outputs: Mapping[str, Any]) -> Facts:
        return Facts(stack_id=stack_id)


class ScriptedScaler:
    """Names these servers, and counts how often it was asked."""

    def __init__(self, *answer: str) -> None:
        self.answer = answer
        self.asked: list[int] = []

    def removable(self, work: Work, count: int) -> tuple[str, ...]:
        self.asked.append(count)
        return self.answer

    def missing(self, work: Work) -> int:
        return 0


class Stumbling(ScriptedScaler):
    """A scaler with a bug."""

    def removable(self, work: Work, count: int) -> tuple[str, ...]:
        raise RuntimeError("a bug")


class Hanging(ScriptedScaler):
    """A scaler that does not come back."""

    release = threading.Event()

    def removable(self, work: Work, count: int) -> tuple[str, ...]:
        self.release.wait(60)
        return ()


def a_driver(scaler_: ScriptedScaler | None) -> HeatDriver:
    class Scaled(HeatDriver):
        name = "scaled_v1"
        version = "1.0.0"
        definition = Definition()
        scaler = scaler_

    return Scaled()


def updated(
    driver: HeatDriver, before: int, after: int, heat: FakeHeat | None = None, **parameters: Any
) -> dict[str, Any]:
    """What an update sends for another number of workers."""
    heat = heat or FakeHeat()
    driver.bay_create(make_work(heat, worker={"node_count": before}))
    heat.only().status = "CREATE_COMPLETE"
    work = make_work(
        heat,
        verb=Verb.UPDATE,
        bay={"stack_id": heat.only().id},
        worker={"node_count": after},
        parameters=parameters,
    )
    for _ in range(3):
        answer = driver.bay_update(work)
        assert isinstance(answer, Wait)
        if sent := [given_ for name, given_ in heat.requests if name == "update"]:
            heat.only().status = "UPDATE_COMPLETE"
            work = dataclasses.replace(work, cursor=dict(answer.cursor))
            assert isinstance(driver.bay_update(work), Done)
            changed: dict[str, Any] = sent[0]["parameters"]
            return changed
        work = dataclasses.replace(work, cursor=json.loads(json.dumps(answer.cursor)))
    raise AssertionError("nothing was asked for")


def test_the_idle_ones_go() -> None:
    scaler = ScriptedScaler("s3", "s1")
    assert updated(a_driver(scaler), 5, 3) == {"node_count": 3, "nodes_to_remove": ["s3", "s1"]}
    assert scaler.asked == [2]


def test_it_is_asked_once_and_its_answer_kept() -> None:
    heat, scaler = FakeHeat(), ScriptedScaler("s3")
    driver = a_driver(scaler)
    driver.bay_create(make_work(heat, worker={"node_count": 3}))
    heat.only().status = "CREATE_COMPLETE"
    bay = {"stack_id": heat.only().id}
    work = make_work(heat, verb=Verb.UPDATE, bay=bay, worker={"node_count": 2})
    first = driver.bay_update(work)
    assert isinstance(first, Wait)
    assert heat.count("update") == 0
    scaler.answer = ("another",)
    kept = dataclasses.replace(work, cursor=json.loads(json.dumps(first.cursor)))
    # Another conductor goes on, twice, because the first one's answer was lost.
    for _ in range(2):
        a_driver(scaler).bay_update(kept)
    sent = [
        given_["parameters"]["nodes_to_remove"]
        for name, given_ in heat.requests
        if name == "update"
    ]
    assert sent == [["s3"], ["s3"]]
    assert scaler.asked == [1]


def test_of_fewer_than_asked_for_heat_chooses_the_rest() -> None:
    assert updated(a_driver(ScriptedScaler("s3")), 5, 2)["nodes_to_remove"] == ["s3"]
    assert updated(a_driver(ScriptedScaler()), 5, 2)["nodes_to_remove"] == []


def test_more_than_asked_for_are_not_taken() -> None:
    assert updated(a_driver(ScriptedScaler("a", "b", "c")), 5, 4)["nodes_to_remove"] == ["a"]


def test_who_names_nodes_gets_these() -> None:
    scaler = ScriptedScaler("s3")
    sent = updated(a_driver(scaler), 5, 4, nodes_to_remove=["mine"])
    assert sent["nodes_to_remove"] == ["mine"]
    assert scaler.asked == []


@pytest.mark.parametrize("after", [3, 5])
def test_where_none_goes_nobody_is_asked(after: int) -> None:
    scaler = ScriptedScaler("s3")
    assert updated(a_driver(scaler), 3, after)["nodes_to_remove"] == []
    assert scaler.asked == []


def test_without_a_scaler_no_request_is_made_for_it() -> None:
    heat = FakeHeat()
    updated(a_driver(None), 5, 3, heat)
    names = [name for name, _ in heat.requests]
    assert names[: names.index("update")] == ["create"]


@pytest.mark.parametrize("kind", [Stumbling, Hanging])
def test_a_scaler_that_fails_does_not_fail_the_update(
    kind: type[ScriptedScaler], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "_PATIENCE", 0.1)
    assert updated(a_driver(kind()), 5, 3) == {"node_count": 3, "nodes_to_remove": []}
    Hanging.release.set()


@given(
    st.integers(0, 6),
    st.integers(0, 6),
    st.lists(st.sampled_from([f"s{number}" for number in range(8)]), unique=True),
)
def test_never_more_go_than_are_to_go(before: int, after: int, answer: list[str]) -> None:
    sent = updated(a_driver(ScriptedScaler(*answer)), before, after)
    assert sent["nodes_to_remove"] == answer[: max(0, before - after)]
