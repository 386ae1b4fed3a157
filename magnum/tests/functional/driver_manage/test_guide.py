"""The road of the author's guide, on a conductor that runs all the while: a fork, a bay of it, a newer version."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from magnum.common.context import service_context
from magnum.db import session
from magnum.db.models import Operation, State
from magnum.drivers.contract import Driver
from magnum.lifecycle.submit import delete_bay
from magnum.tests import engine
from magnum.tests.functional.conductor.processes import Conductors, status, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def manage(*words: str) -> str:
    """Run magnum-driver-manage in a process of its own."""
    command = [sys.executable, "-m", "magnum.cmd.driver_manage", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def is_done(operation: int) -> bool:
    """Whether an operation has come to its good end."""
    with session.reader(service_context()) as db:
        found = db.get(Operation, operation)
        return found is None or found.state == State.DONE


def test_from_a_name_to_a_bay_and_on_to_the_next_version(
    place: Path, settings: str, conductors: Conductors, driver: Callable[[str, str], Driver]
) -> None:
    conductors.start(more=settings)
    manage("new", "mine_v1", "--from", "noop_v1", "--to", str(place))
    first = engine.a_bay(driver("mine_v1", "1.0.0"))
    until(lambda: status(first) == "CREATE_COMPLETE")

    version = place / "mine_v1" / "version.py"
    version.write_text(version.read_text().replace("1.0.0", "1.1.0"))
    assert "all is well" in manage("validate", str(place / "mine_v1"))
    second = engine.a_bay(driver("mine_v1", "1.1.0"))
    until(lambda: status(second) == "CREATE_COMPLETE")
    assert [engine.look(bay).driver_version for bay in (first, second)] == ["1.0.0", "1.1.0"]
    assert "~ version: 1.0.0 -> 1.1.0" in manage("diff", "noop_v1", str(place / "mine_v1"))
    assert " passed" in manage("conformance", str(place / "mine_v1"))

    for bay in (first, second):
        delete_bay(engine.context(), engine.look(bay))
        operation = engine.operations_of(bay)[-1].id
        until(partial(is_done, operation))
