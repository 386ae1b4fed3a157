"""Looks at stacks of one project at the same time are one request, and nobody gets what is older than his look."""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from magnum.drivers.contract import CloudUnavailable, Outcome, Verb, Wait, Work
from magnum.drivers.heat.looks import SharedLooks
from magnum.drivers.heat.stack import StackView
from magnum.drivers.swarm_atomic_v1.driver import Driver
from magnum.tests.unit.drivers.fakes import FakeHeat, make_work

LONG = 60.0  # seconds; nothing here takes as long but on a machine that hangs


def view(stack_id: str) -> StackView:
    return StackView(stack_id, "bay", "CREATE", "IN_PROGRESS", "", {})


class FakeCloud:
    """Answers looks; ``hold`` stops it in the middle of the next one that is taken alone."""

    def __init__(self) -> None:
        self.present = {"a", "b", "c", "first"}
        self.asked: list[tuple[str, ...]] = []
        self.error: Exception | None = None
        self.inside, self.go_on = threading.Event(), threading.Event()

    def alone(self, stack_id: str, hold: bool = False) -> StackView | None:
        self.asked.append((stack_id,))
        if hold:
            self.inside.set()
            assert self.go_on.wait(LONG)
        return view(stack_id) if stack_id in self.present else None

    def together(self, ids: Collection[str]) -> Mapping[str, StackView]:
        self.asked.append(tuple(sorted(ids)))
        if self.error is not None:
            raise self.error
        return {ident: view(ident) for ident in ids if ident in self.present}


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, "did not come about"
        threading.Event().wait(0.005)


@contextmanager
def one_on_its_way(
    looks: SharedLooks, cloud: FakeCloud
) -> Iterator[Callable[[str], "Future[StackView | None]"]]:
    """While a look is on its way; what is yielded looks at another stack, in a thread of its own."""
    with ThreadPoolExecutor(8) as pool:

        def begin(stack_id: str, hold: bool = False) -> "Future[StackView | None]":
            alone = partial(cloud.alone, stack_id, hold)
            return pool.submit(looks.look, "p", stack_id, alone, cloud.together)

        first = begin("first", hold=True)
        assert cloud.inside.wait(LONG)
        try:
            yield begin
        finally:
            cloud.go_on.set()
        assert first.result(LONG) == view("first")


def join(
    looks: SharedLooks, begin: Callable[[str], "Future[StackView | None]"], *ids: str
) -> "list[Future[StackView | None]]":
    """Begin looks, and wait until all of them wait for their turn. The first one leads."""
    begun = []
    for count, ident in enumerate(ids, 1):
        begun.append(begin(ident))
        until(partial(_are_waiting, looks, count))
    return begun


def _are_waiting(looks: SharedLooks, count: int, project_id: str = "p") -> bool:
    party = looks._gathering.get(project_id)
    return party is not None and len(party.ids) == count


def test_a_look_that_is_alone_does_not_wait_and_asks_for_itself() -> None:
    looks, cloud = SharedLooks(LONG), FakeCloud()
    for ident, expected in (("a", view("a")), ("gone", None), ("a", view("a"))):
        assert looks.look("p", ident, partial(cloud.alone, ident), cloud.together) == expected
    assert cloud.asked == [("a",), ("gone",), ("a",)]


def test_those_who_come_while_one_is_on_its_way_share_the_next() -> None:
    looks, cloud = SharedLooks(LONG), FakeCloud()
    with one_on_its_way(looks, cloud) as begin:
        begun = join(looks, begin, "a", "b", "gone", "c")
        assert cloud.asked == [("first",)]
    assert [future.result(LONG) for future in begun] == [view("a"), view("b"), None, view("c")]
    assert cloud.asked == [("first",), ("a", "b", "c", "gone")]


def test_nobody_is_shown_what_was_seen_before_he_asked() -> None:
    looks, cloud = SharedLooks(LONG), FakeCloud()
    with one_on_its_way(looks, cloud) as begin:
        begun = join(looks, begin, "a", "b")
        cloud.present -= {"a"}
    assert begun[0].result(LONG) is None
    assert looks.look("p", "a", partial(cloud.alone, "a"), cloud.together) is None
    assert cloud.asked == [("first",), ("a", "b"), ("a",)]


def test_a_look_that_takes_long_holds_up_nobody_for_ever() -> None:
    looks, cloud = SharedLooks(patience=0.01), FakeCloud()
    with one_on_its_way(looks, cloud):
        assert looks.look("p", "a", partial(cloud.alone, "a"), cloud.together) == view("a")
    assert cloud.asked == [("first",), ("a",)]


def test_other_projects_do_not_wait() -> None:
    looks, cloud = SharedLooks(LONG), FakeCloud()
    with one_on_its_way(looks, cloud):
        found = looks.look("other", "a", partial(cloud.alone, "a"), cloud.together)
        assert found == view("a")


def test_trouble_is_everybodys_and_over_with_the_next_look() -> None:
    looks, cloud = SharedLooks(LONG), FakeCloud()
    cloud.error = CloudUnavailable("no answer")
    with one_on_its_way(looks, cloud) as begin:
        begun = join(looks, begin, "a", "b", "c")
    for future in begun:
        with pytest.raises(CloudUnavailable):
            future.result(LONG)
    assert looks.look("p", "a", partial(cloud.alone, "a"), cloud.together) == view("a")


def test_where_the_leader_is_stopped_the_others_ask_for_themselves() -> None:
    looks, cloud = SharedLooks(LONG), FakeCloud()
    cloud.error = RuntimeError("its lease is over")
    with one_on_its_way(looks, cloud) as begin:
        leader, *others = join(looks, begin, "a", "b", "c")
    with pytest.raises(RuntimeError):
        leader.result(LONG)
    assert [future.result(LONG) for future in others] == [view("b"), view("c")]
    assert sorted(cloud.asked[2:]) == [("b",), ("c",)]


# --- in the driver --------------------------------------------------------------------------------


class FakeSlowHeat(FakeHeat):
    """A fake Heat whose first look is held until the test lets it go."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.go_on = threading.Event(), threading.Event()

    def note(self, method: str, **given: Any) -> None:
        super().note(method, **given)
        if method == "get" and not self.inside.is_set():
            self.inside.set()
            assert self.go_on.wait(LONG)


def asked_to_go(driver: Driver, work: Work) -> Work:
    outcome = driver.bay_delete(work)
    assert isinstance(outcome, Wait)
    return replace(work, cursor=outcome.cursor)


@pytest.mark.parametrize("verb", [Verb.CREATE, Verb.DELETE])
def test_many_bays_of_a_project_are_polled_with_two_requests(verb: Verb) -> None:
    heat, driver = FakeSlowHeat(), Driver()
    driver._looks = SharedLooks(LONG)
    works: list[Work] = []
    for number in range(6):
        work = make_work(heat, bay={"uuid": f"{number:08d}-0000-4000-8000-000000000000"})
        outcome = driver.bay_create(work)
        assert isinstance(outcome, Wait)
        bay = replace(work.bay, stack_id=outcome.facts.stack_id)
        works.append(replace(work, bay=bay, cursor=outcome.cursor))
    if verb is Verb.DELETE:
        works = [asked_to_go(driver, replace(work, verb=verb, cursor={})) for work in works]
    heat.requests.clear()

    def poll(work: Work) -> Outcome:
        outcome: Outcome = getattr(driver, f"bay_{work.verb}")(work)
        return outcome

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(poll, works[0])
        try:
            assert heat.inside.wait(LONG)
            others = [pool.submit(poll, work) for work in works[1:]]
            until(partial(_are_waiting, driver._looks, 5, "p1"))
        finally:
            heat.go_on.set()
        assert all(isinstance(future.result(LONG), Wait) for future in [first, *others])
    assert [method for method, _ in heat.requests] == ["get", "list"]
    assert len(heat.requests[1][1]["filters"]["id"]) == 5
