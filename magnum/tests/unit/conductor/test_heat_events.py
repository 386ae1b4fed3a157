"""Which of Heat's notifications mean something to us, and how often stacks are looked at while Heat is heard."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from oslo_db import exception as db_exception
from sqlalchemy.exc import OperationalError

from magnum.conductor.heat_events import Endpoint, Flow
from magnum.conf import CONF
from magnum.db import operations
from magnum.lifecycle import submit

BAY = "0a1b2c3d-1111-2222-3333-444455556666"


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
    CONF.set_override("poll_interval", 30.0, "heat_events")
    yield
    CONF.clear_override("poll_interval", "heat_events")
    CONF.clear_override("poll_interval", "lifecycle")


class FakePool:
    """Keeps what was submitted."""

    def __init__(self) -> None:
        self.submitted: list[int] = []

    def submit(self, operation_id: int) -> bool:
        self.submitted.append(operation_id)
        return True


@dataclass
class FakeStore:
    """In the place of the database: what was asked of it, and what it answers."""

    wakes: list[int] = field(default_factory=list)
    check: int | None = None
    trouble: Exception | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    def wake(self, context: Any, bay_uuid: str) -> list[int]:
        self.asked.append(("wake", bay_uuid))
        if self.trouble:
            raise self.trouble
        return self.wakes

    def check_bay(self, context: Any, bay_uuid: str, quiet: float) -> int | None:
        self.asked.append(("check", bay_uuid))
        assert quiet == CONF.lifecycle.check_quiet
        return self.check


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakeStore:
    made = FakeStore()
    monkeypatch.setattr(operations, "wake", made.wake)
    monkeypatch.setattr(submit, "check_bay", made.check_bay)
    return made


@pytest.fixture
def pool() -> FakePool:
    return FakePool()


@pytest.fixture
def endpoint(pool: FakePool) -> Endpoint:
    return Endpoint(pool, Flow())  # type: ignore[arg-type]


def tell(endpoint: Endpoint, event: Any, payload: Any = None, *, error: bool = False) -> None:
    payload = {"stack_name": f"bay-{BAY}"} if payload is None else payload
    said = endpoint.error if error else endpoint.info
    said({}, "orchestration.host", event, payload, {})


ACTIONS = ["create", "update", "delete", "suspend", "resume", "check", "rollback", "restore"]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("phase", ["end", "error"])
def test_the_end_of_an_action_wakes_the_bays_operation(
    endpoint: Endpoint, store: FakeStore, pool: FakePool, action: str, phase: str
) -> None:
    store.wakes = [7]
    tell(endpoint, f"orchestration.stack.{action}.{phase}", error=phase == "error")
    assert store.asked == [("wake", BAY)]
    assert pool.submitted == [7]


@pytest.mark.parametrize("action", [*ACTIONS, "snapshot", "abandon"])
def test_a_bay_at_rest_is_looked_at_where_somebody_touched_it(
    endpoint: Endpoint, store: FakeStore, pool: FakePool, action: str
) -> None:
    store.check = 9
    tell(endpoint, f"orchestration.stack.{action}.end")
    touching = action not in ("create", "snapshot", "abandon")
    assert pool.submitted == ([9] if touching else [])


def test_our_own_echo_is_nothing(endpoint: Endpoint, store: FakeStore, pool: FakePool) -> None:
    tell(endpoint, "orchestration.stack.update.end")
    assert store.asked == [("wake", BAY), ("check", BAY)]
    assert pool.submitted == []


@pytest.mark.parametrize("action", ACTIONS)
def test_what_begins_is_no_reason_to_look(
    endpoint: Endpoint, store: FakeStore, action: str
) -> None:
    tell(endpoint, f"orchestration.stack.{action}.start")
    assert store.asked == []


@pytest.mark.parametrize(
    "name",
    [
        f"bay-{BAY}-workers-abc123-0-xyz",
        f"bay-{BAY}-",
        f"bay-{BAY}\n",
        f"xbay-{BAY}",
        f"bay-{BAY.upper()}",
        f"bay-{BAY[:-1]}",
        "bay-",
        "wordpress",
        "",
        None,
        7,
        [f"bay-{BAY}"],
    ],
)
def test_other_stacks_are_none_of_our_business(
    endpoint: Endpoint, store: FakeStore, name: Any
) -> None:
    tell(endpoint, "orchestration.stack.update.end", {"stack_name": name})
    assert store.asked == []
    assert endpoint._flow.poll_interval() == 30.0  # but Heat is heard


@pytest.mark.parametrize(
    "event",
    [
        None,
        7,
        "",
        "orchestration.stack.update",
        "orchestration.stack.update.end.more",
        "orchestration.stack..end",
        "xorchestration.stack.update.end",
        "orchestration.autoscaling.start",
        "compute.instance.create.end",
        ["orchestration.stack.update.end"],
    ],
)
def test_other_notifications_are_not_heat(endpoint: Endpoint, store: FakeStore, event: Any) -> None:
    tell(endpoint, event)
    assert store.asked == []
    assert endpoint._flow.poll_interval() == CONF.lifecycle.poll_interval


@pytest.mark.parametrize("payload", [[], "text", 7, {}, {"stack_name": {}}, {"name": f"bay-{BAY}"}])
def test_a_payload_that_makes_no_sense_is_nothing(
    endpoint: Endpoint, store: FakeStore, payload: Any
) -> None:
    tell(endpoint, "orchestration.stack.update.end", payload)
    assert store.asked == []


@pytest.mark.parametrize(
    "trouble",
    [db_exception.DBConnectionError(), OperationalError("SELECT", {}, Exception("gone"))],
)
def test_without_a_database_the_loss_is_logged(
    endpoint: Endpoint, store: FakeStore, trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    store.trouble = trouble
    caplog.set_level(logging.ERROR)
    tell(endpoint, "orchestration.stack.update.end")
    (record,) = caplog.records
    assert BAY in record.getMessage()
    store.trouble, store.wakes = None, [7]
    tell(endpoint, "orchestration.stack.update.end")
    assert endpoint._pool.submitted == [7]  # type: ignore[attr-defined]


# --- polling ---------------------------------------------------------------------------------------------------------


class Clock:
    """Moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_stacks_are_polled_slowly_as_long_as_heat_is_heard() -> None:
    clock = Clock()
    flow = Flow(clock)
    assert flow.poll_interval() == 5.0
    flow.heard()
    assert flow.poll_interval() == 30.0
    clock.now = 600.0
    assert flow.poll_interval() == 30.0
    clock.now = 601.0
    assert flow.poll_interval() == 5.0
    flow.heard()
    assert flow.poll_interval() == 30.0


def test_events_never_make_polling_faster() -> None:
    CONF.set_override("poll_interval", 60.0, "lifecycle")
    flow = Flow()
    flow.heard()
    assert flow.poll_interval() == 60.0
