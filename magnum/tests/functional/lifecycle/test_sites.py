"""The site of a bay: what its driver is told when it chooses, that the choice is kept, and how zones are counted."""

from collections.abc import Iterator
from typing import Any

import pytest

from magnum.conf import CONF
from magnum.db import operations, session
from magnum.db.models import Bay
from magnum.drivers.contract import Done, Facts, InvalidOption, Load, Wait, Work
from magnum.lifecycle import placement
from magnum.lifecycle.passes import Worker
from magnum.lifecycle.submit import update_bay
from magnum.tests import engine
from magnum.tests.engine import ScriptedDriver


@pytest.fixture(autouse=True)
def database(database_url: str) -> Iterator[None]:
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
    engine.use_database(database_url)
    yield
    CONF.clear_override("zones", "placement")
    session.engine().dispose()


def built_in(zones: str, project: str = "p1") -> Bay:
    """A complete bay in these zones."""
    driver = ScriptedDriver(Done(Facts(site={"zones": zones, "workers": zones})))
    bay = engine.a_bay(driver, engine.context(project))
    engine.run_all(engine.a_worker(driver))
    return engine.look(bay)


def pass_by(worker: Worker) -> None:
    engine.make_due()
    for operation_id in operations.due(engine.context(), 10):
        worker.run(operation_id)


def test_a_site_is_kept_and_shown_to_every_later_verb() -> None:
    bay = built_in("az1,az2")
    assert (bay.site, bay.zone) == ({"zones": "az1,az2", "workers": "az1,az2"}, "az1,az2")
    driver = ScriptedDriver()
    update_bay(engine.context(), bay, 3)
    engine.run_all(engine.a_worker(driver))
    assert driver.asked[0].bay.site == bay.site
    assert engine.look(bay).zone == "az1,az2"


def test_a_driver_is_told_the_loads_while_it_has_not_chosen() -> None:
    for zones, project in (("az1", "p1"), ("az1,az2", "p2"), ("az3", "p2")):
        built_in(zones, project)
    CONF.set_override("zones", {"az1": 2.0, "az4": 0.0}, "placement")
    told: list[Any] = []

    def chooses(work: Work) -> Wait:
        told.append((dict(work.loads), dict(work.zones)))
        return Wait(0, facts=Facts(site={"zones": "az1"}))

    def goes_on(work: Work) -> Done:
        told.append((dict(work.loads), dict(work.zones), work.bay.site))
        return Done()

    driver = ScriptedDriver(chooses, goes_on)
    engine.a_bay(driver, engine.context("p2"))
    # One conductor chooses, another one goes on.
    pass_by(engine.a_worker(driver, owner="one"))
    pass_by(engine.a_worker(driver, owner="other"))
    counted = {"az1": Load(2, 1), "az2": Load(1, 1), "az3": Load(1, 1)}
    assert told == [(counted, {"az1": 2.0, "az4": 0.0}), ({}, {}, {"zones": "az1"})]


def test_who_does_not_look_at_the_loads_costs_no_statement() -> None:
    def looks(work: Work) -> Done:
        assert len(work.loads) == 0
        return Done()

    sent = []
    for answer in (Done(), looks):
        driver = ScriptedDriver(answer)
        engine.a_bay(driver)
        with engine.statements() as statements:
            pass_by(engine.a_worker(driver))
        sent.append(len(statements))
    assert sent[1] == sent[0] + 1


def test_more_zones_than_are_counted_are_kept_all_the_same() -> None:
    zones = ",".join(f"zone-{number:03}" for number in range(60))
    bay = built_in(zones)
    assert bay.site is not None
    assert bay.site["zones"] == zones
    assert bay.zone is not None
    assert len(bay.zone) <= 255
    assert zones.startswith(f"{bay.zone},")


def test_a_zone_that_cannot_be_had_fails_with_words_for_the_user() -> None:
    driver = ScriptedDriver(InvalidOption("There is no availability zone 'mars'; there are az1."))
    bay = engine.a_bay(driver)
    engine.run_all(engine.a_worker(driver))
    (operation,) = engine.operations_of(bay)
    assert (operation.state, operation.error_code) == ("FAILED", "INVALID_OPTION")
    assert "'mars'" in str(engine.look(bay).status_reason)


def test_what_is_known_of_zones_without_the_cloud() -> None:
    built_in("az1")
    asker = engine.context()
    assert placement.zones(asker) == [placement.Zone("az1", None, 1, 1)]
    CONF.set_override("zones", {"az1": 2.0, "az4": 0.0}, "placement")
    assert placement.zones(asker) == [
        placement.Zone("az1", 2.0, 1, 1),
        placement.Zone("az4", 0.0, 0, 0),
    ]
