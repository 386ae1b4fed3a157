"""The real ``openstack bay`` commands before a real service: waiting, interrupting, failing, and scripts."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from magnum.tests.functional.osc.terminal import Shell

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("models")]

CLEAR = "\r\x1b[2K"


def lines(text: str) -> list[str]:
    """Every state of the live line, and what was said between them."""
    return [part.rstrip() for part in text.split(CLEAR) if part.strip()]


def test_a_bay_lives_on_a_terminal(demo: Shell) -> None:
    create = ("bay", "create", "live", "--model", "counting", "-f", "json")
    with demo.terminal(*create, columns=60) as screen:
        screen.until(r"create live: RUNNING, workers 1/3, .+ s")
        screen.until(r"create live: RUNNING, workers 2/3, .+ s")
        screen.until(r"create live: DONE, after ")
        assert screen.code() == 0
    drawn = [line for line in lines(screen.text) if line.startswith("create live: RUNNING")]
    assert len(drawn) > 3  # it counts seconds between two changes
    assert all(len(line) < 60 and "\n" not in line for line in drawn)
    answer = json.loads(screen.text[screen.text.index("{") :])
    assert answer["status"] == "CREATE_COMPLETE"
    with demo.terminal("bay", "delete", "live") as screen:
        screen.until("delete live: DONE")
        assert screen.code() == 0
    assert "could not be found" in demo.openstack("bay", "show", "live", code=1).err
    timeline = demo.json("bay", "event", "list", answer["uuid"])
    assert [event["Code"] for event in timeline] == ["ACCEPTED", "DONE", "ACCEPTED", "DONE"]


def test_an_interruption_leaves_the_work_going_and_the_way_back_works(demo: Shell) -> None:
    create = ("bay", "create", "left", "--model", "noop", "--option", "noop_delay=8")
    with demo.terminal(*create) as screen:
        screen.until("create left: RUNNING, pretending to create")
        screen.press_ctrl_c()
        back = screen.until(r"To come back: openstack bay operation wait [0-9a-f-]{36}")
        assert screen.code() == 130
    assert "You have stopped waiting; the work goes on." in screen.text
    assert "Traceback" not in screen.text
    words = back.partition("openstack ")[2].split()
    waited = demo.json(*words)
    assert [one["State"] for one in waited] == ["DONE"]
    assert demo.json("bay", "show", "left")["status"] == "CREATE_COMPLETE"


def test_a_script_gets_clean_answers_and_need_not_wait(demo: Shell, tmp_path: Path) -> None:
    closed = f"gate={tmp_path}/gate"
    asked = demo.openstack(
        *("bay", "create", "script", "--model", "counting", "--label", closed),
        *("--no-wait", "-f", "json"),
    )
    assert asked.err == ""
    operation = asked.json["operation"]["uuid"]
    assert demo.json("bay", "operation", "list", "script")[0]["UUID"] == operation
    deleted = demo.openstack("bay", "delete", "script", "-f", "json")
    assert [one["State"] for one in deleted.json] == ["DONE"]
    assert "delete script: DONE" in deleted.err
    assert "\x1b" not in deleted.err
    assert demo.json("bay", "operation", "show", operation)["state"] == "CANCELLED"


def test_why_names_the_obstacle_and_whose_move_it_is(demo: Shell, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    create = ("bay", "create", "stuck", "--model", "counting", "--label", f"gate={gate}")
    with demo.terminal(*create) as screen:
        screen.until(r"It is blocked \(your move\): GATE_CLOSED: The gate is closed\.")
        screen.until(r"create stuck: BLOCKED, [^,]+, GATE_CLOSED \(your move\): The gate is closed")
        told = demo.openstack("bay", "why", "stuck").out
        data = demo.json("bay", "why", "stuck")
        gate.touch()
        screen.until("create stuck: DONE")
        assert screen.code() == 0
    assert screen.text.count("It is blocked") == 1
    assert re.search(r"State: BLOCKED since \d\d:\d\d:\d\d UTC \(\d+ (s|min)", told), told
    for words in (
        "Why: GATE_CLOSED: The gate is closed.",
        "Whose move: yours",
        "Deadline: ",
        "BLOCKED GATE_CLOSED",
    ):
        assert words in told, told
    assert (data["operation"]["state"], data["whose_move"]) == ("BLOCKED", "user")
    timeline = demo.json("bay", "event", "list", "stuck")
    assert [one["Code"] for one in timeline] == ["ACCEPTED", "BLOCKED", "DONE"]
    demo.openstack("bay", "delete", "stuck", "--no-wait")


def test_a_failure_ends_with_1_and_the_reason(demo: Shell) -> None:
    words = ("bay", "create", "bad", "--model", "noop", "--option", "noop_fail=create")
    ended = demo.openstack(*words, "-f", "json", code=1)
    assert ended.json["status"] == "CREATE_FAILED"
    assert "Why: NOOP_FAILED: The option noop_fail says that 'create' fails." in ended.err
    demo.openstack("bay", "delete", "bad", "--no-wait")


def test_the_endpoints_of_a_driver_are_commands(demo: Shell) -> None:
    demo.openstack("bay", "create", "asked", "--model", "noop")
    listed = demo.json("bay", "ext", "asked")
    assert [one["Endpoint"] for one in listed] == ["noop_v1/info", "noop_v1/echo"]
    told = demo.openstack("bay", "ext", "asked", "echo", "--help").out
    assert "--text <string>" in told
    assert "How often to say it; once if not given." in told
    said = demo.json(
        "bay", "ext", "asked", "noop_v1/echo", "--text", "hi", "--times", "2", "--loud"
    )
    assert said == {"text": "HI HI"}
    table = demo.openstack("bay", "ext", "asked", "info").out
    assert re.search(r"\| nodes +\| 2 +\|", table), table
    assert "--text" in demo.openstack("bay", "ext", "asked", "echo", code=2).err
    wrong = demo.openstack("bay", "ext", "asked", "echo", "--text", "x", "--times", "11", code=1)
    assert "field: /times" in wrong.err
    demo.openstack("bay", "delete", "asked", "--no-wait")


def test_events_are_followed_until_ctrl_c(demo: Shell) -> None:
    demo.openstack("bay", "create", "seen", "--model", "noop")
    with demo.terminal("bay", "event", "list", "seen", "--follow", "-f", "json") as screen:
        screen.until('"code": "DONE"')
        demo.openstack("bay", "delete", "seen", "--no-wait")
        screen.until('(?s)"DONE".*"DONE"')
        screen.press_ctrl_c()
        assert screen.code() == 130
    assert "Traceback" not in screen.text
    events = [json.loads(line) for line in screen.text.splitlines() if line.startswith("{")]
    codes = [event["code"] for event in events if event["code"] != "HEALTH_CHANGED"]
    assert codes == ["ACCEPTED", "DONE", "ACCEPTED", "DONE"]


def test_errors_are_for_people(demo: Shell, shells: Callable[[str], Shell]) -> None:
    missing = demo.openstack("bay", "show", "missing", code=1).err
    assert missing.startswith("Bay missing could not be found.\n  code: BAY_NOT_FOUND (HTTP 404)\n")
    reader = shells("reader")
    refused = reader.openstack("bay", "create", "mine", "--model", "noop", code=1).err
    assert "code: FORBIDDEN (HTTP 403)" in refused


def test_help_and_completion_know_the_commands(demo: Shell) -> None:
    told = demo.openstack("help", "bay", "create").out
    assert "openstack bay create first --model swarm --node-count 3" in told
    assert "bay_create=" in demo.openstack("complete").out
