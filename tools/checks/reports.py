"""What pytest wrote down about tests: how they ended, which failed, and which took longest."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

#: Of a failure's message, in a list of failures.
LONGEST_MESSAGE = 200


@dataclass
class Counts:
    """Tests by how they ended."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: "Counts") -> None:
        """Add the counts of another run."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


@dataclass(frozen=True)
class Case:
    """One test.

    :param name: as pytest takes it on its command line.
    :param seconds: with the fixtures that were made for it and taken down after it.
    :param failure: the first line of why it failed; None where it did not.
    :param before: the first line of why an earlier try of it failed; None where there was none.
    """

    name: str
    seconds: float
    failure: str | None
    before: str | None = None


@dataclass(frozen=True)
class Report:
    """How one run of pytest went.

    :param name: of the stage, or of the lane.
    """

    name: str
    counts: Counts = field(default_factory=Counts)
    cases: tuple[Case, ...] = ()

    @property
    def failures(self) -> list[Case]:
        """The tests that failed."""
        return [case for case in self.cases if case.failure is not None]

    @property
    def unsteady(self) -> list[Case]:
        """The tests that failed, and did not when they were tried again."""
        return [case for case in self.cases if case.failure is None and case.before is not None]

    def slowest(self, number: int) -> list[Case]:
        """The tests that took longest, the longest first."""
        return sorted(self.cases, key=lambda case: case.seconds, reverse=True)[:number]


def read(name: str, path: Path) -> Report:
    """Read a file that pytest wrote with ``--junitxml`` and ``junit_family=xunit1``."""
    root = ET.parse(path).getroot()
    counts = Counts()
    for suite in root.iter("testsuite"):
        told = {key: int(suite.get(key, "0")) for key in ("tests", "errors", "failures", "skipped")}
        failed = told["errors"] + told["failures"]
        counts.add(Counts(told["tests"] - failed - told["skipped"], failed, told["skipped"]))
    # A test that was tried again is in it once for each try: the last one counts.
    cases = {case.name: case for case in map(_case, root.iter("testcase"))}
    return Report(name, counts, tuple(cases.values()))


def _case(element: ET.Element) -> Case:
    failure, tries = _failure(element), _failed_tries(element)
    # The last of them is the failure itself.
    before = tries if failure is None else tries[:-1]
    return Case(
        _name(element), float(element.get("time", "0")), failure, before[0] if before else None
    )


def _name(element: ET.Element) -> str:
    """The file, the class if there is one, and the test: ``folder/test_file.py::TestClass::test_it[case]``."""
    path, place, test = (element.get(key, "") for key in ("file", "classname", "name"))
    module = path.removesuffix(".py").replace("/", ".")
    classes = place.removeprefix(module).removeprefix(".")
    return "::".join(word for word in (path, *classes.split("."), test) if word)


def _failure(element: ET.Element) -> str | None:
    for kind in ("failure", "error"):
        found = element.find(kind)
        if found is not None:
            return _first_line(found.get("message") or found.text or "") or kind
    return None


def _failed_tries(element: ET.Element) -> list[str]:
    """What the checkout's ``conftest.py`` has noted of each try that failed."""
    return [
        _first_line(told.get("value", ""))
        for told in element.iterfind("properties/property")
        if told.get("name") == "failed before"
    ]


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0][:LONGEST_MESSAGE]
