"""From Heat's status to where a verb stands: every pair of action and status, for every verb."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnum.drivers.heat.decisions import (
    ACTIONS,
    STATUSES,
    Move,
    Observed,
    Standing,
    after_failure,
    differences,
    is_applied,
    is_going,
    of_create,
    of_delete,
    of_look,
    of_update,
)
from magnum.drivers.heat.stack import StackView

PAIRS = list(itertools.product(ACTIONS, STATUSES))


def view(action: str, status: str) -> StackView:
    return StackView("s1", "bay-1", action, status, "", {})


@pytest.mark.parametrize(("action", "status"), PAIRS)
def test_create(action: str, status: str) -> None:
    if action == "DELETE":
        expected = Standing.GONE
    elif action == "INIT" or status == "IN_PROGRESS":
        expected = Standing.UNDER_WAY
    elif status == "FAILED" or action == "ROLLBACK":
        expected = Standing.FAILED
    else:
        expected = Standing.COMPLETE
    assert of_create(action, status) is expected


# What an update finds when it has been asked for; first where the stack shows what was asked.
UPDATE = {
    ("CREATE", "FAILED"): (Standing.NOT_BEGUN, Standing.NOT_BEGUN),
    ("CREATE", "COMPLETE"): (Standing.NOT_BEGUN, Standing.NOT_BEGUN),
    ("UPDATE", "FAILED"): (Standing.FAILED, Standing.NOT_BEGUN),
    ("UPDATE", "COMPLETE"): (Standing.COMPLETE, Standing.NOT_BEGUN),
    ("ROLLBACK", "FAILED"): (Standing.FAILED, Standing.FAILED),
    ("ROLLBACK", "COMPLETE"): (Standing.FAILED, Standing.FAILED),
} | {
    (action, status): (
        Standing.COMPLETE if status == "COMPLETE" else Standing.NOT_BEGUN,
        Standing.NOT_BEGUN,
    )
    for action in ("SUSPEND", "RESUME", "ADOPT", "SNAPSHOT", "CHECK", "RESTORE")
    for status in ("FAILED", "COMPLETE")
}


@pytest.mark.parametrize(("action", "status"), PAIRS)
def test_update(action: str, status: str) -> None:
    found = tuple(of_update(action, status, applied=applied) for applied in (True, False))
    if action == "DELETE":
        assert found == (Standing.GONE, Standing.GONE)
    elif action == "INIT" or status == "IN_PROGRESS":
        assert found == (Standing.UNDER_WAY, Standing.UNDER_WAY)
    else:
        assert found == UPDATE[action, status]


@pytest.mark.parametrize(("action", "status"), PAIRS)
def test_delete_of_one_stack(action: str, status: str) -> None:
    expected = Standing.NOT_BEGUN
    if action == "DELETE":
        expected = Standing.FAILED if status == "FAILED" else Standing.UNDER_WAY
    assert of_delete([view(action, status)]) is expected


@pytest.mark.parametrize(("action", "status"), PAIRS)
def test_a_stack_that_is_going(action: str, status: str) -> None:
    assert is_going(action, status) == (action == "DELETE" and status == "IN_PROGRESS")


def test_a_deletion_is_complete_only_when_nothing_is_left() -> None:
    assert of_delete([]) is Standing.COMPLETE


@given(st.lists(st.sampled_from(PAIRS), min_size=1, max_size=4))
def test_a_deletion_of_several_stacks_stands_as_the_worst_of_them(
    pairs: list[tuple[str, str]],
) -> None:
    each = {of_delete([view(*pair)]) for pair in pairs}
    worst = next(
        standing
        for standing in (Standing.FAILED, Standing.NOT_BEGUN, Standing.UNDER_WAY)
        if standing in each
    )
    assert of_delete([view(*pair) for pair in pairs]) is worst


@given(st.text(max_size=8), st.text(max_size=8))
def test_words_that_heat_does_not_have_mean_that_it_goes_on(action: str, status: str) -> None:
    if status in STATUSES or action in ACTIONS:
        return
    assert of_create(action, status) is Standing.UNDER_WAY
    assert of_update(action, status, applied=True) is Standing.UNDER_WAY


@pytest.mark.parametrize(
    ("value", "text", "same"),
    [
        (3, "3", True),
        (3, "2", False),
        (3, None, False),
        ("a b", "a b", True),
        (True, "True", True),
        (True, "true", True),
        (False, "True", False),
        ([], "[]", True),
        (["a"], '["a"]', True),
        (["a"], '["b"]', False),
        (["a"], "not json", False),
        ({"k": 1}, '{"k": 1}', True),
    ],
)
def test_a_parameter_is_compared_as_heat_shows_it(
    value: object, text: str | None, same: bool
) -> None:
    shown = {} if text is None else {"p": text, "q": "other"}
    assert is_applied({"p": value}, shown) is same


@pytest.mark.parametrize(("action", "status"), PAIRS)
def test_a_look_at_a_stack_at_which_nobody_of_ours_is(action: str, status: str) -> None:
    if action == "DELETE":
        expected = Observed.GONE
    elif action == "INIT" or status == "IN_PROGRESS":
        expected = Observed.BUSY
    elif status == "FAILED" or action in ("SUSPEND", "ROLLBACK"):
        expected = Observed.CHANGED
    else:
        expected = Observed.AS_MADE
    assert of_look(action, status) is expected


@pytest.mark.parametrize(
    ("code", "move"),
    [
        ("QUOTA_EXCEEDED", Move.ASK_LATER),
        ("NO_CAPACITY", Move.ASK_LATER),
        ("FLOATING_IPS_EXHAUSTED", Move.ASK_LATER),
        ("CLOUD_RESTARTED", Move.ASK_NOW),
        *(
            (code, Move.GIVE_UP)
            for code in (
                *("IMAGE_GONE", "FLAVOR_GONE", "NETWORK_GONE", "NODE_NOT_REPORTED", "NODE_FAILED"),
                *("TIMED_OUT", "BUILD_FAILED", "INVALID_OPTION", "A_NEW_ONE"),
            )
        ),
    ],
)
def test_what_follows_from_a_failure(code: str, move: Move) -> None:
    assert after_failure(code) is move


def test_what_a_stack_shows_otherwise_is_named() -> None:
    wanted = {"node_count": 3, "master_count": 1, "extra": "x"}
    shown = {"node_count": "2", "master_count": "1", "other": "y"}
    assert differences(wanted, shown) == (
        "extra is not known, and not x",
        "node_count is 2, and not 3",
    )
    assert differences({"node_count": 2}, shown) == ()
