"""Labels that change with an operation: each pass sees those of its own time, and what is taken back is as it was."""

from collections.abc import Iterator

import pytest

from magnum.common.context import service_context
from magnum.db import operations, session
from magnum.db.models import State
from magnum.drivers.contract import Wait, Work
from magnum.lifecycle import submit
from magnum.tests.engine import (
    ScriptedDriver,
    a_bay,
    a_worker,
    context,
    look,
    make_due,
    operations_of,
    run_all,
    use_database,
)


@pytest.fixture(autouse=True)
def database(database_url: str) -> Iterator[None]:
    """A fresh database of each kind."""
    use_database(database_url)
    yield
    session.engine().dispose()


def change(bay: object, count: int, **labels: str) -> str:
    found = look(bay)  # type: ignore[arg-type]
    wanted = {**found.labels, **labels}
    made = submit.update_bay(context(), found, count, labels=wanted, queue=True)
    assert made is not None
    return made


def seen(work: Work) -> tuple[dict[str, str], dict[str, str], int]:
    """What a pass sees: the labels of the bay and of its workers, and how many of those there are."""
    workers = work.group("worker")
    return dict(work.bay.labels), dict(workers.labels), workers.node_count


def test_a_pass_sees_the_labels_of_its_own_operation() -> None:
    driver = ScriptedDriver(Wait(0))
    bay, worker = a_bay(driver, labels={"a": "1"}), a_worker(driver)
    make_due()
    worker.run(operations.due(service_context(), 1)[0])
    change(bay, 2, a="2")
    change(bay, 2, a="3", b="4")
    assert look(bay).labels == {"a": "3", "b": "4"}
    run_all(worker)
    ends = [({"a": "1"},) * 2 + (1,)] * 2
    ends += [({"a": "2"},) * 2 + (2,), ({"a": "3", "b": "4"},) * 2 + (2,)]
    assert [seen(work) for work in driver.asked] == ends
    assert {one.state for one in operations_of(bay)} == {State.DONE}


def test_what_is_taken_back_leaves_to_later_changes_what_is_theirs() -> None:
    driver = ScriptedDriver()
    bay, worker = a_bay(driver, labels={"a": "1"}), a_worker(driver)
    run_all(worker)
    first = change(bay, 2, a="2")
    change(bay, 5)
    last = change(bay, 5, b="1")
    by_uuid = {one.uuid: one for one in operations_of(bay)}
    submit.cancel(context(), by_uuid[last])
    assert (look(bay).labels, look(bay).node_count) == ({"a": "2"}, 5)
    submit.cancel(context(), by_uuid[first])
    assert (look(bay).labels, look(bay).node_count) == ({"a": "1"}, 5)
    run_all(worker)
    assert seen(driver.asked[-1]) == ({"a": "1"}, {"a": "1"}, 5)
