"""The queue of a bay's operations on every database: waiting, taking back, being woken, checks, and force."""

import threading
from typing import Any

import pytest

from magnum.common import errors
from magnum.common.context import service_context
from magnum.common.lease import Lease, LeaseLost
from magnum.db import clock, operations, session
from magnum.db.bays import BayNotFound
from magnum.db.models import Bay, Operation, State
from magnum.drivers.contract import (
    Actor,
    Blocked,
    CloudUnavailable,
    DeleteFailed,
    Done,
    Facts,
    Failed,
    Fault,
    Leftover,
    NotFound,
    Outcome,
    Progress,
    StackChanged,
    Verb,
    Wait,
    Work,
)
from magnum.lifecycle import submit
from magnum.tests import engine
from magnum.tests.engine import ScriptedDriver

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def database(database_url: str) -> None:
    engine.use_database(database_url)


def change(bay: Bay, count: int) -> str:
    """Ask for so many workers, in the queue; the operation's uuid."""
    made = submit.update_bay(engine.context(), engine.look(bay), count, queue=True)
    assert made is not None
    return made


def the(bay: Bay, verb: str) -> Operation:
    """The bay's newest operation of a verb."""
    return [one for one in engine.operations_of(bay) if one.verb == verb][-1]


def cancel(bay: Bay, uuid: str) -> None:
    (operation,) = [one for one in engine.operations_of(bay) if one.uuid == uuid]
    submit.cancel(engine.context(), operation)


def shows(bay: Bay) -> tuple[str, int, int]:
    """Status, generation and number of workers of a bay."""
    seen = engine.look(bay)
    return seen.status, seen.generation, seen.node_count


def settled(driver: ScriptedDriver) -> Bay:
    """A bay whose creation is done."""
    bay = engine.a_bay(driver)
    engine.run_all(engine.a_worker(driver))
    assert engine.look(bay).status == "CREATE_COMPLETE"
    return bay


# --- the queue -------------------------------------------------------------------------------------------------------


def test_changes_wait_behind_the_creation_and_are_done_in_order() -> None:
    driver = ScriptedDriver(Wait(5))
    bay = engine.a_bay(driver)
    wanted = [change(bay, count) for count in (2, 3, 4)]
    assert shows(bay) == ("CREATE_IN_PROGRESS", 4, 4)
    engine.run_all(engine.a_worker(driver))
    assert shows(bay) == ("UPDATE_COMPLETE", 4, 4)
    done = sorted(engine.operations_of(bay)[1:], key=lambda one: str(one.finished_at))
    assert [one.uuid for one in done] == wanted
    assert [work.verb for work in driver.asked] == [Verb.CREATE] * 2 + [Verb.UPDATE] * 3
    assert engine.look(bay).observed_generation == 4


def test_between_two_operations_the_bay_shows_that_the_first_is_complete() -> None:
    driver = ScriptedDriver(Done(), Wait(5))
    bay = engine.a_bay(driver)
    worker = engine.a_worker(driver)
    change(bay, 2)
    worker.run(the(bay, "create").id)
    assert engine.look(bay).status == "CREATE_COMPLETE"
    worker.run(the(bay, "update").id)
    assert engine.look(bay).status == "UPDATE_IN_PROGRESS"


def test_without_the_queue_a_change_is_refused_while_another_is_under_way() -> None:
    bay = engine.a_bay(ScriptedDriver())
    with pytest.raises(errors.WrongStatus):
        submit.update_bay(engine.context(), bay, 2)
    assert len(engine.operations_of(bay)) == 1
    assert engine.look(bay).node_count == 1


def test_the_same_specification_twice_makes_no_second_operation() -> None:
    driver = ScriptedDriver()
    bay = settled(driver)
    change(bay, 3)
    assert submit.update_bay(engine.context(), engine.look(bay), 3, queue=True) is None
    assert len(engine.operations_of(bay)) == 2


def test_what_waits_behind_a_failed_creation_is_cancelled() -> None:
    driver = ScriptedDriver(Failed("BUILD_FAILED", Actor.USER, "no"))
    bay = engine.a_bay(driver)
    change(bay, 2)
    engine.run_all(engine.a_worker(driver))
    assert engine.look(bay).status == "CREATE_FAILED"
    assert the(bay, "update").state == State.CANCELLED
    assert engine.events_of(bay).count("CANCELLED") == 1


def test_a_failed_change_does_not_stop_the_next_one() -> None:
    driver = ScriptedDriver(Done(), Failed("BUILD_FAILED", Actor.USER, "no"), Done())
    bay = settled(driver)
    change(bay, 2)
    change(bay, 3)
    engine.run_all(engine.a_worker(driver))
    assert engine.look(bay).status == "UPDATE_COMPLETE"


# --- taking back -----------------------------------------------------------------------------------------------------


def test_a_change_that_was_taken_back_leaves_the_bay_as_it_was() -> None:
    bay = settled(ScriptedDriver())
    uuid = change(bay, 5)
    assert shows(bay) == ("UPDATE_IN_PROGRESS", 2, 5)
    cancel(bay, uuid)
    assert shows(bay) == ("CREATE_COMPLETE", 1, 1)
    assert the(bay, "update").state == State.CANCELLED
    assert engine.events_of(bay)[-1] == "CANCELLED"
    engine.run_all(engine.a_worker())  # nothing is left to do
    assert submit.update_bay(engine.context(), engine.look(bay), 5) is not None


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0,), (1,)])
def test_changes_of_a_queue_are_taken_back_in_any_order(order: tuple[int, ...]) -> None:
    driver = ScriptedDriver(Done(), Wait(5))
    bay = settled(driver)
    worker = engine.a_worker(driver)
    change(bay, 2)
    worker.run(the(bay, "update").id)  # under way from here on
    queued = [change(bay, 3), change(bay, 4)]
    for index in order:
        cancel(bay, queued[index])
    left = [count for index, count in enumerate((3, 4)) if index not in order]
    assert engine.look(bay).node_count == (left[-1] if left else 2)
    assert engine.look(bay).status == "UPDATE_IN_PROGRESS"
    engine.run_all(worker)
    assert engine.look(bay).status == "UPDATE_COMPLETE"
    seen = engine.look(bay)
    assert seen.observed_generation == seen.generation


def test_the_next_one_begins_when_the_first_of_a_queue_is_taken_back() -> None:
    driver = ScriptedDriver()
    bay = settled(driver)
    first = change(bay, 2)
    change(bay, 3)
    cancel(bay, first)
    assert len(operations.due(service_context(), 10)) == 1
    engine.run_all(engine.a_worker(driver))
    assert shows(bay)[0] == "UPDATE_COMPLETE"
    assert shows(bay)[2] == 3


def test_what_has_begun_is_not_taken_back() -> None:
    driver = ScriptedDriver(Done(), Wait(5))
    bay = settled(driver)
    uuid = change(bay, 2)
    engine.a_worker(driver).run(the(bay, "update").id)
    with pytest.raises(submit.NotCancellable):
        cancel(bay, uuid)
    assert engine.look(bay).node_count == 2


def test_creations_and_deletions_are_not_taken_back() -> None:
    bay = engine.a_bay(ScriptedDriver())
    with pytest.raises(submit.NotCancellable, match="Delete the bay"):
        cancel(bay, the(bay, "create").uuid)
    submit.delete_bay(engine.context(), bay)
    with pytest.raises(submit.NotCancellable):
        cancel(bay, the(bay, "delete").uuid)


def test_a_deletion_cancels_the_whole_queue_and_says_so() -> None:
    driver = ScriptedDriver()
    bay = engine.a_bay(driver)
    change(bay, 2)
    change(bay, 3)
    submit.delete_bay(engine.context(), bay)
    assert engine.events_of(bay).count("CANCELLED") == 3
    engine.run_all(engine.a_worker(driver))
    assert [one.state for one in engine.operations_of(bay)] == [State.CANCELLED] * 3 + [State.DONE]
    assert [work.verb for work in driver.asked] == [Verb.DELETE]


# --- being woken -----------------------------------------------------------------------------------------------------


def test_a_wake_makes_the_operation_due_and_tells_the_driver() -> None:
    driver = ScriptedDriver(Wait(1000), Wait(1000))
    bay = engine.a_bay(driver)
    worker = engine.a_worker(driver)
    (operation,) = engine.operations_of(bay)
    worker.run(operation.id)
    assert operations.due(service_context(), 10) == []
    assert operations.wake(service_context(), bay.uuid) == [operation.id]
    assert operations.due(service_context(), 10) == [operation.id]
    worker.run(operation.id)
    worker.run(operation.id)  # not due any more
    assert [work.woken for work in driver.asked] == [False, True]


def test_a_wake_during_a_pass_is_followed_by_another_pass() -> None:
    def woken_meanwhile(work: Work) -> Outcome:
        operations.wake(service_context(), work.bay.uuid)
        return Wait(1000)

    driver = ScriptedDriver(woken_meanwhile, Done())
    bay = engine.a_bay(driver)
    worker = engine.a_worker(driver)
    (operation,) = engine.operations_of(bay)
    worker.run(operation.id)
    assert operations.due(service_context(), 10) == [operation.id]
    worker.run(operation.id)
    assert driver.asked[-1].woken
    assert engine.look(bay).status == "CREATE_COMPLETE"


def test_nothing_is_woken_that_waits_its_turn_or_has_ended() -> None:
    driver = ScriptedDriver(Done(), Wait(1000))
    bay = settled(driver)
    assert operations.wake(service_context(), bay.uuid) == []
    change(bay, 2)
    engine.a_worker(driver).run(the(bay, "update").id)
    change(bay, 3)
    assert operations.wake(service_context(), bay.uuid) == [engine.operations_of(bay)[1].id]
    assert operations.wake(service_context(), "of-nobody") == []


# --- checks ----------------------------------------------------------------------------------------------------------


class Observed(ScriptedDriver):
    """Its cluster can be looked at: what the test laid down is what is seen."""

    bay_check = ScriptedDriver._answer


def checked(driver: ScriptedDriver, bay: Bay) -> Operation:
    assert submit.check_bay(service_context(), bay.uuid, 0) is not None
    engine.run_all(engine.a_worker(driver))
    return the(bay, "check")


def test_a_check_that_finds_all_well_changes_nothing_that_clients_wait_for() -> None:
    driver = Observed(Done(Facts(stack_id="s")), Wait(5), CloudUnavailable("away"), Done())
    bay = settled(driver)
    assert checked(driver, bay).state == State.DONE
    assert shows(bay) == ("CREATE_COMPLETE", 1, 1)
    assert engine.look(bay).status_reason is None


def test_a_cluster_that_is_gone_shows_and_so_does_its_return() -> None:
    driver = Observed(Done(), NotFound("somebody deleted it"), Done())
    bay = settled(driver)
    assert checked(driver, bay).error_code == "STACK_GONE"
    assert engine.look(bay).status == "CHECK_FAILED"
    assert engine.look(bay).status_reason == "STACK_GONE: somebody deleted it"
    assert checked(driver, bay).state == State.DONE
    assert engine.look(bay).status == "CHECK_COMPLETE"
    assert engine.look(bay).status_reason is None


def test_a_cluster_that_somebody_changed_says_so_and_is_mended_by_the_same_specification() -> None:
    driver = Observed(Done(), StackChanged("node_count is 7, not 1"), Done())
    bay = settled(driver)
    checked(driver, bay)
    assert engine.look(bay).status == "CREATE_COMPLETE"
    assert engine.look(bay).status_reason == "STACK_CHANGED: node_count is 7, not 1"
    assert submit.update_bay(engine.context(), engine.look(bay), 1) is not None
    engine.run_all(engine.a_worker(driver))
    assert engine.look(bay).status == "UPDATE_COMPLETE"
    assert engine.look(bay).status_reason is None


def test_a_check_that_never_gets_an_answer_says_nothing_of_the_bay() -> None:
    driver = Observed(Done(), *[CloudUnavailable("away")] * 5)
    bay = settled(driver)
    submit.check_bay(service_context(), bay.uuid, 0)
    worker = engine.a_worker(driver)
    worker.run(the(bay, "check").id)
    engine.make_due(deadline=clock.now(-1))
    worker.run(the(bay, "check").id)
    assert the(bay, "check").error_code == "DEADLINE_EXCEEDED"
    assert shows(bay) == ("CREATE_COMPLETE", 1, 1)
    assert engine.look(bay).status_reason is None


def test_only_an_idle_bay_is_checked_and_no_echo_is() -> None:
    driver = Observed()
    bay = settled(driver)
    assert submit.check_bay(service_context(), bay.uuid, 10) is None
    assert submit.check_bay(service_context(), "of-nobody", 0) is None
    assert submit.check_bay(service_context(), bay.uuid, 0) is not None
    assert submit.check_bay(service_context(), bay.uuid, 0) is None


def test_a_change_that_comes_during_a_check_is_shown_at_once() -> None:
    driver = Observed(Done(), Wait(1000))
    bay = settled(driver)
    submit.check_bay(service_context(), bay.uuid, 0)
    worker = engine.a_worker(driver)
    worker.run(the(bay, "check").id)
    submit.update_bay(engine.context(), engine.look(bay), 2)
    assert engine.look(bay).status == "UPDATE_IN_PROGRESS"
    engine.run_all(worker)
    assert engine.look(bay).status == "UPDATE_COMPLETE"


# --- force -----------------------------------------------------------------------------------------------------------

LEFT = Leftover("compute", "server", "srv-1", "node-0")
AS_STORED = {"service": "compute", "kind": "server", "ident": "srv-1", "name": "node-0"}


@pytest.mark.parametrize(
    "answer",
    [
        Blocked("LEFTOVERS", Actor.OPERATOR, "a server is left", leftovers=(LEFT,)),
        Wait(5, trouble=DeleteFailed("it would not go", leftovers=(LEFT,))),
    ],
)
def test_a_forced_deletion_ends_and_lists_what_it_leaves(answer: Outcome) -> None:
    driver = ScriptedDriver(Done(Facts(stack_id="s")), answer)
    bay = settled(driver)
    submit.delete_bay(engine.context(), bay, force=True)
    engine.run_all(engine.a_worker(driver))
    deletion = the(bay, "delete")
    assert deletion.state == State.DONE
    assert deletion.leftovers == [AS_STORED]
    with pytest.raises(BayNotFound):
        engine.look(bay)


def test_without_force_what_is_left_keeps_the_deletion_going() -> None:
    blocked = Blocked("LEFTOVERS", Actor.OPERATOR, "a server is left", leftovers=(LEFT,))
    driver = ScriptedDriver(Done(), blocked, blocked)
    bay = settled(driver)
    submit.delete_bay(engine.context(), bay)
    worker = engine.a_worker(driver)
    worker.run(the(bay, "delete").id)
    assert the(bay, "delete").state == State.BLOCKED
    assert the(bay, "delete").leftovers == [AS_STORED]
    assert engine.look(bay).status == "DELETE_IN_PROGRESS"
    engine.run_all(worker)
    assert the(bay, "delete").state == State.DONE


def test_force_may_be_added_to_a_deletion_that_is_under_way() -> None:
    blocked = Blocked("LEFTOVERS", Actor.OPERATOR, "a server is left", leftovers=(LEFT,))
    driver = ScriptedDriver(Done(), *[blocked] * 5)
    bay = settled(driver)
    first = submit.delete_bay(engine.context(), bay)
    engine.a_worker(driver).run(the(bay, "delete").id)
    assert submit.delete_bay(engine.context(), bay, force=True) == first
    engine.run_all(engine.a_worker(driver))
    assert the(bay, "delete").state == State.DONE
    assert the(bay, "delete").leftovers == [AS_STORED]


def test_force_waits_for_a_silent_cloud_until_its_own_deadline_and_names_the_stack() -> None:
    driver = ScriptedDriver(Done(Facts(stack_id="s1")), *[CloudUnavailable("away")] * 9)
    bay = settled(driver)
    submit.delete_bay(engine.context(), bay, force=True)
    worker = engine.a_worker(driver)
    worker.run(the(bay, "delete").id)
    assert the(bay, "delete").state == State.RUNNING
    engine.make_due(deadline=clock.now(-1))
    worker.run(the(bay, "delete").id)
    assert the(bay, "delete").state == State.DONE
    assert [left["ident"] for left in the(bay, "delete").leftovers or []] == ["s1"]


def test_force_needs_no_driver() -> None:
    bay = settled(ScriptedDriver(Done(Facts(stack_id="s1"))))
    submit.delete_bay(engine.context(), bay, force=True)
    engine.run_all(engine.a_worker())  # one that knows no driver
    assert the(bay, "delete").state == State.DONE
    assert [left["ident"] for left in the(bay, "delete").leftovers or []] == ["s1"]


# --- faults ----------------------------------------------------------------------------------------------------------


def test_faults_are_kept_with_the_operation_and_shown_by_the_bay_until_all_is_well() -> None:
    fault = Fault("workers / 0 / server", "OS::Nova::Server", "No valid host", "req-1")
    failed = Failed("NO_CAPACITY", Actor.OPERATOR, "no place", faults=(fault,))
    driver = ScriptedDriver(Done(), failed, Done())
    bay = settled(driver)
    change(bay, 2)
    engine.run_all(engine.a_worker(driver))
    assert [one["text"] for one in engine.look(bay).faults or []] == ["No valid host"]
    assert the(bay, "update").faults == engine.look(bay).faults
    with session.writer(service_context()) as db:
        db.execute(session.changing(Bay).values(status="UPDATE_COMPLETE"))
    change(bay, 3)
    engine.run_all(engine.a_worker(driver))
    assert engine.look(bay).faults is None
    assert engine.operations_of(bay)[1].faults is not None


# --- a process that was held up --------------------------------------------------------------------------------------


def test_a_step_that_outlived_its_lease_stops_before_it_asks_the_cloud(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def held_up(work: Work) -> Outcome:
        raise LeaseLost

    driver = ScriptedDriver(held_up, Done())
    bay = engine.a_bay(driver)
    (operation,) = engine.operations_of(bay)
    assert engine.a_worker(driver).run(operation.id) is None
    assert engine.events_of(bay) == ["ACCEPTED"]
    engine.make_due(lease_until=None)
    engine.a_worker(driver).run(operation.id)
    assert engine.look(bay).status == "CREATE_COMPLETE"


def test_who_was_held_up_beyond_the_bays_deletion_clears_up_behind_itself() -> None:
    began, go_on = threading.Event(), threading.Event()

    def slow(work: Work) -> Outcome:
        began.set()
        assert go_on.wait(30)
        return Wait(5, facts=Facts(stack_id="made-too-late"))

    driver = ScriptedDriver(slow)
    bay = engine.a_bay(driver)
    (operation,) = engine.operations_of(bay)
    sleeper = threading.Thread(target=engine.a_worker(driver).run, args=(operation.id,))
    sleeper.start()
    assert began.wait(30)
    engine.make_due(lease_until=None)
    submit.delete_bay(engine.context(), bay)
    other = ScriptedDriver()
    engine.run_all(engine.a_worker(other))
    assert [work.verb for work in other.asked] == [Verb.DELETE]
    go_on.set()
    sleeper.join(30)
    assert [work.verb for work in driver.asked] == [Verb.CREATE, Verb.DELETE]


def test_a_lease_that_was_lost_is_not_renewed() -> None:
    kept: list[Lease] = []

    def look_around(work: Work) -> Outcome:
        with session.writer(service_context()) as db:
            db.execute(session.changing(Operation).values(owner="somebody else"))
        (held,) = worker._held.values()
        kept.append(held.lease)
        before = held.lease._end
        worker.renew()
        assert held.lease._end == before
        with session.writer(service_context()) as db:
            db.execute(session.changing(Operation).values(owner=worker.owner))
        worker.renew()
        assert held.lease._end > before
        return Done()

    driver = ScriptedDriver(look_around)
    bay = engine.a_bay(driver)
    worker = engine.a_worker(driver)
    engine.run_all(worker)
    assert kept and engine.look(bay).status == "CREATE_COMPLETE"


def test_a_deletion_knows_for_how_long_a_lost_request_may_still_take_effect() -> None:
    driver = ScriptedDriver(CloudUnavailable("no answer"), Done())
    bay = engine.a_bay(driver)
    worker = engine.a_worker(driver)
    worker.run(the(bay, "create").id)
    submit.delete_bay(engine.context(), bay)
    worker.run(the(bay, "delete").id)
    assert 50 < driver.asked[-1].unsettled <= 60


def test_the_deletion_of_a_bay_with_which_nobody_began_has_nothing_to_wait_for() -> None:
    driver = ScriptedDriver()
    bay = engine.a_bay(driver)
    submit.delete_bay(engine.context(), bay)
    engine.run_all(engine.a_worker(driver))
    assert driver.asked[-1].unsettled == 0.0


# --- verbs that change no specification ------------------------------------------------------------------------------


class Rebuilding(ScriptedDriver):
    """A driver with one more verb."""

    bay_rebuild = ScriptedDriver._answer


def rebuild(bay: Bay, **parameters: Any) -> str:
    return submit.act(engine.context(), bay, Verb.REBUILD, parameters)


def test_a_verb_waits_its_turn_with_its_parameters() -> None:
    driver = Rebuilding()
    bay = engine.a_bay(driver)
    rebuild(bay, nodes=["a"])
    assert engine.look(bay).status == "CREATE_IN_PROGRESS"
    engine.run_all(engine.a_worker(driver))
    assert engine.look(bay).status == "UPDATE_COMPLETE"
    assert [(work.verb, dict(work.parameters)) for work in driver.asked] == [
        (Verb.CREATE, {}),
        (Verb.REBUILD, {"nodes": ["a"]}),
    ]


def test_the_same_verb_twice_is_one_operation_until_it_has_begun() -> None:
    driver = Rebuilding(Done(), Wait(1000))
    bay = settled(driver)
    first = rebuild(bay)
    assert rebuild(bay) == first
    assert rebuild(bay, nodes=["a"]) != first
    generation = engine.look(bay).generation
    engine.a_worker(driver).run(engine.operations_of(bay)[1].id)
    assert rebuild(bay, nodes=["a"]) == engine.operations_of(bay)[2].uuid
    assert engine.look(bay).generation == generation
    assert len(engine.operations_of(bay)) == 3


def test_a_verb_is_refused_where_it_makes_no_sense_and_the_reason_names_what_is_in_the_way() -> (
    None
):
    driver = Rebuilding(Failed("BUILD_FAILED", Actor.USER, "no"))
    bay = engine.a_bay(driver)
    engine.run_all(engine.a_worker(driver))
    with pytest.raises(errors.WrongStatus, match="CREATE_FAILED"):
        rebuild(bay)
    uuid = submit.delete_bay(engine.context(), bay)
    with pytest.raises(submit.InTheWay, match=uuid):
        rebuild(bay)


def test_a_check_that_somebody_asks_for_shows_nowhere_but_in_its_operation() -> None:
    driver = Observed(Done(), Done())
    bay = settled(driver)
    uuid = submit.act(engine.context(), bay, Verb.CHECK, {})
    assert submit.act(engine.context(), bay, Verb.CHECK, {}) == uuid
    assert shows(bay) == ("CREATE_COMPLETE", 1, 1)
    engine.run_all(engine.a_worker(driver))
    assert (the(bay, "check").uuid, the(bay, "check").state) == (uuid, State.DONE)
    assert shows(bay) == ("CREATE_COMPLETE", 1, 1)
    change(bay, 2)
    with pytest.raises(submit.InTheWay, match="update"):
        submit.act(engine.context(), bay, Verb.CHECK, {})


def test_what_is_done_is_counted_as_done() -> None:
    driver = Rebuilding(Done(), Wait(5, progress=Progress("rebuilding", 1, 3)), Done())
    bay = settled(driver)
    rebuild(bay)
    engine.run_all(engine.a_worker(driver))
    assert (the(bay, "rebuild").done, the(bay, "rebuild").total) == (3, 3)
