"""Real conductors beside a cloud that does not answer: operations wait, and the cloud is left alone."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from magnum.common.context import service_context
from magnum.db import clock, session
from magnum.db.models import Operation, State
from magnum.tests import engine
from magnum.tests.functional.conductor.processes import Conductors, status, swarm_bay, until
from tools.standin.client import StandIn

SETTINGS = """\
retry_first = 0.1
retry_longest = 0.2
[breaker]
failure_threshold = 3
recovery_seconds = 2
"""


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One kind of database is enough here."""
    return f"sqlite:///{tmp_path}/magnum.sqlite"


@pytest.fixture
def heat(tmp_path: Path) -> Iterator[StandIn]:
    with StandIn(tmp_path, seconds_per_stack=0.2) as found:
        yield found


def asked(heat: StandIn, service: str, since: int = 0) -> int:
    """How many requests a service has got."""
    return len(heat.ledger(since, service=service))


@pytest.mark.parametrize("trouble", [{"status": 503}, {"status": 500}, {"lose": True}], ids=str)
def test_operations_wait_while_heat_does_not_answer(
    conductors: Conductors, heat: StandIn, trouble: dict[str, Any]
) -> None:
    number = heat.behave(service="orchestration", **trouble)
    conductors.start(poll=0.2, more=SETTINGS + heat.config())
    began = time.monotonic()
    bays = [swarm_bay() for _ in range(4)]
    until(lambda: all(engine.operations_of(bay)[0].attempts >= 10 for bay in bays))
    (attempts, states) = zip(
        *((found.attempts, found.state) for bay in bays for found in engine.operations_of(bay)),
        strict=True,
    )
    probes = (time.monotonic() - began) / 2 + 1
    # Three to open the circuit, each sent at most once again by a lost connection; then the probes.
    assert asked(heat, "orchestration") <= 2 * 3 + 4 + probes
    assert sum(attempts) >= 40
    assert set(states) == {State.RUNNING}
    assert {engine.look(bay).status for bay in bays} == {"CREATE_IN_PROGRESS"}
    texts = [engine.operations_of(bay)[0].error_operator_text or "" for bay in bays]
    assert any("The orchestration service in region RegionOne" in text for text in texts)
    heat.well(number)
    until(lambda: all(status(bay) == "CREATE_COMPLETE" for bay in bays))
    assert {len(heat.stacks(f"bay-{bay.uuid}")) for bay in bays} == {1}
    for bay in bays:
        codes = engine.events_of(bay)
        assert codes[0] == "ACCEPTED"
        assert "RETRYING" in codes
        assert codes[-1] == "DONE"
        assert "FAILED" not in codes
    (log,) = conductors.logs()
    assert "is left alone for 2 s" in log
    assert "answers again" in log


def test_keystone_that_does_not_answer_is_left_alone_too(
    conductors: Conductors, heat: StandIn
) -> None:
    number = heat.behave(service="identity", status=503)
    conductors.start(poll=0.2, more=SETTINGS + heat.config())
    began = time.monotonic()
    bays = [swarm_bay() for _ in range(3)]
    until(lambda: all(engine.operations_of(bay)[0].attempts >= 10 for bay in bays))
    assert asked(heat, "identity") <= 2 * 3 + 3 + (time.monotonic() - began) / 2 + 1
    assert asked(heat, "orchestration") == 0
    assert {engine.operations_of(bay)[0].error_code for bay in bays} == {"CLOUD_UNAVAILABLE"}
    heat.well(number)
    until(lambda: all(status(bay) == "CREATE_COMPLETE" for bay in bays))


def test_at_its_deadline_a_waiting_operation_fails_with_the_reason(
    conductors: Conductors, heat: StandIn
) -> None:
    heat.behave(service="orchestration", status=503)
    conductors.start(poll=0.2, more=SETTINGS + heat.config())
    bay = swarm_bay()
    until(lambda: engine.operations_of(bay)[0].attempts >= 5)
    assert engine.operations_of(bay)[0].state == State.RUNNING
    with session.writer(service_context()) as db:
        db.execute(session.changing(Operation).values(deadline=clock.now(0.5)))
    until(lambda: engine.operations_of(bay)[0].state == State.FAILED)
    reason = engine.look(bay).status_reason or ""
    assert reason.startswith("DEADLINE_EXCEEDED")
    assert "CLOUD_" in reason
