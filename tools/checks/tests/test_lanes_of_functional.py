"""Which lanes the functional stage has, and that each of them counts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tools.checks import functional
from tools.checks.run import Run, at_the_terminal
from tools.openstack.console import Progress

SERVERS = {"MAGNUM_TEST_MYSQL": "mysql://"}
WITH_CLOUD = {**SERVERS, "MAGNUM_TEST_CLOUD": "1"}


@dataclass
class Recorded(Run):
    """Runs nothing: notes what pytest would have been asked for, and which lanes would be at work."""

    lanes_with_tests: set[str] = field(default_factory=set)
    failing: str = ""
    asked: dict[str, dict[str, Any]] = field(default_factory=dict)
    together: threading.Barrier | None = None

    def collects(self, paths: list[str], marks: str) -> bool:
        return ("cloud" if marks == functional.CLOUD else "local") in self.lanes_with_tests

    def pytest(self, name: str, marks: str, paths: list[str], **options: Any) -> bool:
        if self.together is not None:
            self.together.wait(100)
        self.asked[name] = options
        return name != self.failing


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    @contextmanager
    def servers(run: Run) -> Iterator[dict[str, str]]:
        yield dict(SERVERS)

    monkeypatch.setattr(functional, "_servers", servers)
    monkeypatch.setenv("MAGNUM_TEST_CLOUD", "1")
    return Recorded(tmp_path, Path("python"), Progress(quiet=True))


def test_without_arguments_both_lanes_run_at_the_same_time(run: Recorded) -> None:
    run.together = threading.Barrier(2)

    assert functional.functional(run)

    assert run.asked["local"] == {"extra": SERVERS, "tries": functional.TRIES}
    assert run.asked["cloud"]["extra"] == WITH_CLOUD
    assert run.asked["cloud"]["runner"] is not at_the_terminal
    assert run.ground is None


@pytest.mark.parametrize("failing", ["local", "cloud"])
def test_a_failure_in_one_lane_is_one_of_the_stage(run: Recorded, failing: str) -> None:
    run.failing = failing

    assert not functional.functional(run)
    assert run.asked.keys() == {"local", "cloud"}


def test_a_lane_that_began_before_other_stages_is_not_begun_again(run: Recorded) -> None:
    with functional.begun(run) as ground:
        assert ground.cloud.result()
        run.asked.clear()
        assert functional.functional(run)

    assert run.asked.keys() == {"local"}


@pytest.mark.parametrize(
    ("lanes", "asked"),
    [
        ({"cloud"}, {"cloud"}),
        ({"local"}, {"local"}),
        ({"local", "cloud"}, {"local", "cloud"}),
        (set(), {"local"}),  # pytest says what is wrong
    ],
)
def test_arguments_for_pytest_decide_which_lanes_there_are(
    run: Recorded, lanes: set[str], asked: set[str]
) -> None:
    run.arguments = ["-k", "bays"]
    run.lanes_with_tests = lanes

    assert functional.functional(run)

    assert run.asked.keys() == asked
    if asked == {"cloud"}:
        assert run.asked["cloud"]["runner"] is at_the_terminal


def test_when_something_goes_wrong_meanwhile_the_lane_ends(run: Recorded) -> None:
    def interrupted() -> None:
        with functional.begun(run) as ground:
            ground.cloud.result()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert run.ground is None
