"""The stage `functional`: tests with databases, a broker or the cloud, in two lanes beside each other.

The lane `cloud` brings the cloud up and runs the tests that need it; the lane `local` runs all others meanwhile. They
share the servers, where each test has databases, topics and queues of its own.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tools.checks import background, servers
from tools.checks.lanes import Lane
from tools.checks.run import UNIT_TESTS, Ground, Run, Runner, at_the_terminal

#: Marks of the tests of each lane.
CLOUD = "cloud"
LOCAL = "(functional or postgresql or mysql or rabbit) and not cloud"
#: How often a test may try: a busy machine and programs of others now and then spoil one. The summary names these.
TRIES = 2
CLOUD_TESTS = ["magnum/tests/functional"]
LOCAL_TESTS = ["magnum/tests/functional", *UNIT_TESTS]


@contextmanager
def begun(run: Run) -> Iterator[Ground]:
    """Have the servers, and the lane of tests with the cloud at work; both are gone afterwards."""
    with _servers(run) as variables:
        lane = Lane("cloud", lambda lane: _with_cloud(run, variables, lane.run, lane.clean_up))
        run.ground = Ground(variables, lane)
        lane.start()
        try:
            yield run.ground
        finally:
            lane.stop()
            run.ground = None


def functional(run: Run) -> bool:
    """Run the tests that need databases, a broker or the cloud of `tools/cloud`."""
    if run.ground is not None:
        return _both(run, run.ground)
    cloud = not run.arguments or run.collects(CLOUD_TESTS, CLOUD)
    local = not run.arguments or not cloud or run.collects(LOCAL_TESTS, LOCAL)
    if cloud and local:
        with begun(run) as ground:
            return _both(run, ground)
    with _servers(run) as variables:
        if cloud:
            return _with_cloud(run, variables, at_the_terminal, at_the_terminal)
        return _local(run, variables)


@contextmanager
def _servers(run: Run) -> Iterator[dict[str, str]]:
    """Have the servers; yields the variables that name them."""
    state = run.checkout / ".state" / "test"
    with servers.running(servers.ALL, run.python, run.checkout, run.say, state) as found:
        run.skipped += [f"tests with {name}: {reason}" for name, reason in found.missing.items()]
        yield found.variables


def _both(run: Run, ground: Ground) -> bool:
    """Run the lane `local`, and see the one with the cloud to its end."""
    good = _local(run, ground.variables)
    run.say("the lane local is at its end")
    return ground.cloud.result() and good


def _local(run: Run, variables: Mapping[str, str]) -> bool:
    return run.pytest("local", LOCAL, LOCAL_TESTS, extra=variables, tries=TRIES)


def _with_cloud(run: Run, variables: Mapping[str, str], runner: Runner, clean_up: Runner) -> bool:
    """Run the tests that need the cloud.

    :param runner: how commands are run.
    :param clean_up: how the cloud is taken down.
    """
    with _cloud(run, runner, clean_up) as more:
        extra = {**variables, **more}
        return run.pytest("cloud", CLOUD, CLOUD_TESTS, extra=extra, runner=runner, tries=TRIES)


@contextmanager
def _cloud(run: Run, runner: Runner, clean_up: Runner) -> Iterator[dict[str, str]]:
    """Have the cloud; it is taken down at the end unless it was there before. Yields variables that say so."""
    cloud = str(run.checkout / "tools" / "cloud")
    there = {"MAGNUM_TEST_CLOUD": "1"}
    told = os.environ.get("MAGNUM_TEST_CLOUD") == "1"
    if told or subprocess.run([cloud, "status"], capture_output=True, check=False).returncode == 0:
        run.say("the cloud of tools/cloud is up; using it as it is")
        yield there
        return
    run.say("bringing up the cloud (tools/cloud up)")
    state = run.checkout / ".state" / "cloud"
    # A cloud that was never here leaves no data behind either.
    wipe = [] if state.exists() else ["--wipe"]
    lacking = background.lacking_for_nodes(run.checkout)
    if lacking is not None:
        run.skipped.append(f"tests with real nodes: {lacking}")
    nodes = ["--nodes", "--with", "octavia"] if lacking is None else []
    try:
        if runner([cloud, "up", *nodes], run.checkout, os.environ) == 0:
            yield there
        else:
            run.skipped.append("tests with a cloud: `tools/cloud up` failed, it said why")
            yield {}
    finally:
        if state.exists():
            clean_up([cloud, "down", *wipe], run.checkout, os.environ)
