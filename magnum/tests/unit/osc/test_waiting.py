"""Waiting: live stages and counters on a terminal, lines elsewhere, interruption, failure, an API that is away."""

from datetime import datetime

import pytest
import requests

from magnum.drivers.contract import Actor, Blocked, Failed, Progress, Wait
from magnum.osc import progress, waiting
from magnum.tests.unit.osc.conftest import World
from magnum.tests.unit.osc.osc import Osc

CREATE = ("bay", "create", "first", "--model")


def at_work(*counts: int) -> list[Wait]:
    return [Wait(0, {}, Progress("workers", done, 3)) for done in counts]


def test_stages_and_counters_are_live_on_a_terminal(osc: Osc, model: str, world: World) -> None:
    world.answers(Wait(0, {}, Progress("network")), *at_work(1, 2))
    ended = osc(*CREATE, model, terminal=True)
    for seen in ("PENDING", "RUNNING, network", "RUNNING, workers 1/3", "RUNNING, workers 2/3"):
        assert any(f"create first: {seen}" in line for line in ended.drawn), (seen, ended.drawn)
    *live, last = ended.drawn
    assert all("\n" not in line and len(line) <= 79 for line in live)
    assert last.startswith("create first: DONE")
    assert last.endswith("\n")
    assert "CREATE_COMPLETE" in ended.out


def test_elsewhere_every_change_is_a_line(osc: Osc, model: str, world: World) -> None:
    world.answers(*at_work(1, 1, 1, 2))
    ended = osc(*CREATE, model)
    assert "\x1b" not in ended.err
    assert "\r" not in ended.err
    lines = ended.err.splitlines()
    told = [line.split(", after ")[0] for line in lines if line.startswith("create first: ")]
    assert told == [
        "create first: PENDING",
        "create first: RUNNING, workers 1/3",
        "create first: RUNNING, workers 2/3",
        "create first: DONE",
    ]
    assert [word for line in lines for word in ("ACCEPTED", " DONE ") if word in line] == [
        "ACCEPTED",
        " DONE ",
    ]


def test_standard_output_has_the_answer_alone(osc: Osc, model: str) -> None:
    ended = osc(*CREATE, model, "-f", "json", terminal=True)
    assert ended.json["status"] == "CREATE_COMPLETE"
    assert ended.json["name"] == "first"


def test_who_does_not_want_to_wait_does_not(osc: Osc, model: str, world: World) -> None:
    ended = osc(*CREATE, model, "--no-wait", "-f", "json")
    assert world.rests == []
    assert ended.err == ""
    assert ended.json["status"] == "CREATE_IN_PROGRESS"
    assert ended.json["operation"]["state"] == "PENDING"


def test_the_pauses_grow_and_begin_anew_with_every_change(
    osc: Osc, model: str, world: World
) -> None:
    world.answers(*at_work(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2))
    osc(*CREATE, model)
    assert world.rests[0] == waiting.FIRST_PAUSE
    assert max(world.rests) <= waiting.TICK  # each pause is slept in pieces
    looks = [one for one in osc.transport.sent if "/operations/" in one and "events" not in one]
    assert len(looks) < len(world.rests)


def test_an_interruption_leaves_the_work_and_says_how_to_come_back(
    osc: Osc, model: str, world: World
) -> None:
    def interrupt(number: int) -> None:
        if number == 3:
            raise KeyboardInterrupt

    world.answers(*at_work(1, 2, 3))
    world.meanwhile = interrupt
    ended = osc(*CREATE, model, terminal=True, code=130)
    operation = osc.json("bay", "operation", "list", "first")[0]
    assert operation["State"] == "RUNNING"
    assert ended.out == ""
    assert ended.err.endswith(
        "You have stopped waiting; the work goes on.\n"
        f"To come back: openstack bay operation wait {operation['UUID']}\n"
    )
    world.meanwhile = lambda number: None
    assert osc.json("bay", "operation", "wait", operation["UUID"])[0]["State"] == "DONE"


def test_a_failure_ends_with_the_whole_story_on_standard_error(
    osc: Osc, model: str, world: World
) -> None:
    world.answers(Failed(code="OUT_OF_LUCK", actor=Actor.OPERATOR, text="The dice fell badly."))
    ended = osc(*CREATE, model, "-f", "json", code=1)
    assert ended.json["status"] == "CREATE_FAILED"
    assert "Why: OUT_OF_LUCK: The dice fell badly." in ended.err
    assert "Whose move: the cloud operator's" in ended.err


def test_what_is_blocked_is_told_once_with_what_to_do(osc: Osc, model: str, world: World) -> None:
    blocked = Blocked(code="QUOTA_EXCEEDED", actor=Actor.USER, text="Two servers too many.")
    world.answers(blocked, blocked, blocked)
    ended = osc(*CREATE, model, terminal=True)
    told = [line for line in ended.err.splitlines() if "It is blocked" in line]
    assert len(told) == 1
    assert told[0].endswith("It is blocked (your move): QUOTA_EXCEEDED: Two servers too many.")
    assert "What to do: Free what the project does not need" in ended.err
    assert any("BLOCKED" in line and "QUOTA_EXCEEDED (your move)" in line for line in ended.drawn)
    assert ended.drawn[-1].startswith("create first: DONE")


def test_an_api_that_is_away_for_a_while_is_asked_again(osc: Osc, model: str, world: World) -> None:
    def go_away(number: int) -> None:
        away = requests.exceptions.ConnectionError("away")
        osc.transport.broken = away if 2 <= number <= 6 else None

    world.answers(*at_work(1, 2))
    world.meanwhile = go_away
    ended = osc(*CREATE, model)
    assert ended.err.count("The API does not answer; it is asked again.") == 1
    assert "create first: DONE" in ended.err


def test_an_api_that_stays_away_ends_the_waiting(
    osc: Osc, model: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def go_away(number: int) -> None:
        osc.transport.broken = requests.exceptions.ConnectionError("away")

    monkeypatch.setattr(waiting, "PATIENCE", 0.0)
    world.meanwhile = go_away
    ended = osc(*CREATE, model, code=1)
    assert "To come back: openstack bay operation wait" in ended.err
    assert "Traceback" not in ended.err


def test_waiting_for_what_does_not_exist_says_so_alone(osc: Osc) -> None:
    ended = osc("bay", "operation", "wait", "00000000-0000-4000-8000-000000000000", code=1)
    assert "OPERATION_NOT_FOUND" in ended.err
    assert "To come back" not in ended.err


def test_a_narrow_terminal_gets_a_short_line() -> None:
    operation = {
        "verb": "update",
        "state": "RUNNING",
        "stage": "workers",
        "done": 1,
        "total": 3,
        "error": None,
        "created_at": "2026-11-21T06:00:00+00:00",
        "next_look_at": None,
    }
    now = datetime.fromisoformat("2026-11-21T06:01:05+00:00")
    wide = progress.live(operation, "first", None, now, 100)
    assert wide == "update first: RUNNING, workers 1/3, 1 min 5 s"
    assert progress.live(operation, "first", None, now, 20) == "update first: RUN..."
