"""Operations, events, ``why`` and actions: what is told of the work on a bay."""

from datetime import datetime
from typing import Any

import pytest
import requests

from magnum.drivers.contract import (
    Actor,
    Blocked,
    CloudUnavailable,
    Failed,
    Fault,
    Progress,
    Wait,
)
from magnum.osc import situation, waiting
from magnum.tests.unit.osc.conftest import World
from magnum.tests.unit.osc.osc import Osc

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def bay(osc: Osc, model: str) -> str:
    """A bay that is there."""
    osc("bay", "create", "first", "--model", model)
    return "first"


def present(osc: Osc, bay: str) -> dict[str, Any]:
    """The latest operation of a bay."""
    found: dict[str, Any] = osc.json("bay", "operation", "list", bay)[-1]
    return found


def test_operations_are_listed_and_shown(osc: Osc, bay: str, world: World) -> None:
    world.answers(Wait(0, {}, Progress("workers", 1, 3)))
    osc("bay", "set", bay, "--node-count", "3", "--no-wait")
    world.step()
    first, second = osc.json("bay", "operation", "list", bay)
    assert (first["Verb"], first["State"], first["Progress"]) == ("create", "DONE", "")
    assert (second["Verb"], second["State"], second["Progress"]) == (
        "update",
        "RUNNING",
        "workers 1/3",
    )
    shown = osc.json("bay", "operation", "show", second["UUID"])
    assert (shown["stage"], shown["done"], shown["total"]) == ("workers", 1, 3)


def test_what_has_not_begun_is_taken_back_and_the_rest_is_not(
    osc: Osc, bay: str, world: World
) -> None:
    world.answers(Wait(0), Wait(0), Wait(0))
    for count in ("2", "3"):
        osc("bay", "set", bay, "--node-count", count, "--no-wait")
    world.step()
    _, running, waiting = osc.json("bay", "operation", "list", bay)
    ended = osc(
        *("bay", "operation", "cancel", running["UUID"], waiting["UUID"], "-f", "json"), code=1
    )
    assert [one["State"] for one in ended.json] == ["CANCELLED"]
    assert "code: NOT_CANCELLABLE (HTTP 409)" in ended.err
    assert "What has begun ends by itself." in ended.err


def test_waiting_for_several_fails_if_one_does(osc: Osc, bay: str, world: World) -> None:
    world.answers(Failed(code="OUT_OF_LUCK", actor=Actor.USER, text="No."))
    for count in ("2", "3"):
        osc("bay", "set", bay, "--node-count", count, "--no-wait")
    uuids = [one["UUID"] for one in osc.json("bay", "operation", "list", bay)[1:]]
    ended = osc("bay", "operation", "wait", *uuids, "-f", "json", code=1)
    assert [one["State"] for one in ended.json] == ["FAILED", "DONE"]
    assert ended.err.count("Whose move: yours") == 1


def test_the_timeline_is_listed_in_parts(osc: Osc, bay: str) -> None:
    events = osc.json("bay", "event", "list", bay)
    assert [one["Code"] for one in events] == ["ACCEPTED", "DONE"]
    assert osc.json("bay", "event", "list", bay, "--marker", events[0]["ID"]) == events[1:]
    assert osc.json("bay", "event", "list", bay, "--limit", "1") == events[:1]
    operation = present(osc, bay)["UUID"]
    assert osc.json("bay", "event", "list", bay, "--long")[0]["Operation"] == operation


def test_a_bay_is_followed_beyond_its_end(osc: Osc, bay: str, world: World) -> None:
    def meanwhile(number: int) -> None:
        if number == 3:
            osc("bay", "delete", bay, "--no-wait")

    world.rests.clear()
    world.meanwhile = meanwhile
    ended = osc("bay", "event", "list", bay, "--follow", "--limit", "4")
    codes = [line.split()[1] for line in ended.out.splitlines()]
    assert codes == ["ACCEPTED", "DONE", "ACCEPTED", "DONE"]
    assert world.rests[:3] == sorted(world.rests[:3])
    assert max(world.rests) <= 5


def test_following_outlasts_an_api_that_is_away(
    osc: Osc, bay: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(number: int) -> None:
        away = requests.exceptions.ConnectionError("away")
        osc.transport.broken = away if 2 <= number <= 4 or number > 6 else None
        if number == 6:
            osc.json("bay", "check", bay, "--no-wait")
            monkeypatch.setattr(waiting, "PATIENCE", 0.0)

    world.rests.clear()
    world.meanwhile = meanwhile
    ended = osc("bay", "event", "list", bay, "--follow", code=1)
    assert len(ended.out.splitlines()) > 2
    assert "Unable to establish connection" in ended.err


def test_following_ends_with_an_interruption(osc: Osc, bay: str, world: World) -> None:
    def meanwhile(number: int) -> None:
        if number == 2:
            raise KeyboardInterrupt

    world.rests.clear()
    world.meanwhile = meanwhile
    ended = osc("bay", "event", "list", bay, "--follow", "-f", "json", code=130)
    assert len(ended.out.splitlines()) == 2
    asked = [one for one in osc.transport.sent if "/events" in one]
    assert "marker=" in asked[-1]


def test_why_of_a_bay_that_is_well(osc: Osc, bay: str) -> None:
    told = osc("bay", "why", bay).out
    assert "first (" in told.splitlines()[0]
    assert "CREATE_COMPLETE" in told.splitlines()[0]
    assert "Last work: create" in told
    assert "State: DONE since" in told
    assert "Whose move" not in told
    assert "To wait for it" not in told


def test_why_of_a_bay_that_is_stuck(osc: Osc, bay: str, world: World) -> None:
    blocked = Blocked(
        code="QUOTA_EXCEEDED",
        actor=Actor.USER,
        text="Two cores\x1b[31m too many.",
        faults=(Fault("workers / 2", "OS::Nova::Server", "No cores.", "req-77"),),
    )
    world.answers(blocked, blocked, blocked)
    osc("bay", "set", bay, "--node-count", "3", "--no-wait")
    osc("bay", "set", bay, "--node-count", "5", "--no-wait")
    world.step()
    world.step()
    told = osc("bay", "why", bay).out
    for words in (
        "At work: update",
        "State: BLOCKED since ",
        "Why: QUOTA_EXCEEDED: Two cores?[31m too many.",
        "Whose move: yours",
        "What to do: Free what the project does not need",
        "Tell the operator: req-77",
        "Failed part: workers / 2 (OS::Nova::Server): No cores.",
        "Next look: ",
        "Deadline: ",
        "Waits behind it: update (",
        "Last events:",
        "To wait for it: openstack bay operation wait ",
    ):
        assert words in told, told
    data = osc.json("bay", "why", bay)
    assert data["whose_move"] == "user"
    blocked_event = next(e for e in data["events"] if e["code"] == "BLOCKED")
    assert data["since"] == blocked_event["created_at"]
    assert len(data["waiting"]) == 1


def test_why_of_a_bay_that_is_tried_again(osc: Osc, bay: str, world: World) -> None:
    world.answers(CloudUnavailable("No answer."), CloudUnavailable("No answer."))
    osc("bay", "set", bay, "--node-count", "3", "--no-wait")
    world.step()
    told = osc("bay", "why", bay).out
    assert "State: RUNNING since " in told
    assert "Whose move: nobody's, it is tried again by itself" in told


EVENTS = [
    {"code": code, "created_at": f"2026-11-21T06:0{minute}:00+00:00"}
    for minute, code in enumerate(("ACCEPTED", "BLOCKED", "RESUMED", "RETRYING", "RETRYING"))
]


@pytest.mark.parametrize(
    ("state", "error", "upto", "minute"),
    [
        ("BLOCKED", {"code": "X"}, 2, "01"),
        ("RUNNING", {"code": "X"}, 5, "03"),
        ("RUNNING", {"code": "X"}, 3, "00"),  # began before the error was seen
        ("RUNNING", None, 5, "00"),
        ("DONE", None, 5, "09"),
    ],
)
def test_since_when_it_is_as_it_is(
    state: str, error: dict[str, str] | None, upto: int, minute: str
) -> None:
    operation = {
        "state": state,
        "error": error,
        "created_at": "never",
        "started_at": "2026-11-21T06:00:00+00:00",
        "finished_at": "2026-11-21T06:09:00+00:00",
    }
    assert situation.since(operation, EVENTS[:upto]) == f"2026-11-21T06:{minute}:00+00:00"


def test_why_of_a_bay_that_has_gone_and_of_none(osc: Osc, bay: str) -> None:
    uuid = osc.json("bay", "show", bay)["uuid"]
    osc("bay", "delete", bay)
    told = osc("bay", "why", uuid).out
    assert f"{uuid} ({uuid}): gone" in told
    assert "Last work: delete" in told
    assert "BAY_NOT_FOUND" in osc("bay", "why", bay, code=1).err
    assert "BAY_NOT_FOUND" in osc("bay", "why", UNKNOWN, code=1).err


def test_what_nobody_has_begun_for_long_is_worth_a_question() -> None:
    operation: dict[str, Any] = {
        "uuid": UNKNOWN,
        "verb": "create",
        "state": "PENDING",
        "stage": None,
        "total": None,
        "error": None,
        "faults": [],
        "leftovers": [],
        "deadline": None,
        "created_at": "2026-11-21T06:00:00+00:00",
        "next_look_at": "2026-11-21T06:00:00+00:00",
    }
    told = {
        "bay": "b",
        "uuid": UNKNOWN,
        "status": "CREATE_IN_PROGRESS",
        "health_status": None,
        "stale": False,
        "operation": operation,
        "since": operation["created_at"],
        "whose_move": "nobody",
        "waiting": [],
        "events": [],
    }
    soon, late = (
        datetime.fromisoformat(f"2026-11-21T06:{minute}:00+00:00") for minute in ("01", "02")
    )
    question = "Nobody has begun it"
    assert question not in situation.screen(told, soon)
    assert question in situation.screen(told, late)


@pytest.mark.parametrize(
    ("words", "verb", "parameters"),
    [
        (("rebuild",), "rebuild", {}),
        (("reboot", "--node", "a", "--node", "b"), "soft_reboot", {"nodes": ["a", "b"]}),
        (("reboot", "--hard", "--batch-size", "2"), "hard_reboot", {"batch_size": 2}),
        (("check",), "check", {}),
    ],
)
def test_actions_are_done_and_shown(
    osc: Osc, bay: str, words: tuple[str, ...], verb: str, parameters: dict[str, Any]
) -> None:
    action, *more = words
    done = osc.json("bay", action, bay, *more)
    assert (done["verb"], done["state"], done["parameters"]) == (verb, "DONE", parameters)
    asked = osc.json("bay", action, bay, "--no-wait")
    assert asked["state"] == "PENDING"
