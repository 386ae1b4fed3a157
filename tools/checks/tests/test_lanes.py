"""Lanes say whose line it is, and nothing of them is left when the rest has to end."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.checks import lanes
from tools.checks.lanes import Lane

#: Says that it runs, and that it was interrupted; it cleans up then.
PATIENT = """
import pathlib, time
try:
    pathlib.Path("runs").touch()
    time.sleep(1000)
except KeyboardInterrupt:
    pathlib.Path("cleaned").touch()
"""
#: Hears no interrupt, and has a child.
DEAF = """
import pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
pathlib.Path("child").write_text(str(child.pid))
pathlib.Path("runs").touch()
time.sleep(1000)
"""


def python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 100
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def begun(work: Callable[[Lane], bool]) -> Lane:
    lane = Lane("cloud", work)
    lane.start()
    return lane


def test_every_line_says_whose_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "import sys; print('one'); print('two', file=sys.stderr); sys.exit(3)"

    assert lanes.follow("unit", python(text), tmp_path, os.environ) == 3

    assert set(capsys.readouterr().out.splitlines()) == {"unit  | one", "unit  | two"}


def test_a_process_that_is_left_behind_holds_nobody_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "LAST_WORDS", 0.5)
    text = "import subprocess; print(subprocess.Popen(['sleep', '1000']).pid)"

    assert lanes.follow("unit", python(text), tmp_path, os.environ) == 0

    os.kill(int(capsys.readouterr().out.removeprefix("unit  | ")), 9)


def test_a_lane_tells_what_came_of_it(tmp_path: Path) -> None:
    lane = begun(lambda lane: lane.run(python("exit(5)"), tmp_path, os.environ) == 5)
    assert lane.result()
    lane.stop()

    def fails(lane: Lane) -> bool:
        raise ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing"):
        begun(fails).result()


def test_a_lane_that_has_to_end_cleans_up(tmp_path: Path) -> None:
    def work(lane: Lane) -> bool:
        try:
            lane.run(python(PATIENT), tmp_path, os.environ)
            return lane.run(python("open('second', 'w')"), tmp_path, os.environ) == 0
        finally:
            lane.clean_up(python("open('down', 'w')"), tmp_path, os.environ)

    lane = begun(work)
    until((tmp_path / "runs").exists)
    lane.stop()

    assert {path.name for path in tmp_path.iterdir()} == {"runs", "cleaned", "down"}
    with pytest.raises(lanes.Stopped):
        lane.result()


def test_what_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "PATIENCE", 0.5)
    lane = begun(lambda lane: lane.run(python(DEAF), tmp_path, os.environ) == 0)
    until((tmp_path / "runs").exists)
    child = Path("/proc") / (tmp_path / "child").read_text() / "stat"
    assert child.exists()

    lane.stop()

    until(lambda: not child.exists() or child.read_text().rpartition(")")[2].split()[0] == "Z")


def test_a_lane_that_was_told_to_end_begins_nothing_more(tmp_path: Path) -> None:
    lane = begun(lambda lane: True)
    lane.stop()

    with pytest.raises(lanes.Stopped):
        lane.run(python(PATIENT), tmp_path, os.environ)
