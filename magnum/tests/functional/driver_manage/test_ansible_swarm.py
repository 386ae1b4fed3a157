"""The example that needs no Heat: a directory, a real conductor, the real ansible-runner, and a kill in the middle."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from magnum.db.models import Bay, State
from magnum.drivers.conformance.plugin import SUITE
from magnum.drivers.contract import Driver
from magnum.lifecycle.submit import delete_bay, update_bay
from magnum.tests import engine
from magnum.tests.functional.conductor.processes import Conductors, status, until
from magnum.tests.functional.driver_manage.conftest import put
from tools.openstack import venvs
from tools.openstack.console import Progress

EXAMPLE = Path(__file__).parents[4] / "tools" / "examples" / "ansible_swarm_v1"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(name="state")
def a_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the driver keeps its clusters; its Python is an environment made from the example's requirements."""
    state = tmp_path / "state"
    venv = venvs.cached(EXAMPLE / "requirements.txt", Progress(quiet=True))
    monkeypatch.setenv("ANSIBLE_SWARM_STATE", str(state))
    monkeypatch.setenv("ANSIBLE_SWARM_PYTHON", str(venv / "bin" / "python"))
    yield state
    for path in state.glob("*/run/pid"):
        os.kill(int(path.read_text()), signal.SIGTERM)


def runs(state: Path, bay: Bay) -> list[str]:
    """The runs of ansible-runner that there were."""
    return sorted(path.name for path in (state / bay.uuid / "run" / "artifacts").iterdir())


def processes_of(state: Path, bay: Bay) -> list[str]:
    """Command lines of the bay's runs, and of what they have started."""
    shown = subprocess.run(
        ["ps", "-wweo", "pid,ppid,args"], capture_output=True, text=True, check=True
    )
    lines = [line.split(maxsplit=2) for line in shown.stdout.splitlines()[1:]]
    found = {pid for pid, _, args in lines if str(state / bay.uuid) in args}
    while more := {pid for pid, parent, _ in lines if parent in found} - found:
        found |= more
    return [args for pid, _, args in lines if pid in found]


def test_a_playbook_outlives_its_conductor_and_is_found_again(
    state: Path,
    place: Path,
    settings: str,
    conductors: Conductors,
    driver: Callable[[str, str], Driver],
) -> None:
    put(EXAMPLE, place)
    first = conductors.start(more=settings)
    ansible = driver("ansible_swarm_v1", "1.0.0")
    bay = engine.a_bay(ansible, labels={"ansible_pause": "6"}, node_count=2)
    pid = state / bay.uuid / "run" / "pid"
    until(pid.exists)
    conductors.kill(first)
    os.kill(int(pid.read_text()), 0)  # it still runs
    assert status(bay) == "CREATE_IN_PROGRESS"

    conductors.start(more=settings)
    until(lambda: status(bay) == "CREATE_COMPLETE")
    assert runs(state, bay) == ["apply-1"]
    seen = engine.look(bay)
    assert seen.api_address == "tcp://192.0.2.1:2376"
    assert [group.node_addresses for group in seen.node_groups] == [
        ["192.0.2.1"],
        ["192.0.2.101", "192.0.2.102"],
    ]

    update_bay(engine.context(), seen, 1)
    until(lambda: status(bay) == "UPDATE_COMPLETE")
    assert runs(state, bay) == ["apply-1", "apply-2"]
    nodes = {path.name for path in (state / bay.uuid / "cluster").iterdir()}
    assert nodes == {"default-master-0", "default-worker-0"}

    delete_bay(engine.context(), engine.look(bay))
    until(lambda: engine.operations_of(bay)[-1].state == State.DONE)
    assert list(state.iterdir()) == []


def test_a_deletion_stops_the_playbook_that_builds(
    state: Path,
    place: Path,
    settings: str,
    conductors: Conductors,
    driver: Callable[[str, str], Driver],
) -> None:
    put(EXAMPLE, place)
    conductors.start(more=settings)
    bay = engine.a_bay(driver("ansible_swarm_v1", "1.0.0"), labels={"ansible_pause": "600"})
    until(lambda: any("AnsiballZ" in line for line in processes_of(state, bay)))
    delete_bay(engine.context(), engine.look(bay))
    until(lambda: engine.operations_of(bay)[-1].state == State.DONE)
    assert list(state.iterdir()) == []
    assert processes_of(state, bay) == []


def test_a_playbook_that_fails_fails_the_bay(
    state: Path,
    place: Path,
    settings: str,
    conductors: Conductors,
    driver: Callable[[str, str], Driver],
) -> None:
    playbook = put(EXAMPLE, place) / "playbooks" / "apply.yml"
    text = playbook.read_text()
    task = "    - name: Look for trouble\n      ansible.builtin.fail:\n"
    playbook.write_text(text.replace("  tasks:\n", f"  tasks:\n{task}", 1))
    conductors.start(more=settings)
    bay = engine.a_bay(driver("ansible_swarm_v1", "1.0.0"))
    until(lambda: status(bay) == "CREATE_FAILED")
    assert "the task 'Look for trouble' failed" in str(engine.look(bay).status_reason)


def test_it_passes_the_conformance_suite(place: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "magnum.drivers.conformance.plugin"]
    command += ["-c", os.devnull, "--rootdir", str(tmp_path), "-p", "no:cacheprovider"]
    command += [f"--driver-dir={put(EXAMPLE, place)}", str(SUITE)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
