"""The judging of the database's record: what is in order passes, what is not is named."""

import dataclasses
from typing import Any

import pytest

from tools.chaos_run import audit
from tools.chaos_run.audit import Row


def row(number: int, who: str, place: str = "operation", **values: Any) -> Row:
    base: dict[str, Any] = {"change_": "U", "bay_uuid": "b", "connection": 1}
    if place == "operation":
        base |= {"operation_id": 7, "old_fence": 1, "new_fence": 1}
        base |= {"old_state": "RUNNING", "new_state": "RUNNING"}
    return Row(id=number, at=float(number), who=who, place=place, **{**base, **values})


def claim(number: int, who: str, fence: int = 1, **values: Any) -> Row:
    known: dict[str, Any] = {"old_fence": fence - 1, "new_fence": fence, "new_owner": who}
    return row(number, who, **{**known, **values})


def write(number: int, who: str, fence: int = 1, **values: Any) -> Row:
    known: dict[str, Any] = {"old_fence": fence, "new_fence": fence, "old_owner": who}
    return row(number, who, **{**known, **values})


C1, C2 = "conductor_0_1", "conductor_1_1"


def test_a_life_in_order_is_in_order() -> None:
    renewed: dict[str, Any] = {"old_lease": 4.0, "new_lease": 6.0, "old_owner": C1, "new_owner": C1}
    rows = [
        row(1, "api", change_="I", old_fence=None),
        claim(2, C1),
        row(3, C1, **renewed),
        row(4, C1, "bay"),
        write(5, C1, new_state="DONE"),
    ]
    assert audit.broken_fences(rows) == []
    (hold,) = audit.holds(rows)
    assert (hold.who, hold.since, hold.until, hold.taken_over_after) == (C1, 2.0, 5.0, None)


def test_a_takeover_is_in_order_and_measured() -> None:
    rows = [
        claim(2, C1),
        claim(9, C2, 2, old_owner=C1, old_lease=5.0),
        write(10, C2, 2),
    ]
    assert audit.broken_fences(rows) == []
    assert [hold.taken_over_after for hold in audit.holds(rows)] == [None, 4.0]


def test_a_submission_that_cancels_what_is_free_is_in_order() -> None:
    assert audit.broken_fences([row(1, "api", new_fence=2, new_state="CANCELLED")]) == []


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (write(10, C1, 2, old_owner=C2), "written by one who had lost it"),
        (write(10, C1, 2, old_owner=C2, new_owner=C2, new_lease=13.0), "renewed"),
        (claim(10, C1, 3, old_owner=C2, old_lease=12.0), "though its lease was not over"),
        (row(10, C1, old_fence=2, new_fence=1), "fence changed from 2 to 1"),
        (row(10, "api", old_fence=2, new_fence=2, new_state="DONE"), "without a claim"),
    ],
)
def test_what_is_not_in_order_is_named(last: Row, words: str) -> None:
    rows = [claim(2, C1), claim(9, C2, 2, old_owner=C1, old_lease=5.0), last]
    (found,) = audit.broken_fences(rows)
    assert words in found
    assert "operation 7 of bay b" in found
    assert "record 10" in found


def test_a_bay_is_written_with_an_operation_only() -> None:
    alone = row(1, C1, "bay")
    assert "without an operation" in audit.broken_fences([alone])[0]
    of_another = [alone, write(2, C1, bay_uuid="other"), claim(3, C1)]
    assert any("without an operation" in text for text in audit.broken_fences(of_another))
    by_the_api = dataclasses.replace(alone, who="api")
    assert audit.broken_fences([by_the_api]) == []
    other_connection = [alone, write(2, C1, connection=2)]
    assert any("without an operation" in text for text in audit.broken_fences(other_connection))
