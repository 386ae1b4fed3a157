"""What a pass writes, for every kind of answer. No database: the decision is pure."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnum.db.models import UNFINISHED, State
from magnum.db.operations import Outcome as Writing
from magnum.drivers import contract
from magnum.drivers.contract import (
    Actor,
    Blocked,
    Done,
    Facts,
    Failed,
    GroupFacts,
    Progress,
    Verb,
    Wait,
)
from magnum.lifecycle import statuses
from magnum.lifecycle.decide import Pace, Standing, decide, news

PACE = Pace(blocked=30, retry=lambda attempts: 2.0**attempts)


def standing(**changes: Any) -> Standing:
    """An operation in the middle of its life."""
    fields: dict[str, Any] = {
        "verb": Verb.CREATE,
        "state": State.RUNNING,
        "generation": 1,
        "attempts": 0,
        "seconds_left": 1000.0,
    }
    return Standing(**{**fields, **changes})


def test_done_completes_and_records_what_was_seen() -> None:
    facts = Facts(
        stack_id="s",
        api_address="tcp://a",
        node_groups={"default-worker": GroupFacts(addresses=("10.0.0.1",))},
    )
    writing = decide(standing(generation=7), Done(facts), PACE)
    assert writing.operation["state"] is State.DONE
    assert writing.next_in is None
    assert writing.bay["status"] == "CREATE_COMPLETE"
    assert writing.bay["observed_generation"] == 7
    assert writing.bay["api_address"] == "tcp://a"
    assert writing.groups == {"default-worker": {"node_addresses": ["10.0.0.1"]}}
    assert not writing.bay_gone


def test_a_done_deletion_removes_the_bay() -> None:
    writing = decide(standing(verb=Verb.DELETE), Done(), PACE)
    assert writing.bay_gone
    assert not writing.bay


@pytest.mark.parametrize(
    "error",
    [
        contract.BuildError("no"),
        contract.InvalidOption("no"),
        contract.NotSupported("no"),
        contract.NotFound("no"),
    ],
)
def test_final_errors_fail_at_once(error: contract.DriverError) -> None:
    writing = decide(standing(), error, PACE)
    assert writing.operation["state"] is State.FAILED
    assert writing.operation["error_code"] == error.code
    assert writing.bay["status"] == "CREATE_FAILED"
    assert writing.bay["status_reason"] == f"{error.code}: no"


@pytest.mark.parametrize(
    "error",
    [contract.CloudUnavailable("away"), contract.DeleteFailed("stuck"), ValueError("a bug")],
)
def test_all_other_errors_are_tried_again(error: Exception) -> None:
    writing = decide(standing(attempts=3), error, PACE)
    assert writing.operation["state"] is State.RUNNING
    assert writing.operation["attempts"] == 4
    assert writing.bay["status"] == "CREATE_IN_PROGRESS"
    assert writing.event is not None and writing.event[0] == "RETRYING"


def test_the_words_of_an_unknown_error_are_for_the_operator_only() -> None:
    writing = decide(standing(), RuntimeError("password=hunter2"), PACE)
    assert "hunter2" not in str(writing.bay) + str(writing.event) + writing.operation["error_text"]
    assert "hunter2" in writing.operation["error_operator_text"]


def test_the_wait_after_errors_is_that_of_so_many_in_a_row() -> None:
    for before in range(5):
        writing = decide(standing(attempts=before), contract.CloudUnavailable("x"), PACE)
        assert writing.next_in == 2.0 ** (before + 1)


def test_no_room_in_the_quota_blocks_and_keeps_the_operation() -> None:
    writing = decide(standing(), contract.QuotaExceeded("no room for 3 servers"), PACE)
    assert writing.operation["state"] is State.BLOCKED
    assert writing.operation["error_actor"] == "user"
    assert writing.bay["status"] == "CREATE_IN_PROGRESS"
    assert writing.bay["status_reason"].startswith("QUOTA_EXCEEDED: ")
    assert writing.next_in is not None


def test_the_same_trouble_again_is_no_news() -> None:
    blocked = Blocked("QUOTA_EXCEEDED", Actor.USER, "no room")
    first = decide(standing(), blocked, PACE)
    again = decide(
        standing(state=State.BLOCKED, last_error="QUOTA_EXCEEDED: no room"), blocked, PACE
    )
    assert first.event is not None and first.bay
    assert again.event is None and not again.bay


def test_progress_after_trouble_says_that_it_is_over() -> None:
    writing = decide(standing(last_error="X: y"), Wait(5), PACE)
    assert writing.event == ("RESUMED", "What stood in the way is gone.")
    assert writing.operation["error_code"] is None
    assert writing.operation["attempts"] == 0


def test_a_wait_remembers_the_cursor_and_shows_progress() -> None:
    writing = decide(standing(), Wait(5, {"stack_id": "s"}, Progress("nodes", 1, 3)), PACE)
    assert writing.next_in == 5
    assert writing.operation["cursor"] == {"stack_id": "s"}
    assert writing.bay["status_reason"] == "nodes: 1 of 3"


def test_a_driver_that_waits_in_trouble_keeps_its_pace_and_cursor() -> None:
    trouble = contract.DeleteFailed("a port is in use")
    writing = decide(
        standing(verb=Verb.DELETE, attempts=9), Wait(7, {"asked": 2}, trouble=trouble), PACE
    )
    assert writing.next_in == 7
    assert writing.operation["cursor"] == {"asked": 2}
    assert writing.operation["error_code"] == "DELETE_FAILED"
    assert writing.bay["status_reason"] == "DELETE_FAILED: a port is in use"
    late = decide(standing(verb=Verb.DELETE, seconds_left=0), Wait(7, trouble=trouble), PACE)
    assert late.bay["status"] == "DELETE_FAILED"
    assert "a port is in use" in late.bay["status_reason"]


def test_somebody_looks_again_at_the_deadline() -> None:
    assert decide(standing(seconds_left=2), Wait(100), PACE).next_in == 2


ANSWERS: list[contract.Outcome | Exception] = [
    Done(),
    Wait(5),
    Wait(5, trouble=contract.DeleteFailed("t")),
    Blocked("C", Actor.OPERATOR, "t"),
    Failed("C", Actor.USER, "t"),
    contract.CloudUnavailable("t"),
    contract.QuotaExceeded("t"),
    contract.BuildError("t"),
    KeyError("t"),
]


@pytest.mark.parametrize(("verb", "answer"), list(itertools.product(Verb, ANSWERS)))
def test_after_the_deadline_every_operation_ends(
    verb: Verb, answer: contract.Outcome | Exception
) -> None:
    writing = decide(standing(verb=verb, seconds_left=-1), answer, PACE)
    assert writing.operation["state"] in (State.DONE, State.FAILED)
    assert writing.next_in is None
    if isinstance(answer, Wait):
        assert writing.operation["error_code"] == "DEADLINE_EXCEEDED"


def test_a_missed_deadline_names_the_last_trouble() -> None:
    writing = decide(
        standing(seconds_left=0), contract.CloudUnavailable("Heat does not answer"), PACE
    )
    assert "CLOUD_UNAVAILABLE: Heat does not answer" in writing.bay["status_reason"]


@given(
    verb=st.sampled_from(Verb),
    state=st.sampled_from(UNFINISHED),
    attempts=st.integers(0, 10_000),
    left=st.floats(-1e6, 1e6),
    answer=st.sampled_from(ANSWERS),
    wait=st.floats(0, 60),
)
def test_every_decision_is_sound(
    verb: Verb,
    state: State,
    attempts: int,
    left: float,
    answer: contract.Outcome | Exception,
    wait: float,
) -> None:
    writing = decide(
        standing(verb=verb, state=state, attempts=attempts, seconds_left=left),
        answer,
        Pace(blocked=30, retry=lambda attempts: wait),
    )
    ended = writing.operation["state"] not in UNFINISHED
    assert ended == (writing.next_in is None)
    if writing.next_in is not None:
        assert 0 <= writing.next_in <= max(left, 0)
    if "status" in writing.bay:
        assert writing.bay["status"].endswith("_IN_PROGRESS") != ended
    assert writing.bay_gone == (verb is Verb.DELETE and isinstance(answer, Done))


def test_what_the_bay_shows_already_is_not_written() -> None:
    writing = Writing(
        {}, 5, {"stack_id": "s", "observed_at": object()}, {"w": {"node_addresses": ["a"]}}
    )
    shown = {"stack_id": "s"}
    assert news(writing, shown, {"w": {"node_addresses": ["a"]}}).bay == {}
    assert news(writing, shown, {"w": {"node_addresses": ["a"]}}).groups == {}
    assert set(news(writing, {"stack_id": None}, {}).bay) == {"stack_id", "observed_at"}


@pytest.mark.parametrize(
    ("verb", "state"), list(itertools.product(Verb, sorted(set(State) - {State.CANCELLED})))
)
def test_every_verb_and_state_has_a_word_of_the_wire(verb: Verb, state: State) -> None:
    known = {
        f"{a}_{b}"
        for a in ("CREATE", "UPDATE", "DELETE", "CHECK")
        for b in ("IN_PROGRESS", "COMPLETE", "FAILED")
    }
    word = statuses.status(verb, state)
    assert word in known
    assert word.endswith("IN_PROGRESS") == (state in UNFINISHED)


def test_a_cancelled_operation_has_no_word() -> None:
    with pytest.raises(KeyError):
        statuses.status(Verb.UPDATE, State.CANCELLED)


@pytest.mark.parametrize(
    ("shown", "written"),
    [
        ("CREATE_COMPLETE", {"status_reason": None}),
        ("UPDATE_FAILED", {}),
        ("CHECK_FAILED", {"status": "CHECK_COMPLETE", "status_reason": None, "faults": None}),
    ],
)
def test_a_check_that_finds_all_well_leaves_the_reason_of_an_earlier_failure(
    shown: str, written: dict[str, Any]
) -> None:
    writing = decide(standing(verb=Verb.CHECK, shown=shown), Done(), PACE)
    told = {name: writing.bay[name] for name in written.keys() | set(writing.bay) & {"status"}}
    assert told == written
    assert ("status_reason" in writing.bay) == ("status_reason" in written)
