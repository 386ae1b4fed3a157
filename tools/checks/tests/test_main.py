"""The last line of `tools/test` never hides a failure."""

import re
from pathlib import Path

import pytest

from tools.checks import main, stages
from tools.openstack.console import Progress


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> stages.Run:
    monkeypatch.delenv("CI", raising=False)
    return stages.Run(tmp_path, Path("python"), Progress(quiet=True))


def _end(run: stages.Run, good: bool, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    result = main.Result(stages.BY_NAME["unit"], good, 1.0)
    status = main._summary([result], run)
    return status, re.sub(r" in \d+s$", "", capsys.readouterr().out.splitlines()[-1])


def test_all_well(run: stages.Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.counts.add(stages.Counts(passed=3, skipped=1))

    assert _end(run, True, capsys) == (0, "3 passed, 0 failed, 1 skipped")


def test_a_stage_that_fails_without_tests_counts_as_a_failure(
    run: stages.Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _end(run, False, capsys) == (1, "0 passed, 1 failed")


def test_what_was_skipped_is_a_failure_in_ci_only(
    run: stages.Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
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


def test_counts_are_read_from_what_pytest_writes(tmp_path: Path) -> None:
    report = tmp_path / "unit.xml"
    report.write_text(
        '<testsuites><testsuite tests="9" errors="1" failures="2" skipped="3"/></testsuites>'
    )

    assert stages._counts(report) == stages.Counts(passed=3, failed=3, skipped=3)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([], ["-m", "cloud"]),
        (["-x"], ["-x", "-m", "cloud"]),
        (["-m", "mysql or rabbit", "-x"], ["-m", "(mysql or rabbit) and (cloud)", "-x"]),
    ],
)
def test_a_selection_by_mark_is_narrowed(given: list[str], wanted: list[str]) -> None:
    assert stages._and_marked(given, "cloud") == wanted
