"""What pytest wrote down is read as it is."""

import subprocess
import sys
from pathlib import Path

from tools.checks import reports
from tools.checks.reports import Counts

CHECKOUT = Path(__file__).parents[3]
TESTS = """
import pytest

@pytest.fixture
def broken():
    yield
    raise RuntimeError("left behind")

class TestThis:
    @pytest.mark.parametrize("word", ["a.b"])
    def test_good(self, word):
        pass

def test_bad():
    assert 404 == 204, "first\\nsecond"

def test_broken(broken):
    pass

def test_skipped():
    pytest.skip("no cloud")
"""


def test_a_report_of_pytest(tmp_path: Path) -> None:
    folder = tmp_path / "some" / "folder"
    folder.mkdir(parents=True)
    (folder / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\njunit_family = xunit1\n")
    written = tmp_path / "it.xml"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={written}"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=100)

    report = reports.read("local", written)

    assert (report.name, report.counts) == ("local", Counts(passed=1, failed=2, skipped=1))
    names = {case.name.removeprefix("some/folder/test_it.py::") for case in report.cases}
    assert names == {"TestThis::test_good[a.b]", "test_bad", "test_broken", "test_skipped"}
    failures = {case.name.rpartition("::")[2]: case.failure or "" for case in report.failures}
    assert failures.keys() == {"test_bad", "test_broken"}
    assert failures["test_bad"] == "AssertionError: first"
    assert "left behind" in failures["test_broken"]


UNSTEADY = """
import pathlib

def test_unsteady():
    flag = pathlib.Path("flag")
    was_there = flag.exists()
    flag.touch()
    assert was_there, "too slow"

def test_bad():
    flag = pathlib.Path("again")
    was_there = flag.exists()
    flag.touch()
    assert False, "another reason" if was_there else "the first reason"
"""


def test_what_passes_at_its_second_try_is_named_and_what_does_not_says_why_twice(
    tmp_path: Path,
) -> None:
    (tmp_path / "test_it.py").write_text(UNSTEADY)
    (tmp_path / "conftest.py").write_text((CHECKOUT / "conftest.py").read_text())
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\njunit_family = xunit1\nmarkers =\n  functional\n"
    )
    written = tmp_path / "it.xml"
    command = [sys.executable, "-m", "pytest", "--reruns=1", f"--junitxml={written}"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=100)

    report = reports.read("local", written)

    assert report.counts == Counts(passed=1, failed=1)
    (unsteady,) = report.unsteady
    assert unsteady.name == "test_it.py::test_unsteady"
    assert "too slow" in (unsteady.before or "")
    (bad,) = report.failures
    assert bad.name == "test_it.py::test_bad"
    assert "another reason" in (bad.failure or "")
    assert "the first reason" in (bad.before or "")


def test_the_slowest_come_first() -> None:
    cases = [reports.Case(str(number), float(number), None) for number in (3, 9, 1, 5)]

    report = reports.Report("unit", Counts(passed=4), tuple(cases))

    assert [case.name for case in report.slowest(2)] == ["9", "5"]
