"""The last line of `tools/test` never hides a failure."""

import re
from pathlib import Path

import pytest

from tools.checks import main, stages
from tools.checks import run as runs
from tools.checks.reports import Case, Counts, Report
from tools.checks.run import Run
from tools.openstack.console import Progress


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("CI", raising=False)
    return Run(tmp_path, Path("python"), Progress(quiet=True))


def _end(run: Run, good: bool, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    result = main.Result(stages.BY_NAME["unit"], good, 1.0)
    status = main._summary([result], run)
    return status, re.sub(r" in \d+s$", "", capsys.readouterr().out.splitlines()[-1])


def test_all_well(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.reports.append(Report("unit", Counts(passed=2)))
    run.reports.append(Report("cloud", Counts(passed=1, skipped=1)))

    assert _end(run, True, capsys) == (0, "3 passed, 0 failed, 1 skipped")


def test_a_stage_that_fails_without_tests_counts_as_a_failure(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _end(run, False, capsys) == (1, "0 passed, 1 failed")


def test_what_was_skipped_is_a_failure_in_ci_only(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run.skipped.append("tests with a cloud")
    assert _end(run, True, capsys) == (0, "0 passed, 0 failed")

    monkeypatch.setenv("CI", "true")
    assert _end(run, True, capsys) == (1, "0 passed, 1 failed")


@pytest.mark.parametrize("words", [["nonsense"], ["--", "-x"]])
def test_a_wrong_command_line_is_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main._parse(words)
    assert ended.value.code == 2


def test_what_stands_behind_the_dashes_goes_to_pytest() -> None:
    chosen, options = main._parse(["unit", "--", "-k", "bays"])

    assert [stage.name for stage in chosen] == ["unit"]
    assert options.pytest == ["-k", "bays"]


def test_failures_and_slow_tests_of_all_runs_are_named_at_the_end(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    slow, bad = Case("a.py::slow", 12.25, None), Case("b.py::bad", 0.5, "assert 404 == 204")
    late = Case("a.py::late", 1.0, None, before="it took too long")
    run.reports.append(Report("local", Counts(passed=2), (slow, late)))
    run.reports.append(Report("cloud", Counts(failed=1), (bad,)))

    assert _end(run, False, capsys) == (1, "2 passed, 1 failed")
    main._tell_of_tests(run)
    said = capsys.readouterr().out
    assert "tests of local: 2 passed, 0 failed, 0 skipped; 13 s of tests" in said
    assert "UNSTEADY a.py::late - it took too long\n" in said
    assert "   12.2 s  a.py::slow\n" in said
    assert said.endswith("=== failed tests\nFAILED b.py::bad - assert 404 == 204\n")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([], ["-m", "cloud"]),
        (["-x"], ["-x", "-m", "cloud"]),
        (["-m", "mysql or rabbit", "-x"], ["-m", "(mysql or rabbit) and (cloud)", "-x"]),
    ],
)
def test_a_selection_by_mark_is_narrowed(given: list[str], wanted: list[str]) -> None:
    assert runs.and_marked(given, "cloud") == wanted
