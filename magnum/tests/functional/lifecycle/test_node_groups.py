"""Node groups on every database: how they come, change and go, in the queue and out of it."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from magnum.common import errors
from magnum.db import baymodels, bays, submissions
from magnum.db import node_groups as store
from magnum.db.models import Bay, NodeGroup, Operation
from magnum.drivers.contract import (
    Actor,
    Blocked,
    Done,
    Facts,
    Failed,
    GroupFacts,
    Outcome,
    Verb,
    Wait,
    Work,
)
from magnum.lifecycle import node_groups, submit, upgrades
from magnum.lifecycle.node_groups import NewGroup
from magnum.tests import engine
from magnum.tests.engine import ScriptedDriver

pytestmark = pytest.mark.usefixtures("database")
BROKEN = Failed("BUILD_FAILED", Actor.USER, "no GPU here")


class GroupDriver(ScriptedDriver):
    """A scripted driver with node groups and upgrades."""

    node_groups = node_labels = True
    bay_upgrade = ScriptedDriver._answer

    def seen(self) -> list[list[str]]:
        """The names of the extra groups in each work, in order."""
        return [
            [group.name for group in work.node_groups if not group.is_default]
            for work in self.asked
        ]


@pytest.fixture
def database(database_url: str) -> None:
    engine.use_database(database_url)


@pytest.fixture
def driver() -> GroupDriver:
    return GroupDriver()


@pytest.fixture
def bay(driver: GroupDriver) -> Bay:
    """A complete bay."""
    made = engine.a_bay(driver)
    run(driver)
    driver.asked.clear()
    return made


def run(driver: GroupDriver) -> None:
    engine.run_all(engine.a_worker(driver))


def add(bay: Bay, name: str = "gpu", **fields: Any) -> str:
    new = NewGroup(name, **fields)
    return node_groups.create(engine.context(), engine.look(bay), new, queue=True).operation


def group(bay: Bay, name: str = "gpu") -> NodeGroup:
    return store.of(engine.look(bay), name)


def names(bay: Bay) -> list[str]:
    return [one.name for one in engine.look(bay).node_groups if not one.is_default]


def resize(bay: Bay, count: int, *gone: str, name: str = "gpu") -> str | None:
    seen = engine.look(bay)
    return node_groups.resize(engine.context(), seen, store.of(seen, name), count, gone, queue=True)


def remove(bay: Bay, name: str = "gpu") -> str:
    seen = engine.look(bay)
    return node_groups.remove(engine.context(), seen, store.of(seen, name), queue=True)


def cancel(bay: Bay, uuid: str) -> None:
    (operation,) = [one for one in engine.operations_of(bay) if one.uuid == uuid]
    submit.cancel(engine.context(), operation)


def facts(name: str = "gpu") -> Mapping[str, GroupFacts]:
    return {name: GroupFacts(("192.0.2.7",), "a-stack")}


def test_a_group_comes_is_resized_and_goes(bay: Bay, driver: GroupDriver) -> None:
    driver.answers = [Wait(1), Done(Facts(node_groups=facts())), Done(), Done()]
    add(
        bay, node_count=2, node_labels={"a": "b"}, node_taints=[{"key": "k", "effect": "NoExecute"}]
    )
    assert (group(bay).status, engine.look(bay).status) == (
        "CREATE_IN_PROGRESS",
        "UPDATE_IN_PROGRESS",
    )
    run(driver)
    assert (group(bay).status, engine.look(bay).status) == ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    assert group(bay).node_addresses == ["192.0.2.7"] and group(bay).stack_id == "a-stack"
    work = driver.asked[-1]
    assert work.verb is Verb.UPDATE and work.parameters["nodegroup"] == "gpu"
    assert work.node_groups[-1].node_labels == {"a": "b"}
    assert work.node_groups[-1].node_taints == ({"key": "k", "effect": "NoExecute"},)
    resize(bay, 4, "3")
    assert group(bay).status == "UPDATE_IN_PROGRESS"
    run(driver)
    assert group(bay).status == "UPDATE_COMPLETE" and engine.look(bay).node_count == 5
    assert driver.asked[-1].parameters["nodes_to_remove"] == ["3"]
    remove(bay)
    assert group(bay).status == "DELETE_IN_PROGRESS"
    run(driver)
    assert names(bay) == [] and driver.seen() == [["gpu"], ["gpu"], ["gpu"], []]
    assert engine.look(bay).node_count == 1
    add(bay)


def test_one_that_fails_says_so_and_can_go(bay: Bay, driver: GroupDriver) -> None:
    driver.answers = [BROKEN]
    add(bay)
    run(driver)
    assert (group(bay).status, engine.look(bay).status) == ("CREATE_FAILED", "UPDATE_FAILED")
    assert group(bay).status_reason == "BUILD_FAILED: no GPU here"
    remove(bay)
    run(driver)
    assert names(bay) == [] and engine.look(bay).status == "UPDATE_COMPLETE"


def test_one_that_does_not_go_is_still_to_go(bay: Bay, driver: GroupDriver) -> None:
    add(bay)
    run(driver)
    driver.answers = [BROKEN]
    remove(bay)
    run(driver)
    assert group(bay).status == "DELETE_FAILED" and group(bay).unwanted
    # Whatever brings the cluster to what is wanted takes it away.
    resize(bay, 3, name="default-worker")
    run(driver)
    assert names(bay) == [] and driver.seen()[-1] == []


def test_a_blocked_group_is_in_progress_with_the_reason(bay: Bay, driver: GroupDriver) -> None:
    driver.answers = [Blocked("QUOTA_EXCEEDED", Actor.USER, "no room"), Done()]
    add(bay)
    worker = engine.a_worker(driver)
    worker.run(engine.operations_of(bay)[-1].id)
    assert group(bay).status == "CREATE_IN_PROGRESS"
    assert group(bay).status_reason == "QUOTA_EXCEEDED: no room"
    run(driver)
    assert (group(bay).status, group(bay).status_reason) == ("CREATE_COMPLETE", None)


def test_what_comes_later_in_the_queue_is_not_there_yet(bay: Bay, driver: GroupDriver) -> None:
    resize(bay, 3, name="default-worker")
    add(bay)
    resize(bay, 5)
    remove(bay)
    add(bay, "other")
    run(driver)
    assert driver.seen() == [[], ["gpu"], ["gpu"], [], ["other"]]
    counts = [work.node_groups[2].node_count for work in driver.asked[1:3]]
    assert counts == [1, 5] and names(bay) == ["other"]


def test_taken_back_in_any_order_nothing_is_left_of_it(bay: Bay, driver: GroupDriver) -> None:
    made, larger, gone = add(bay), resize(bay, 5), remove(bay)
    assert larger is not None
    cancel(bay, made)
    cancel(bay, gone)
    assert group(bay).unwanted
    cancel(bay, larger)
    assert names(bay) == [] and engine.look(bay).status == "CREATE_COMPLETE"
    run(driver)
    assert driver.asked == []


def test_without_its_creation_what_waits_for_it_makes_nothing(
    bay: Bay, driver: GroupDriver
) -> None:
    made = add(bay)
    resize(bay, 5)
    cancel(bay, made)
    run(driver)
    assert driver.seen() == [[]] and names(bay) == []


def test_a_deletion_asked_for_twice_is_one(bay: Bay, driver: GroupDriver) -> None:
    add(bay)
    run(driver)
    assert remove(bay) == remove(bay)
    run(driver)
    assert names(bay) == []


def test_while_it_goes_nothing_else_is_done_with_it(bay: Bay, driver: GroupDriver) -> None:
    add(bay)
    run(driver)
    remove(bay)
    with pytest.raises(errors.WrongStatus):
        resize(bay, 3)
    with pytest.raises(store.NodeGroupExists):
        add(bay)
    run(driver)
    gone = NodeGroup(name="gpu", node_count=1, min_node_count=0, is_default=False)
    with pytest.raises(store.NodeGroupNotFound):
        node_groups.resize(engine.context(), engine.look(bay), gone, 3, queue=True)


def test_the_bays_deletion_takes_all_groups(bay: Bay, driver: GroupDriver) -> None:
    add(bay)
    run(driver)
    add(bay, "waits")
    submit.delete_bay(engine.context(), engine.look(bay))
    run(driver)
    with pytest.raises(bays.BayNotFound):
        engine.look(bay)
    assert driver.asked[-1].verb is Verb.DELETE


def test_two_at_the_same_time_are_both_done_and_one_of_them_is_last(
    bay: Bay, driver: GroupDriver
) -> None:
    """Each sees the bay as it was before the other; the last one accepted says how many there are."""
    seen = engine.look(bay)
    workers = store.of(seen, "default-worker")
    ready, failed = threading.Barrier(4), []

    def ask(count: int) -> None:
        ready.wait()
        try:
            node_groups.resize(engine.context(), seen, workers, count, queue=True)
        except Exception as error:  # noqa: BLE001 - told by the test
            failed.append(error)

    threads = [threading.Thread(target=ask, args=(count,)) for count in (2, 3, 4, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failed == []
    asked = [one.parameters["node_count"] for one in engine.operations_of(bay)[1:]]
    assert sorted(asked) == [2, 3, 4, 5]
    assert engine.look(bay).node_count == asked[-1]
    run(driver)
    counts = [work.node_groups[1].node_count for work in driver.asked]
    assert counts == asked and engine.look(bay).status == "UPDATE_COMPLETE"


def test_bounds_hold_against_a_resize_that_came_first(bay: Bay) -> None:
    asker, workers = engine.context(), group(bay, "default-worker")
    store.set_bounds(asker, workers.uuid, 1, 3)
    with pytest.raises(errors.InvalidField):
        resize(bay, 4, name="default-worker")
    resize(bay, 3, name="default-worker")
    with pytest.raises(store.OutOfBounds):
        store.set_bounds(asker, workers.uuid, 0, 2)
    with pytest.raises(store.NodeGroupNotFound):
        store.set_bounds(asker, bay.uuid, 0, 2)
    with pytest.raises(errors.InvalidField):
        submit.update_bay(asker, engine.look(bay), 4)


def test_a_failed_creation_of_the_bay_leaves_its_groups_to_the_deletion(
    driver: GroupDriver,
) -> None:
    bay = engine.a_bay(driver)
    driver.answers = [BROKEN]
    add(bay)
    run(driver)
    assert engine.look(bay).status == "CREATE_FAILED"
    submit.delete_bay(engine.context(), engine.look(bay))
    run(driver)
    with pytest.raises(bays.BayNotFound):
        engine.look(bay)


# --- upgrades --------------------------------------------------------------------------------------------------------


def upgrade(bay: Bay, to: str) -> str:
    seen = engine.look(bay)
    new = baymodels.get(engine.context(), to)
    return upgrades.upgrade(engine.context(), seen, new, group=None, batch_size=2, queue=True)


def test_an_upgrade_shows_the_driver_the_new_baymodel_only_when_it_is_its_turn(
    bay: Bay, driver: GroupDriver
) -> None:
    images: list[tuple[str, str | None]] = []

    def note(work: Work) -> Outcome:
        images.append((work.verb, work.baymodel.image_id))
        return Done()

    driver.answers = [note, note, note]
    new = engine.a_baymodel(name="new", image_id="other", labels={"x": "y"})
    resize(bay, 3, name="default-worker")
    upgrade(bay, new.uuid)
    resize(bay, 4, name="default-worker")
    old = next(one for one in baymodels_of(bay) if one != new.uuid)
    with pytest.raises(errors.InUse):
        baymodels.delete(engine.context(), old)
    run(driver)
    assert images == [("update", None), ("upgrade", "other"), ("update", "other")]
    seen = engine.look(bay)
    assert seen.baymodel.image_id == "other" and seen.labels == {"x": "y"}
    baymodels.delete(engine.context(), old)


def baymodels_of(bay: Bay) -> list[str]:
    """Uuids of all baymodels that the bay has, or had."""
    undone = [one.undo for one in engine.operations_of(bay) if one.undo]
    before = [undo["bay"]["baymodel_id"] for undo in undone if "baymodel_id" in undo["bay"]]
    return [*before, engine.look(bay).baymodel_id]


def test_an_upgrade_that_is_taken_back(bay: Bay, driver: GroupDriver) -> None:
    before = engine.look(bay).baymodel_id
    new = engine.a_baymodel(name="new", image_id="other")
    cancel(bay, upgrade(bay, new.uuid))
    assert engine.look(bay).baymodel_id == before
    run(driver)
    assert driver.asked == []


def test_what_is_stored_of_a_change_names_the_group(bay: Bay) -> None:
    assert submissions.GroupChange("gpu", "CREATE_IN_PROGRESS").new is None
    add(bay)
    operation: Operation = engine.operations_of(bay)[-1]
    assert operation.undo is not None
    assert operation.undo["groups"] == {"gpu": {"unwanted": True}}
