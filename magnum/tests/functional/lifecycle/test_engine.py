"""The lifecycle on every database: acceptance, claims, fences, queues, deadlines, and what dying processes leave."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from magnum.common import errors
from magnum.common.context import service_context
from magnum.conf import CONF
from magnum.db import bays, clock, operations, projects, session
from magnum.db.bays import BayNotFound
from magnum.db.models import Operation, Project, Quota, State
from magnum.drivers.contract import (
    Actor,
    Blocked,
    BuildError,
    CloudUnavailable,
    Done,
    Facts,
    Failed,
    GroupFacts,
    Outcome,
    Wait,
    Work,
)
from magnum.lifecycle.submit import DEFAULT_WORKER, NewBay, create_bay, delete_bay, update_bay
from magnum.tests import engine
from magnum.tests.engine import ScriptedDriver

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def database(database_url: str) -> None:
    engine.use_database(database_url)


def bays_held(project: str) -> int:
    with session.reader(service_context()) as db:
        found = db.get(Project, project)
        return found.bays if found else 0


def test_an_accepted_bay_is_there_at_once_with_its_groups() -> None:
    bay = engine.a_bay(ScriptedDriver(), node_count=3, master_count=1)
    seen = bays.get(engine.context(), bay.uuid)
    assert seen.status == "CREATE_IN_PROGRESS"
    assert [(group.role, group.node_count) for group in seen.node_groups] == [
        ("master", 1),
        ("worker", 3),
    ]
    (operation,) = engine.operations_of(bay)
    assert operation.state == State.PENDING
    assert engine.events_of(bay) == ["ACCEPTED"]


def test_a_life_from_creation_to_deletion() -> None:
    seen = Facts(stack_id="s1", node_groups={DEFAULT_WORKER: GroupFacts(addresses=("10.0.0.7",))})
    driver = ScriptedDriver(Wait(5, {"asked": True}, facts=Facts(stack_id="s1")), Done(seen))
    bay = engine.a_bay(driver)
    worker = engine.a_worker(driver)
    engine.run_all(worker)
    created = engine.look(bay)
    assert created.status == "CREATE_COMPLETE"
    assert created.stack_id == "s1"
    assert created.observed_generation == 1
    assert created.observed_at is not None
    assert created.node_groups[1].node_addresses == ["10.0.0.7"]
    assert [dict(work.cursor) for work in driver.asked] == [{}, {"asked": True}]

    update_bay(engine.context(), created, 4)
    assert engine.look(bay).status == "UPDATE_IN_PROGRESS"
    engine.run_all(worker)
    assert engine.look(bay).status == "UPDATE_COMPLETE"
    assert [group.node_count for group in driver.asked[-1].node_groups] == [1, 4]

    delete_bay(engine.context(), engine.look(bay))
    assert engine.look(bay).status == "DELETE_IN_PROGRESS"
    engine.run_all(worker)
    with pytest.raises(BayNotFound):
        engine.look(bay)
    assert bays_held("p1") == 0
    assert engine.events_of(bay) == ["ACCEPTED", "DONE"] * 3


def test_the_same_number_of_nodes_makes_no_operation() -> None:
    driver = ScriptedDriver()
    bay = engine.a_bay(driver, node_count=2)
    engine.run_all(engine.a_worker(driver))
    update_bay(engine.context(), engine.look(bay), 2)
    assert len(engine.operations_of(bay)) == 1
    assert engine.look(bay).status == "CREATE_COMPLETE"


def test_a_bay_in_progress_cannot_be_changed() -> None:
    bay = engine.a_bay(ScriptedDriver())
    with pytest.raises(errors.WrongStatus):
        update_bay(engine.context(), engine.look(bay), 5)
    assert len(engine.operations_of(bay)) == 1
    assert engine.look(bay).node_groups[1].node_count == 1


def test_an_operation_is_claimed_once() -> None:
    bay = engine.a_bay(ScriptedDriver())
    (operation,) = engine.operations_of(bay)
    workers = 8
    barrier = threading.Barrier(workers)

    def claim(number: int) -> bool:
        barrier.wait()
        return operations.claim(service_context(), operation.id, f"w{number}", 30) is not None

    with ThreadPoolExecutor(workers) as pool:
        assert sum(pool.map(claim, range(workers))) == 1


def test_a_process_that_lost_its_fence_writes_nothing() -> None:
    driver = ScriptedDriver()
    bay = engine.a_bay(driver)

    def taken_over(work: Work) -> Outcome:
        engine.make_due(lease_until=clock.now(-1))  # as if this process had been paused for long
        other = ScriptedDriver(Done(Facts(stack_id="theirs")))
        engine.run_all(engine.a_worker(other, owner="other"))
        return Failed("LATE", Actor.NOBODY, "too late", facts=Facts(stack_id="mine"))

    driver.answers = [taken_over]
    (operation,) = engine.operations_of(bay)
    assert engine.a_worker(driver, owner="paused").run(operation.id) is None
    seen = engine.look(bay)
    assert (seen.status, seen.stack_id) == ("CREATE_COMPLETE", "theirs")
    assert "FAILED" not in engine.events_of(bay)


def test_a_process_that_dies_is_replaced_when_its_lease_has_run_out() -> None:
    driver = ScriptedDriver(Wait(0, {"stack_id": "s"}))
    bay = engine.a_bay(driver)
    (operation,) = engine.operations_of(bay)
    engine.a_worker(driver).run(operation.id)
    engine.make_due()
    assert operations.claim(service_context(), operation.id, "dead", 30) is not None
    assert operations.due(service_context(), 10) == []
    engine.make_due(lease_until=clock.now(-1))
    engine.run_all(engine.a_worker(driver))
    assert engine.look(bay).status == "CREATE_COMPLETE"
    assert dict(driver.asked[-1].cursor) == {"stack_id": "s"}


def test_a_renewed_lease_is_not_taken() -> None:
    bay = engine.a_bay(ScriptedDriver())
    (operation,) = engine.operations_of(bay)
    assert operations.claim(service_context(), operation.id, "me", 30) is not None
    engine.make_due(lease_until=clock.now(-1))
    operations.renew(service_context(), "me", [operation.id], 30)
    assert operations.due(service_context(), 10) == []
    operations.renew(service_context(), "somebody else", [operation.id], -10)
    assert operations.due(service_context(), 10) == []


def test_deletion_overtakes_what_has_not_begun() -> None:
    driver = ScriptedDriver()
    bay = engine.a_bay(driver)
    delete_bay(engine.context(), bay)
    engine.run_all(engine.a_worker(driver))
    assert [operation.state for operation in engine.operations_of(bay)] == ["CANCELLED", "DONE"]
    assert [work.verb for work in driver.asked] == ["delete"]


def test_deletion_waits_for_the_step_that_runs_and_keeps_its_status() -> None:
    driver = ScriptedDriver()
    bay = engine.a_bay(driver)

    def deleted_meanwhile(work: Work) -> Outcome:
        delete_bay(engine.context(), bay)
        assert len(operations.due(service_context(), 10)) == 0, (
            "the deletion must not begin beside us"
        )
        return Done(Facts(stack_id="s"))

    driver.answers = [deleted_meanwhile]
    worker = engine.a_worker(driver)
    worker.run(engine.operations_of(bay)[0].id)
    seen = engine.look(bay)
    assert (seen.status, seen.stack_id) == ("DELETE_IN_PROGRESS", "s")
    engine.run_all(worker)
    assert [operation.state for operation in engine.operations_of(bay)] == ["DONE", "DONE"]


def test_deletion_overtakes_an_operation_between_two_passes() -> None:
    driver = ScriptedDriver(Wait(1000))
    bay = engine.a_bay(driver)
    worker = engine.a_worker(driver)
    worker.run(engine.operations_of(bay)[0].id)
    delete_bay(engine.context(), bay)
    engine.run_all(worker)
    assert [operation.state for operation in engine.operations_of(bay)] == ["CANCELLED", "DONE"]


def test_a_dead_process_does_not_hold_a_deletion_up() -> None:
    bay = engine.a_bay(ScriptedDriver())
    (operation,) = engine.operations_of(bay)
    assert operations.claim(service_context(), operation.id, "dead", 30) is not None
    delete_bay(engine.context(), bay)
    driver = ScriptedDriver()
    worker = engine.a_worker(driver)
    engine.make_due(lease_until=clock.now(-1))
    engine.run_all(worker)
    assert [work.verb for work in driver.asked] == ["delete"]
    with pytest.raises(BayNotFound):
        engine.look(bay)


def test_deleting_twice_is_one_operation() -> None:
    driver = ScriptedDriver()
    bay = engine.a_bay(driver)
    delete_bay(engine.context(), bay)
    delete_bay(engine.context(), bay)
    assert [operation.verb for operation in engine.operations_of(bay)] == ["create", "delete"]
    engine.run_all(engine.a_worker(driver))
    with pytest.raises(BayNotFound):
        delete_bay(engine.context(), bay)


def test_a_failed_deletion_can_be_asked_for_again() -> None:
    driver = ScriptedDriver(Failed("STUCK", Actor.OPERATOR, "a port is in use"))
    bay = engine.a_bay(driver)
    delete_bay(engine.context(), bay)
    worker = engine.a_worker(driver)
    engine.run_all(worker)
    seen = engine.look(bay)
    assert (seen.status, seen.status_reason) == ("DELETE_FAILED", "STUCK: a port is in use")
    delete_bay(engine.context(), seen)
    engine.run_all(worker)
    assert bays_held("p1") == 0


def test_trouble_is_shown_and_goes_away_by_itself() -> None:
    driver = ScriptedDriver(
        CloudUnavailable("Heat does not answer."),
        Blocked("QUOTA_EXCEEDED", Actor.USER, "No room."),
        Wait(1),
    )
    bay = engine.a_bay(driver)
    worker = engine.a_worker(driver)
    reasons = []
    for _ in range(3):
        engine.make_due()
        worker.run(engine.operations_of(bay)[0].id)
        reasons.append(engine.look(bay).status_reason)
        assert engine.look(bay).status == "CREATE_IN_PROGRESS"
    assert reasons == ["CLOUD_UNAVAILABLE: Heat does not answer.", "QUOTA_EXCEEDED: No room.", None]
    engine.run_all(worker)
    assert engine.look(bay).status == "CREATE_COMPLETE"
    assert engine.events_of(bay) == ["ACCEPTED", "RETRYING", "BLOCKED", "RESUMED", "DONE"]


def test_a_missing_driver_blocks_and_goes_on_when_it_is_back() -> None:
    driver = ScriptedDriver()
    bay = engine.a_bay(driver)
    engine.a_worker().run(engine.operations_of(bay)[0].id)
    seen = engine.look(bay)
    assert seen.status == "CREATE_IN_PROGRESS"
    assert seen.status_reason is not None and seen.status_reason.startswith("DRIVER_MISSING: ")
    assert engine.operations_of(bay)[0].error_actor == "operator"
    engine.run_all(engine.a_worker(driver))
    assert engine.look(bay).status == "CREATE_COMPLETE"


def test_a_failed_creation_says_why() -> None:
    driver = ScriptedDriver(
        BuildError("The server node-0 found no valid host.", "req-1: No valid host")
    )
    bay = engine.a_bay(driver)
    engine.run_all(engine.a_worker(driver))
    seen = engine.look(bay)
    assert seen.status == "CREATE_FAILED"
    assert seen.status_reason == "BUILD_FAILED: The server node-0 found no valid host."
    assert engine.operations_of(bay)[0].error_operator_text == "req-1: No valid host"


def test_at_the_deadline_an_operation_ends() -> None:
    driver = ScriptedDriver(Wait(1000), Wait(1000))
    bay = engine.a_bay(driver)
    worker = engine.a_worker(driver)
    worker.run(engine.operations_of(bay)[0].id)
    engine.make_due(deadline=clock.now(-1))
    worker.run(engine.operations_of(bay)[0].id)
    seen = engine.look(bay)
    assert seen.status == "CREATE_FAILED"
    assert seen.status_reason is not None and seen.status_reason.startswith("DEADLINE_EXCEEDED: ")
    assert len(driver.asked) == 2, "one last look is taken"


def test_a_driver_that_hangs_in_its_last_look_is_not_asked_again() -> None:
    driver = ScriptedDriver(Wait(1000))
    bay = engine.a_bay(driver)
    worker = engine.a_worker(driver)
    worker.run(engine.operations_of(bay)[0].id)
    engine.make_due(deadline=clock.now(-1))
    assert (
        operations.claim(service_context(), engine.operations_of(bay)[0].id, "hangs", 30)
        is not None
    )
    engine.make_due(lease_until=clock.now(-1))
    engine.run_all(worker)
    assert engine.look(bay).status == "CREATE_FAILED"
    assert len(driver.asked) == 1


def test_work_that_nobody_began_in_time_is_still_done() -> None:
    driver = ScriptedDriver()
    bay = engine.a_bay(driver)
    engine.make_due(deadline=clock.now(-86400))
    engine.run_all(engine.a_worker(driver))
    assert engine.look(bay).status == "CREATE_COMPLETE"


def test_parallel_creations_never_exceed_the_quota() -> None:
    CONF.set_override("max_clusters_per_project", 5, "quotas")
    driver, asker = ScriptedDriver(), engine.context("crowded")
    baymodel = engine.a_baymodel(asker)

    def create(number: int) -> bool:
        try:
            create_bay(
                engine.context("crowded"),
                NewBay(name=f"b{number}", baymodel=baymodel, driver=driver),
            )
        except errors.QuotaExceeded:
            return False
        return True

    try:
        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(create, range(20))) == 5
    finally:
        CONF.clear_override("max_clusters_per_project", "quotas")
    assert bays_held("crowded") == 5


def test_a_project_may_have_a_quota_of_its_own() -> None:
    with session.writer(service_context()) as db:
        db.add(Quota(project_id="p1", resource=projects.CLUSTER, hard_limit=1))
    engine.a_bay(ScriptedDriver())
    with pytest.raises(errors.QuotaExceeded):
        engine.a_bay(ScriptedDriver())


def test_what_has_ended_long_ago_is_purged() -> None:
    driver = ScriptedDriver()
    gone, kept = engine.a_bay(driver), engine.a_bay(driver)
    delete_bay(engine.context(), gone)
    engine.run_all(engine.a_worker(driver))
    with session.writer(service_context()) as db:
        db.execute(session.changing(Operation).values(finished_at=clock.now(-86400 * 40)))
    assert operations.purge(service_context(), 30) == 3
    assert engine.operations_of(gone) == engine.operations_of(kept) == []
    assert engine.look(kept).status == "CREATE_COMPLETE"


def test_a_look_that_sees_nothing_new_writes_one_row() -> None:
    driver = ScriptedDriver(*[Wait(5, {"s": 1}, facts=Facts(stack_id="s")) for _ in range(2)])
    bay = engine.a_bay(driver)
    worker = engine.a_worker(driver)
    (operation,) = engine.operations_of(bay)
    worker.run(operation.id)
    engine.make_due()
    with engine.statements() as sent:
        worker.run(operation.id)
    writes = [statement.split()[1] for statement in sent if not statement.startswith("SELECT")]
    assert writes == ["operation", "operation"], "the claim and its end, nothing else"


def test_a_life_costs_few_statements() -> None:
    """The budget is 60 for creation, one look, and deletion; the API's own checks come on top of these."""
    driver = ScriptedDriver(Wait(1, facts=Facts(stack_id="s")), Done(), Wait(1), Done())
    engine.a_bay(driver)  # the project's row is there
    engine.run_all(engine.a_worker(driver))
    driver.answers = [Wait(1, facts=Facts(stack_id="s")), Done(), Wait(1), Done()]
    baymodel = engine.a_baymodel()
    worker = engine.a_worker(driver)

    def settle() -> None:
        for _ in range(2):
            with session.writer(service_context()) as db:
                db.execute(
                    session.changing(Operation)
                    .values(next_run_at=clock.now(-1))
                    .where(Operation.next_run_at.is_not(None))
                )
            for operation_id in operations.due(service_context(), 10):
                worker.run(operation_id)

    with engine.statements() as sent:
        bay = create_bay(engine.context(), NewBay(name="b", baymodel=baymodel, driver=driver)).bay
        settle()
        delete_bay(engine.context(), bays.get(engine.context(), bay.uuid))
        settle()
    of_the_test = 4  # letting time pass
    assert len(sent) - of_the_test <= 60
    with pytest.raises(BayNotFound):
        engine.look(bay)
