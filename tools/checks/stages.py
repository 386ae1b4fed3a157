"""The stages of `tools/test`: what each one runs, and with what. tox calls the same stages."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass

from tools.checks import files
from tools.checks.functional import functional
from tools.checks.run import UNIT_TESTS, Run

NOT_UNIT = "functional or postgresql or mysql or rabbit or cloud"
# For generators: libraries of OpenStack announce on every start that eventlet will go.
QUIET = {"PYTHONWARNINGS": "ignore"}


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
        if files.is_python_script(path) and not files.is_for_nodes(path)
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
    return run.pytest("unit", f"not ({NOT_UNIT})", UNIT_TESTS)


def cover(run: Run) -> bool:
    """Run the unit tests and say which lines they reach."""
    program = ("coverage", "run", "-m", "pytest")
    good = run.pytest("cover", f"not ({NOT_UNIT})", UNIT_TESTS, program=program)
    return run.call("coverage", "html", "--quiet") and run.call("coverage", "report") and good


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
