"""Real conductors that hear a stand-in for Heat: work ends with its word, and what others do is noticed."""

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from heatclient import client as heat_client
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from magnum.db.models import Bay, State
from magnum.lifecycle.submit import delete_bay, update_bay
from magnum.tests import engine
from magnum.tests.functional.conductor.bus import Bus
from magnum.tests.functional.conductor.processes import Conductors, status, swarm_bay, until
from tools.standin.client import StandIn


@pytest.fixture
def heat(tmp_path: Path, bus: Bus) -> Iterator[StandIn]:
    with StandIn(tmp_path, seconds_per_stack=1.0, notify=bus.url, topic=bus.topic) as found:
        yield found


def somebody(heat: StandIn, project: str) -> Any:
    """A Heat client of somebody else in a project."""
    who: dict[str, Any] = {"username": "demo", "user_domain_name": "Default", "password": "x"}
    auth = v3.Password(auth_url=heat.auth_url, project_id=project, **who)
    return heat_client.Client("1", session=Session(timeout=30), auth=auth)


def seconds_late(heat: StandIn, bay: Bay) -> float:
    """How long after Heat had ended its last action the bay's operation ended."""
    (stack,) = heat.stacks(f"bay-{bay.uuid}")
    ended = max(moment for moment, _, state in stack["history"] if state == "COMPLETE")
    finished = engine.operations_of(bay)[-1].finished_at
    assert finished is not None
    return float(finished.replace(tzinfo=UTC).timestamp() - ended)


@pytest.mark.timeout(600)
def test_conductors_finish_by_heats_word_alone(
    conductors: Conductors, heat: StandIn, bus: Bus
) -> None:
    for _ in range(2):
        conductors.start(poll=300, more=bus.sections() + heat.config())
    conductors.until_all_say("Heat is listened to")
    bays = [swarm_bay() for _ in range(6)]
    until(lambda: all(status(bay) == "CREATE_COMPLETE" for bay in bays))
    print([round(seconds_late(heat, bay), 2) for bay in bays])
    assert {operation.wakes for bay in bays for operation in engine.operations_of(bay)} == {1}
    for bay in bays:
        update_bay(engine.context(), engine.look(bay), 3)
    until(lambda: all(status(bay) == "UPDATE_COMPLETE" for bay in bays))
    for bay in bays:
        delete_bay(engine.context(), bay)
    until(lambda: all(engine.operations_of(bay)[-1].state == State.DONE for bay in bays))
    assert heat.live_stacks() == []


@pytest.mark.timeout(600)
def test_what_somebody_else_does_to_a_stack_is_noticed(
    conductors: Conductors, heat: StandIn, bus: Bus
) -> None:
    listening = bus.sections() + heat.config()
    conductors.start(poll=300, more=f"check_quiet = 0\n{listening}")
    conductors.until_all_say("Heat is listened to")
    changed, deleted = swarm_bay(), swarm_bay()
    until(lambda: {status(changed), status(deleted)} == {"CREATE_COMPLETE"})
    theirs = somebody(heat, changed.project_id).stacks
    for bay, touch in ((deleted, theirs.delete), (changed, theirs.update)):
        stack = engine.look(bay).stack_id
        more = {"existing": True, "parameters": {"node_count": 7}} if bay is changed else {}
        touch(f"bay-{bay.uuid}/{stack}", **more)
    gone = until(lambda: engine.look(deleted).status_reason)
    assert gone.startswith("STACK_GONE")
    other = until(lambda: engine.look(changed).status_reason)
    assert other.startswith("STACK_CHANGED")
    assert status(changed) == "CREATE_COMPLETE"
