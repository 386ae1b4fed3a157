"""The engine under everything at once: requests, faults, crashes, clocks, messages in any order Hypothesis can find.

One process, SQLite, the real submissions, claims, passes and Heat driver, several conductors, and a fake Heat. After
every step the promises of :mod:`judge` hold; at the end everything is run out in a cloud that is well again.
``MAGNUM_LONG=1`` makes it look for much longer, and elsewhere each time. Below the machine stand the smallest cases of
mistakes that it has found.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from magnum.tests.functional.lifecycle.lives import Lives

LONG = os.environ.get("MAGNUM_LONG") == "1"
EXAMPLES = int(os.environ.get("MAGNUM_EXAMPLES", "5000" if LONG else "60"))

pytestmark = pytest.mark.sqlite


@pytest.mark.slow
@pytest.mark.timeout(7200 if LONG else 900)
def test_any_order_of_anything(lives: type[Lives]) -> None:
    run_state_machine_as_test(
        lives,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=60 if LONG else 30,
            derandomize=not LONG,
            print_blob=True,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_change_that_is_taken_back_between_two_operations_leaves_no_status_behind(
    lives: type[Lives],
) -> None:
    one = lives()
    one.begin(convergence=True, nodes=1)
    one.sweep_later(worker=0, heat_works=False)
    one.update(which=0, nodes=3, queue=True)
    one.sweep_later(worker=0, heat_works=True)  # the creation ends, the change has not begun
    one.cancel(which=0, pending=True)
    assert [bay.status for bay in one.world.bays()] == ["CREATE_COMPLETE"]
    one.promises_hold()
    one.teardown()


def test_a_change_that_is_taken_back_during_a_check_leaves_no_status_behind(
    lives: type[Lives],
) -> None:
    one = lives()
    one.begin(convergence=True, nodes=1)
    one.world.settle()
    one.touched(which=0)
    one.update(which=0, nodes=3, queue=True)
    one.cancel(which=1, pending=True)
    assert [bay.status for bay in one.world.bays()] == ["CREATE_COMPLETE"]
    one.teardown()


def test_an_operation_does_not_do_what_waits_behind_it(lives: type[Lives]) -> None:
    one = lives()
    one.begin(convergence=True, nodes=1)
    one.update(which=0, nodes=3, queue=True)
    one.sweep_later(worker=0, heat_works=False)
    one.sweep_later(worker=0, heat_works=True)
    one.cancel(which=0, pending=True)
    (stack,) = one.world.heat.live.values()
    assert (stack.status, stack.parameters["node_count"]) == ("CREATE_COMPLETE", 1)
    one.promises_hold()
    one.teardown()


def test_a_conflict_at_a_creation_that_is_about_no_stack_is_tried_again(
    lives: type[Lives],
) -> None:
    one = lives()
    one.begin(convergence=True, nodes=1)
    one.heat_stumbles(method="create", fault="409", times=1)
    one.sweep_later(worker=0, heat_works=False)
    assert [bay.status for bay in one.world.bays()] == ["CREATE_IN_PROGRESS"]
    one.promises_hold()
    one.teardown()


def test_a_change_that_stumbles_at_its_beginning_shows_that_it_has_begun(
    lives: type[Lives],
) -> None:
    one = lives()
    one.begin(convergence=True, nodes=1)
    one.sweep_later(worker=0, heat_works=False)
    one.update(which=0, nodes=3, queue=True)
    one.sweep_later(worker=0, heat_works=True)
    one.world.heat.behaviour.always = "500"
    one.sweep_later(worker=0, heat_works=True)
    assert [bay.status for bay in one.world.bays()] == ["UPDATE_IN_PROGRESS"]
    one.promises_hold()
    one.teardown()
