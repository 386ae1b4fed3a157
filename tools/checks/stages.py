"""The stages of `tools/test`: what each one runs, and with what. tox calls the same stages.

A stage gets a `Run` and returns whether all was well. What a stage could not do is noted in
`Run.skipped`; in CI that is a failure.
"""

import shutil
import subprocess
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tools.checks import environment, files, servers
from tools.openstack import cloud_cli, venvs
from tools.openstack.console import Progress, Trouble

NOT_UNIT = "functional or postgresql or mysql or rabbit or cloud"
UNIT_TESTS = [
    "magnum/tests/unit",
    "tools/openstack/tests",
    "tools/checks/tests",
    "tools/standin/tests",
    "tools/chaos_run/tests",
    "tools/benchmark/tests",
]
FUNCTIONAL_TESTS = ["magnum/tests/functional", *UNIT_TESTS]
# For generators: libraries of OpenStack announce on every start that eventlet will go.
QUIET = {"PYTHONWARNINGS": "ignore"}
NO_TESTS_COLLECTED = 5  # exit status of pytest


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


@dataclass
class Run:
    """What stages share during one `tools/test`.

    :param arguments: what stands behind `--` on the command line, for pytest.
    :param skipped: what could not be done, with the reason.
    """

    checkout: Path
    python: Path
    say: Progress
    arguments: list[str] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    skipped: list[str] = field(default_factory=list)

    def call(self, *command: str, extra: dict[str, str] | None = None) -> bool:
        """Run a command of the environment in the checkout; True when it ended well."""
        return self.status(*command, extra=extra) == 0

    def status(self, *command: str, extra: dict[str, str] | None = None) -> int:
        """Run a command of the environment in the checkout; returns its exit status."""
        return environment.run(self.python, list(command), self.checkout, extra)

    def module(self, name: str, *arguments: str) -> bool:
        """Run a Python module; True when it ended well."""
        return self.call(str(self.python), "-m", name, *arguments)


@dataclass(frozen=True)
class Stage:
    """One stage: its name on the command line, a headline, and what it does."""

    name: str
    headline: str
    work: Callable[[Run], bool]


def lint(run: Run) -> bool:
    """Look at style and likely bugs, at shell scripts, at copies and at requirements."""
    ours = files.ours(run.checkout)
    scripts = [str(path.relative_to(run.checkout)) for path in ours if files.is_python_script(path)]
    shell = [str(path.relative_to(run.checkout)) for path in ours if files.is_shell(path)]
    good = [
        run.call("ruff", "check", ".", *scripts),
        run.call("ruff", "format", "--check", "--quiet", ".", *scripts),
        run.call("shellcheck", "--external-sources", "--source-path=SCRIPTDIR:.", *shell),
        run.module("tools.checks.duplicates"),
        run.module("tools.checks.requirements"),
    ]
    return all(good)


def layers(run: Run) -> bool:
    """Look at the imports between the floors of the house."""
    return run.call("lint-imports", "--no-cache")


def types(run: Run) -> bool:
    """Check the annotations of the service, of its tests and of the tools."""
    scripts = [
        str(path.relative_to(run.checkout))
        for path in files.ours(run.checkout)
        if files.is_python_script(path)
    ]
    return run.module(
        "mypy", "--scripts-are-modules", "magnum", "tools", "doc/ext", "conftest.py", *scripts
    )


def docs(run: Run) -> bool:
    """Build the documentation; a warning is an error."""
    return _sphinx(run, "doc")


def releasenotes(run: Run) -> bool:
    """Build the release notes; a warning is an error."""
    return run.call("reno", "--quiet", "lint") and _sphinx(run, "releasenotes")


def _sphinx(run: Run, folder: str) -> bool:
    target = run.checkout / folder / "build"
    shutil.rmtree(target, ignore_errors=True)
    options = ["-W", "--keep-going", "-q", "-b", "html", "-d", str(target / "doctrees")]
    command = [str(run.python), "-m", "sphinx", *options, f"{folder}/source", str(target / "html")]
    good = run.call(*command, extra=QUIET)
    if good:
        run.say(f"{folder}/build/html/index.html")
    return good


def unit(run: Run) -> bool:
    """Run the tests that need no server."""
    return _pytest(run, "unit", f"not ({NOT_UNIT})", UNIT_TESTS)


def cover(run: Run) -> bool:
    """Run the unit tests and say which lines they reach."""
    program = ("coverage", "run", "-m", "pytest")
    good = _pytest(run, "cover", f"not ({NOT_UNIT})", UNIT_TESTS, program)
    return run.call("coverage", "html", "--quiet") and run.call("coverage", "report") and good


def functional(run: Run) -> bool:
    """Run the tests that need databases, a broker or the cloud of `tools/cloud`."""
    with ExitStack() as stack:
        state = run.checkout / ".state" / "test"
        running = servers.running(servers.ALL, run.python, run.checkout, run.say, state)
        found = stack.enter_context(running)
        run.skipped += [f"tests with {name}: {reason}" for name, reason in found.missing.items()]
        variables = dict(found.variables)
        if _wants_cloud(run):
            variables |= _bring_up_cloud(run, stack)
        return _pytest(run, "functional", NOT_UNIT, FUNCTIONAL_TESTS, extra=variables)


def _wants_cloud(run: Run) -> bool:
    """Whether one of the selected tests needs the cloud."""
    words = _and_marked(run.arguments, "cloud")
    selection = words if _names_tests(run) else [*FUNCTIONAL_TESTS, *words]
    answer = subprocess.run(
        [str(run.python), "-m", "pytest", "--collect-only", "-q", *selection],
        cwd=run.checkout,
        env=environment.of_tools(run.python),
        capture_output=True,
        check=False,
    )
    return answer.returncode == 0


def _and_marked(arguments: list[str], marks: str) -> list[str]:
    """The arguments for pytest, changed so that only tests are selected that bear the marks too."""
    if "-m" not in arguments[:-1]:
        return [*arguments, "-m", marks]
    place = arguments.index("-m") + 1
    return [*arguments[:place], f"({arguments[place]}) and ({marks})", *arguments[place + 1 :]]


def prepare_cloud() -> None:
    """Build the environment of the cloud in the background: it takes minutes, and stages wait for other things."""
    quiet = Progress(quiet=True)

    def build() -> None:
        try:
            venvs.cached(cloud_cli.REQUIREMENTS, quiet)
        except Trouble:  # `tools/cloud up` meets it again, and says so
            return

    threading.Thread(target=build, name="cloud-environment", daemon=True).start()


def _bring_up_cloud(run: Run, stack: ExitStack) -> dict[str, str]:
    """Have the cloud; it is taken down at the end unless it was there before."""
    cloud = run.checkout / "tools" / "cloud"
    if subprocess.run([cloud, "status"], capture_output=True, check=False).returncode == 0:
        run.say("the cloud of tools/cloud is up; using it as it is")
        return {"MAGNUM_TEST_CLOUD": "1"}
    run.say("bringing up the cloud (tools/cloud up)")
    state = run.checkout / ".state" / "cloud"
    # A cloud that was never here leaves no data behind either.
    wipe = [] if state.exists() else ["--wipe"]
    up = subprocess.run([cloud, "up"], check=False).returncode == 0
    if state.exists():
        stack.callback(lambda: subprocess.run([cloud, "down", *wipe], check=False))
    if up:
        return {"MAGNUM_TEST_CLOUD": "1"}
    run.skipped.append("tests with a cloud: `tools/cloud up` failed, it said why")
    return {}


def _names_tests(run: Run) -> bool:
    """Whether the arguments for pytest name files or folders themselves."""
    return any(
        (run.checkout / argument.partition("::")[0]).exists()
        for argument in run.arguments
        if not argument.startswith("-")
    )


def _pytest(
    run: Run,
    name: str,
    marks: str,
    paths: list[str],
    program: tuple[str, ...] | None = None,
    extra: dict[str, str] | None = None,
) -> bool:
    """Run pytest over `paths`, or over what the command line names, and add up how the tests ended.

    :param marks: which tests belong to the stage, as `pytest -m` takes it.
    """
    report = run.checkout / ".state" / "test" / f"{name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    there = [] if _names_tests(run) else [path for path in paths if (run.checkout / path).exists()]
    command = program or (str(run.python), "-m", "pytest")
    words = [f"--junitxml={report}", *there, *_and_marked(run.arguments, marks)]
    status = run.status(*command, *words, extra=extra)
    if report.exists():
        run.counts.add(_counts(report))
    elif status not in (0, NO_TESTS_COLLECTED):
        run.counts.failed += 1
    return status == 0 or (status == NO_TESTS_COLLECTED and bool(run.arguments))


def _counts(report: Path) -> Counts:
    """Add up what pytest wrote down."""
    counts = Counts()
    for suite in ET.parse(report).getroot().iter("testsuite"):
        told = {key: int(suite.get(key, "0")) for key in ("tests", "errors", "failures", "skipped")}
        failed = told["errors"] + told["failures"]
        counts.add(Counts(told["tests"] - failed - told["skipped"], failed, told["skipped"]))
    return counts


def genconfig(run: Run) -> bool:
    """Write `etc/magnum/magnum.conf.sample`."""
    configuration = "etc/magnum/magnum-config-generator.conf"
    return run.call("oslo-config-generator", "--config-file", configuration, extra=QUIET)


def genpolicy(run: Run) -> bool:
    """Write `etc/magnum/policy.yaml.sample`."""
    configuration = "etc/magnum/magnum-policy-generator.conf"
    return run.call("oslopolicy-sample-generator", "--config-file", configuration, extra=QUIET)


ALL = (
    Stage("lint", "ruff, shellcheck, copies, requirements", lint),
    Stage("layers", "imports point downwards", layers),
    Stage("types", "mypy --strict", types),
    Stage("docs", "documentation", docs),
    Stage("releasenotes", "release notes", releasenotes),
    Stage("unit", "tests without servers", unit),
    Stage("functional", "tests with databases, a broker and a cloud", functional),
)
ON_DEMAND = (
    Stage("cover", "which lines the unit tests reach", cover),
    Stage("genconfig", "sample of the configuration file", genconfig),
    Stage("genpolicy", "sample of the policy file", genpolicy),
)
BY_NAME = {stage.name: stage for stage in (*ALL, *ON_DEMAND)}
