"""Conductor processes look at running clusters: each by one of them, and by another one when it dies."""

from sqlalchemy import func, select

from magnum.common.context import service_context
from magnum.db import session
from magnum.db.models import Bay, Event
from magnum.drivers.noop_v1.driver import Driver as NoopDriver
from magnum.lifecycle.submit import NewBay, create_bay
from magnum.tests import engine
from magnum.tests.functional.conductor.processes import Conductors, until

#: Much faster than in real life, and without messages from Heat.
FAST = "[health]\ninterval = 1\n[heat_events]\nenabled = false\n"


def noop_bays(count: int) -> list[Bay]:
    asker = engine.context()
    model = engine.a_baymodel(asker, coe="noop", tls_disabled=True)
    return [
        create_bay(asker, NewBay(f"b{number}", model, NoopDriver())).bay for number in range(count)
    ]


def health(status: str) -> int:
    """How many bays are in this health."""
    with session.reader(service_context()) as db:
        return int(db.scalar(select(func.count()).where(Bay.health_status == status)) or 0)


def changes() -> int:
    """How often the timelines say that a bay's health has changed."""
    with session.reader(service_context()) as db:
        return int(db.scalar(select(func.count()).where(Event.code == "HEALTH_CHANGED")) or 0)


def order(status: str) -> None:
    """Have the clusters be so from now on; nobody is told."""
    with session.writer(service_context()) as db:
        db.execute(session.changing(Bay).values(labels={"noop_health": status}))


def test_bays_are_looked_at_by_two_and_by_the_one_that_is_left(conductors: Conductors) -> None:
    first, _ = [conductors.start(more=FAST) for _ in range(2)]
    noop_bays(8)
    until(lambda: health("HEALTHY") == 8)
    assert changes() == 8
    order("UNHEALTHY")
    until(lambda: health("UNHEALTHY") == 8)
    assert changes() == 16, "each change is told once, whoever saw it"
    conductors.kill(first)
    order("HEALTHY")
    until(lambda: health("HEALTHY") == 8)
    assert changes() == 24
