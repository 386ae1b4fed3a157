"""What a driver says against a bay before it is accepted, and drivers that fail or hang over it."""

import logging
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from magnum.drivers import asking
from magnum.drivers.contract import Driver, InvalidOption, NotSupported, Work
from magnum.lifecycle import refusals
from magnum.lifecycle.refusals import Refused

WORK: Any = SimpleNamespace()


class Asked(Driver):
    """Answers with what it is told to."""

    name = "asked_v1"
    version = "1.0.0"

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.times = 0

    def refuse(self, work: Work) -> None:
        self.times += 1
        if self.error is not None:
            raise self.error


def test_nothing_against_it() -> None:
    driver = Asked()
    refusals.check(driver, WORK)
    assert driver.times == 1


def test_what_is_wrong_is_told_with_its_name() -> None:
    with pytest.raises(Refused) as caught:
        refusals.check(Asked(InvalidOption("Set size to 3.", option="size")), WORK)
    assert caught.value.text == "Driver asked_v1: Set size to 3."
    assert caught.value.option == "size"
    assert (caught.value.status, caught.value.code) == (400, "INVALID_FIELD")


def test_what_a_driver_cannot_do_has_no_name() -> None:
    with pytest.raises(Refused) as caught:
        refusals.check(Asked(NotSupported("No groups.")), WORK)
    assert caught.value.option == ""


@pytest.mark.parametrize("error", [ValueError("planted-secret"), SystemExit("planted-secret")])
def test_a_fault_of_the_driver_refuses_nothing(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        refusals.check(Asked(error), WORK)
    assert f"asked_v1 failed at refuse(): {type(error).__name__}" in caplog.text
    assert "planted-secret" not in caplog.text


def test_one_that_hangs_is_waited_for_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(refusals, "PATIENCE", 0.1)
    free = threading.Event()

    class Hanging(Asked):
        name = "hanging_v1"

        def refuse(self, work: Work) -> None:
            self.times += 1
            free.wait(60)

    driver = Hanging()
    try:
        refusals.check(driver, WORK)
        refusals.check(driver, WORK)
    finally:
        free.set()
    assert driver.times == 1
    assert caplog.text.count("has not come back") == 1
    refusals._stuck[driver.name].join(60)
    refusals.check(driver, WORK)
    assert driver.times == 2


def test_a_driver_that_refuses_nothing_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "within", None)

    class Silent(Driver):
        name = "silent_v1"
        version = "1.0.0"

    refusals.check(Silent(), WORK)
