"""Services that do not answer: conductors pass it on, and new bays go to drivers that can do without."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from magnum.common.context import service_context
from magnum.conf import CONF
from magnum.db import clock, session
from magnum.db.models import Outage
from magnum.drivers import catalogue
from magnum.drivers.contract import Driver, Provides
from magnum.drivers.heat.driver import HeatDriver
from magnum.drivers.placement import Wish
from magnum.identity import breaker
from magnum.lifecycle import outages, placement
from magnum.lifecycle.outages import Reporter
from magnum.tests import engine
from magnum.tests.breakers import Clock, moved_by_hand

OFFER = frozenset({Provides("vm", "atomic", "swarm")})
WISH = Wish("p1", server_type="vm", os_distro="atomic", coe="swarm")


class NeedsHeat(HeatDriver):
    """The one that would be taken."""

    name = "heat_v2"
    version = "2.0.0"
    provides = OFFER


class NeedsNothing(Driver):
    """The one that is left when Heat does not answer."""

    name = "plain_v1"
    version = "1.0.0"
    provides = OFFER


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return moved_by_hand(monkeypatch)


@pytest.fixture(autouse=True)
def world(database_url: str, time: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
    engine.use_database(database_url)
    known = catalogue.Catalogue([NeedsHeat(), NeedsNothing()])
    monkeypatch.setattr(catalogue, "catalogue", lambda: known)
    breaker.forget()
    outages.forget()
    yield
    breaker.forget()
    outages.forget()
    session.engine().dispose()


def fails(times: int = CONF.breaker.failure_threshold, region: str | None = None) -> None:
    """Heat does not answer in this process."""
    for _ in range(times):
        with pytest.raises(breaker.Broken), breaker.circuit("orchestration", region):
            raise breaker.Broken(FakeResponse())  # type: ignore[arg-type]


def works() -> None:
    """Heat answers."""
    with breaker.circuit("orchestration", None):
        pass


class FakeResponse:
    """Stands for an answer of a service that is broken."""

    status_code = 500


def rows() -> list[tuple[str, str, str]]:
    with session.reader(service_context()) as db:
        found = db.execute(select(Outage.service_type, Outage.region, Outage.host))
        return sorted(tuple(row) for row in found)  # type: ignore[misc]


def chosen() -> str:
    outages.forget()
    decision = placement.decide(engine.context(), WISH)
    assert decision.chosen is not None
    return decision.chosen.driver


def test_an_outage_is_passed_on_and_taken_back(time: Clock) -> None:
    one, other = Reporter("host-a:1:aaaa"), Reporter("host-b:2:bbbb")
    assert chosen() == "heat_v2"
    fails()
    one.report()
    other.report()
    assert [host for _, _, host in rows()] == ["host-a:1:aaaa", "host-b:2:bbbb"]
    assert chosen() == "plain_v1"
    time.now += CONF.breaker.recovery_seconds + 1
    works()
    one.report()
    assert chosen() == "plain_v1", "the other conductor has not reached it yet"
    other.report()
    assert rows() == []
    assert chosen() == "heat_v2"


def test_a_row_counts_no_longer_than_the_circuit_is_open() -> None:
    Reporter("a").report()
    fails()
    Reporter("a").report()
    with session.writer(service_context()) as db:
        db.execute(session.changing(Outage).values(until=clock.now(-1)))
    assert chosen() == "heat_v2"


def test_a_try_that_fails_is_noted_anew(time: Clock) -> None:
    reporter = Reporter("a")
    fails()
    reporter.report()
    time.now += CONF.breaker.recovery_seconds + 1
    with session.writer(service_context()) as db:
        db.execute(session.changing(Outage).values(until=clock.now(-1)))
    reporter.report()  # may be tried, and was not yet
    assert chosen() == "heat_v2"
    fails(1)
    reporter.report()
    assert chosen() == "plain_v1"
    assert len(rows()) == 1


def test_without_news_nothing_is_sent() -> None:
    reporter = Reporter("a")
    works()
    with engine.statements() as sent:
        for _ in range(10):
            reporter.report()
    assert sent == []
    fails()
    reporter.report()
    with engine.statements() as sent:
        for _ in range(10):
            reporter.report()
    assert sent == []


def test_where_only_one_driver_is_left_nothing_is_looked_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fails()
    Reporter("a").report()
    known = catalogue.Catalogue([NeedsHeat()])
    monkeypatch.setattr(catalogue, "catalogue", lambda: known)
    with engine.statements() as sent:
        assert chosen() == "heat_v2"
    assert sent == []
    decision = placement.decide(engine.context(), WISH, explain=True)
    assert decision.assessments[0].notes == {
        "health": "its services do not answer (orchestration), and no other driver could serve"
    }


def test_what_was_found_is_remembered_for_a_while() -> None:
    chosen()
    with engine.statements() as sent:
        placement.decide(engine.context(), WISH)
    assert len(sent) == 1, "only the bays are counted"


def test_another_region_is_none_of_our_business() -> None:
    fails(region="elsewhere")
    Reporter("a").report()
    assert [region for _, region, _ in rows()] == ["elsewhere"]
    assert chosen() == "heat_v2"


def test_the_names_of_two_processes_of_a_long_host_name_differ() -> None:
    fails()
    for end in ("11111111", "22222222"):
        Reporter(f"{'h' * 80}:1:{end}").report()
    assert len(rows()) == 2
