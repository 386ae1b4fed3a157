"""The command line of `tools/test`: chooses the stages, runs them and adds up."""

import argparse
import os
import signal
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tools.checks import background, environment, functional, stages
from tools.checks.reports import Counts
from tools.checks.run import Run
from tools.openstack.console import Progress, run

DESCRIPTION = """\
Run the checks and tests of the project: all of them, or the stages that are named.

What is needed is set up first: a virtual environment, database servers and a broker
where none runs (existing ones are used and never stopped), and the cloud of tools/cloud for the
tests that need it. What could not be run is named at the end; with CI=true that is a failure.
"""
EPILOG = """\
examples:
  tools/test                                        everything
  tools/test lint layers types unit                 what to run before a commit (about a minute)
  tools/test unit -- -k baymodel -x                 some unit tests
  tools/test functional -- magnum/tests/functional/db

environment:
  MAGNUM_TEST_POSTGRESQL, MAGNUM_TEST_MYSQL, MAGNUM_TEST_RABBIT
                          URLs of servers to use instead of those on the loopback interface
  MAGNUM_TEST_CLOUD       1: the cloud of tools/cloud is up; MAGNUM_TEST_CLOUD_STATE names its
                          folder if that is not .state/cloud
  CI                      true: what cannot be run is a failure
"""

FUNCTIONAL = stages.BY_NAME["functional"]
#: Tests that are named for each run of pytest, because they took longest.
SLOWEST = 15


@dataclass(frozen=True)
class Result:
    """How a stage ended, and after how many seconds."""

    stage: stages.Stage
    good: bool
    seconds: float


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for; 0 when all was well."""
    chosen, options = _parse(sys.argv[1:] if arguments is None else arguments)
    for number in (signal.SIGINT, signal.SIGTERM):  # also where our parent ignores them
        signal.signal(number, signal.default_int_handler)
    checkout = Path(__file__).resolve().parents[2]
    say = Progress()
    # What takes longest begins first, beside the other stages.
    early = len(chosen) > 1 and FUNCTIONAL in chosen and not options.pytest
    if early:
        background.prepare(checkout)
    python = Path(options.python) if options.python else environment.build(checkout, say)
    work = Run(checkout, python, say, options.pytest)
    with ExitStack() as stack:
        if early:
            stack.enter_context(functional.begun(work))
        results = [_run(stage, work) for stage in chosen]
    return _summary(results, work)


def _parse(arguments: list[str]) -> tuple[list[stages.Stage], argparse.Namespace]:
    default = [stage.name for stage in stages.ALL]
    lines = [f"  {stage.name:13} {stage.headline}" for stage in stages.BY_NAME.values()]
    parser = argparse.ArgumentParser(
        prog="tools/test",
        description=DESCRIPTION,
        epilog="\n".join(["stages:", *lines, "", EPILOG]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="tools/test [STAGE ...] [--python PATH] [-- PYTEST ARGUMENT ...]",
    )
    parser.add_argument(
        "stages",
        nargs="*",
        metavar="STAGE",
        help=f"stages to run (default: {' '.join(default)})",
    )
    parser.add_argument(
        "--python",
        metavar="PATH",
        help="use the environment of this interpreter as it is and build none (tox does)",
    )
    ours, separator, pytest = _split(arguments)
    options = parser.parse_args(ours)
    options.pytest = pytest
    unknown = [name for name in options.stages if name not in stages.BY_NAME]
    if unknown:
        parser.error(f"no stage {unknown[0]!r}; there are {', '.join(stages.BY_NAME)}")
    if separator and not options.stages:
        parser.error("arguments for pytest need a stage: tools/test unit -- ...")
    return [stages.BY_NAME[name] for name in options.stages or default], options


def _split(arguments: list[str]) -> tuple[list[str], bool, list[str]]:
    """Cut at the first `--`."""
    if "--" not in arguments:
        return arguments, False, []
    place = arguments.index("--")
    return arguments[:place], True, arguments[place + 1 :]


def _run(stage: stages.Stage, work: Run) -> Result:
    began = time.monotonic()
    work.stage = stage.name
    print(f"\n=== {stage.name}: {stage.headline}", flush=True)
    good = stage.work(work)
    seconds = time.monotonic() - began
    print(f"--- {stage.name}: {'ok' if good else 'FAILED'} in {seconds:.0f} s", flush=True)
    return Result(stage, good, seconds)


def _summary(results: list[Result], work: Run) -> int:
    """Tell of the tests, how each stage ended and what was skipped, and last the line that counts the tests."""
    _tell_of_tests(work)
    print("\n=== summary")
    for result in results:
        print(
            f"{result.stage.name:13} {'ok' if result.good else 'FAILED':7} {result.seconds:5.0f} s"
        )
    in_ci = os.environ.get("CI", "").lower() in ("1", "true", "yes")
    for reason in work.skipped:
        print(f"skipped: {reason}")
    if work.skipped and in_ci:
        print("error: nothing may be skipped in CI")
    counts = Counts()
    for report in work.reports:
        counts.add(report.counts)
    lost = len(work.skipped) if in_ci else 0
    # A stage that failed without a failed test counts as one, so that the last line never hides it.
    broken = sum(not result.good for result in results)
    failed = max(counts.failed, broken) + lost
    skipped = f", {counts.skipped} skipped" if counts.skipped else ""
    print(
        f"{counts.passed} passed, {failed} failed{skipped} in {work.say.elapsed:.0f}s", flush=True
    )
    return 1 if failed else 0


def _tell_of_tests(work: Run) -> None:
    """For each run of pytest: counts, which tests took longest, and which failed."""
    for report in work.reports:
        counts, seconds = report.counts, sum(case.seconds for case in report.cases)
        print(
            f"\n=== tests of {report.name}: {counts.passed} passed, {counts.failed} failed, "
            f"{counts.skipped} skipped; {seconds:.0f} s of tests, the slowest:"
        )
        for case in report.slowest(SLOWEST):
            print(f"{case.seconds:7.1f} s  {case.name}")
    unsteady = [case for report in work.reports for case in report.unsteady]
    if unsteady:
        print("\n=== failed once, and passed when tried again: look into these")
    for case in unsteady:
        print(f"UNSTEADY {case.name} - {case.before}")
    failures = [case for report in work.reports for case in report.failures]
    if failures:
        print("\n=== failed tests")
    for case in failures:
        print(f"FAILED {case.name} - {case.failure}")
        if case.before is not None:
            print(f"       the first time - {case.before}")


if __name__ == "__main__":
    run(main)
