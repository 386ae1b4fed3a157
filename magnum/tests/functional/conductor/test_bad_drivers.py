"""Drivers that raise, hang, answer rubbish, leak threads or eat memory harm no bay but their own."""

from pathlib import Path

import pytest

from magnum.drivers.contract import Driver, Provides
from magnum.drivers.noop_v1.driver import Driver as NoopDriver
from magnum.tests import engine
from magnum.tests.functional.conductor.processes import Conductors, status, until

SOURCE = """
import threading
import time

from magnum.drivers import contract


class Driver(contract.Driver):
    name = "{name}"
    version = "1.0.0"
    provides = frozenset({{contract.Provides("vm", "none", "bad")}})

    def bay_create(self, work):
        {deed}
"""

DEEDS = {
    "raises_v1": "raise RuntimeError('a bug')",
    "exits_v1": "raise SystemExit(7)",
    "hangs_v1": "time.sleep(100000)",
    "rubbish_v1": "return {'status': 'done'}",
    "leaks_v1": "threading.Thread(target=time.sleep, args=(100000,), daemon=True).start()",
    "eats_v1": "return [bytearray(2**28) for _ in range(2**10)]",
}


def a_driver(called: str) -> Driver:
    """What acceptance has to know of a driver."""

    class Named(Driver):
        name = called
        version = "1.0.0"
        provides = frozenset({Provides("vm", "none", "bad")})

    return Named()


@pytest.mark.timeout(600)
def test_bays_of_good_drivers_are_built_all_the_same(
    conductors: Conductors, tmp_path: Path
) -> None:
    path = tmp_path / "drivers"
    path.mkdir(mode=0o755)
    for name, deed in DEEDS.items():
        (path / name).mkdir(mode=0o755)
        (path / name / "driver.py").write_text(SOURCE.format(name=name, deed=deed))
    process = conductors.start(
        more=f"[heat_events]\nenabled = false\n[drivers]\npaths = {path}\n",
        conductor="threads = 4\nstuck_seconds = 1\nmemory_limit = 2048\n",
    )
    # As many hang as there are threads: they would take all the room there is.
    wanted = [*DEEDS, "hangs_v1", "hangs_v1", "hangs_v1"]
    bad = [engine.a_bay(a_driver(name)) for name in wanted]
    good = [engine.a_bay(NoopDriver(), labels={"noop_delay": "0.5"}) for _ in range(8)]
    until(lambda: all(status(bay) == "CREATE_COMPLETE" for bay in good))
    assert {status(bay) for bay in bad} == {"CREATE_IN_PROGRESS"}
    assert process.poll() is None

    def told(name: str) -> str | None:
        return engine.look(bad[wanted.index(name)]).status_reason

    for name in ("raises_v1", "rubbish_v1", "leaks_v1", "eats_v1"):
        until(lambda name=name: (told(name) or "").startswith("DRIVER_ERROR"))  # type: ignore[misc]
