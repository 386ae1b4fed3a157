"""What the stages of one `tools/test` share: the environment, how commands and pytest are run, and what came of it."""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.checks import environment, lanes, reports
from tools.checks.reports import Report
from tools.openstack.console import Progress

UNIT_TESTS = [
    "magnum/tests/unit",
    "tools/openstack/tests",
    "tools/checks/tests",
    "tools/standin/tests",
    "tools/chaos_run/tests",
    "tools/benchmark/tests",
]
NO_TESTS_COLLECTED = 5  # exit status of pytest

#: Runs a command in a folder with these variables; returns its exit status.
Runner = Callable[[list[str], Path, Mapping[str, str]], int]


def at_the_terminal(command: list[str], folder: Path, variables: Mapping[str, str]) -> int:
    """Run a command that has our terminal."""
    return subprocess.run(command, cwd=folder, env=variables, check=False).returncode


@dataclass(frozen=True)
class Ground:
    """What functional tests stand on.

    :param variables: name the servers, for the tests.
    :param cloud: the lane of tests with the cloud, which is at work.
    """

    variables: dict[str, str]
    cloud: lanes.Lane


@dataclass
class Run:
    """One `tools/test`.

    A stage gets it and returns whether all was well. What a stage could not do is noted in `skipped`; in CI that is
    a failure.

    :param arguments: what stands behind `--` on the command line, for pytest.
    :param stage: the one that is at work.
    :param ground: what functional tests stand on, once it is there. Its lane prints meanwhile, so that each line says
        whose it is.
    :param reports: what pytest wrote down so far.
    :param skipped: what could not be done, with the reason.
    """

    checkout: Path
    python: Path
    say: Progress
    arguments: list[str] = field(default_factory=list)
    stage: str = ""
    ground: Ground | None = None
    reports: list[Report] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def call(self, *command: str, extra: Mapping[str, str] | None = None) -> bool:
        """Run a command of the environment in the checkout; True when it ended well."""
        return self.status(list(command), extra) == 0

    def module(self, name: str, *arguments: str) -> bool:
        """Run a Python module; True when it ended well."""
        return self.call(str(self.python), "-m", name, *arguments)

    def status(
        self,
        command: list[str],
        extra: Mapping[str, str] | None = None,
        runner: Runner | None = None,
    ) -> int:
        """Run a command of the environment in the checkout; returns its exit status.

        :param runner: how, if not as all commands of the present stage.
        """
        variables = {**environment.of_tools(self.python), **(extra or {})}
        return (runner or self._runner(self.stage))(command, self.checkout, variables)

    def _runner(self, name: str) -> Runner:
        """How commands are run: at the terminal, or with a name before each line while a lane prints its own."""
        if self.ground is None:
            return at_the_terminal
        return lambda command, folder, variables: lanes.follow(name, command, folder, variables)

    def pytest(
        self,
        name: str,
        marks: str,
        paths: list[str],
        *,
        program: tuple[str, ...] | None = None,
        extra: Mapping[str, str] | None = None,
        runner: Runner | None = None,
        tries: int = 1,
    ) -> bool:
        """Run pytest over `paths`, or over what the command line names, and keep its report.

        :param name: of the report.
        :param marks: which tests are meant, as `pytest -m` takes it.
        :param program: pytest itself, with whatever stands before it.
        :param runner: as for `status`.
        :param tries: how often a test may try before it has failed; what the command line names has one try.
        """
        written = self.checkout / ".state" / "test" / f"{name}.xml"
        written.parent.mkdir(parents=True, exist_ok=True)
        written.unlink(missing_ok=True)
        there = [path for path in paths if (self.checkout / path).exists()]
        command = [
            *(program or (str(self.python), "-m", "pytest")),
            f"--junitxml={written}",
            "--override-ini=junit_family=xunit1",  # it names the files
            *([f"--reruns={tries - 1}", "-raR"] if tries > 1 and not self.arguments else []),
            *self.selection(there, marks),
        ]
        status = self.status(command, extra, runner or self._runner(name))
        if written.exists():
            self.reports.append(reports.read(name, written))
        elif status not in (0, NO_TESTS_COLLECTED):
            self.reports.append(Report(name, reports.Counts(failed=1)))
        return status == 0 or (status == NO_TESTS_COLLECTED and bool(self.arguments))

    def selection(self, paths: list[str], marks: str) -> list[str]:
        """Arguments for pytest: those of the command line, or `paths` where it names no test; only with these marks."""
        return [*([] if self._names_tests() else paths), *and_marked(self.arguments, marks)]

    def collects(self, paths: list[str], marks: str) -> bool:
        """Whether what the command line asks for has tests with these marks."""
        command = [str(self.python), "-m", "pytest", "--collect-only", "-q"]
        answer = subprocess.run(
            [*command, *self.selection(paths, marks)],
            cwd=self.checkout,
            env=environment.of_tools(self.python),
            capture_output=True,
            check=False,
        )
        return answer.returncode == 0

    def _names_tests(self) -> bool:
        """Whether the arguments for pytest name files or folders themselves."""
        return any(
            (self.checkout / argument.partition("::")[0]).exists()
            for argument in self.arguments
            if not argument.startswith("-")
        )


def and_marked(arguments: list[str], marks: str) -> list[str]:
    """The arguments for pytest, changed so that only tests are selected that bear the marks too."""
    if "-m" not in arguments[:-1]:
        return [*arguments, "-m", marks]
    place = arguments.index("-m") + 1
    return [*arguments[:place], f"({arguments[place]}) and ({marks})", *arguments[place + 1 :]]
