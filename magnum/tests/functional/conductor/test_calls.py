"""Calls from the API to conductor processes: with a broker and without, many at once, and when a conductor dies."""

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from magnum.common.context import service_context
from magnum.conf import CONF
from magnum.db import calls as store
from magnum.db import session
from magnum.db.models import Bay, Call
from magnum.drivers.contract import Driver, Endpoint, Provides
from magnum.drivers.noop_v1.driver import Driver as NoopDriver
from magnum.lifecycle import calls, hints
from magnum.lifecycle.calls import CallTimeout
from magnum.tests import engine
from magnum.tests.api import Settings
from magnum.tests.calls import key_ring
from magnum.tests.functional.conductor.processes import Conductors, status, until

#: A driver in a directory. Each call of an endpoint leaves a line in a file.
SOURCE = """
import pathlib
import time

from magnum.drivers import contract
from magnum.drivers.contract import Done, Endpoint

CALLS = pathlib.Path({calls!r})


def _noted(what):
    with CALLS.open("a") as file:
        file.write(what + "\\n")


def quick(work, request):
    _noted("quick")
    return {{"bay": work.bay.uuid, "request": dict(request)}}


def slow(work, request):
    _noted("slow")
    time.sleep(0.3)
    return {{}}


def hang(work, request):
    _noted("hang")
    time.sleep(100000)


class Driver(contract.Driver):
    name = "{name}"
    version = "1.0.0"
    provides = frozenset({{contract.Provides("vm", "none", "asked")}})
    endpoints = (
        Endpoint("quick", "Answer.", quick, "POST", {{"type": "object"}}),
        Endpoint("slow", "Answer late.", slow, "POST"),
        Endpoint("hang", "Never answer.", hang, "POST"),
    )

    def bay_create(self, work):
        return Done()
"""


def named(called: str) -> Driver:
    """What acceptance has to know of a driver."""

    class Named(Driver):
        name = called
        version = "1.0.0"
        provides = frozenset({Provides("vm", "none", "asked")})
        endpoints = (Endpoint("quick", "Answer.", lambda work, request: {}),)

    return Named()


class Place:
    """Where conductors find keys and drivers, and what those drivers were asked."""

    def __init__(self, folder: Path) -> None:
        self.calls = folder / "calls"
        self.calls.touch()
        self.keys = key_ring(folder / "keys")
        path = folder / "drivers"
        path.mkdir(mode=0o755)
        for name in ("asked_v1", "other_v1"):
            (path / name).mkdir(mode=0o755)
            source = SOURCE.format(name=name, calls=str(self.calls))
            (path / name / "driver.py").write_text(source)
        self.more = (
            "[heat_events]\nenabled = false\n"
            f"[drivers]\npaths = {path}\n[certificates]\nkey_ring = {self.keys}\n"
        )

    def times(self, what: str) -> int:
        return self.calls.read_text().split().count(what)


@pytest.fixture
def config(database: str) -> Iterator[Settings]:
    """The configuration of this process, which asks."""
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
    settings = Settings()
    yield settings
    settings.undo()


@pytest.fixture
def place(config: Settings, tmp_path: Path) -> Place:
    """Keys and drivers, for this process too."""
    made = Place(tmp_path)
    config("certificates", key_ring=str(made.keys))
    return made


def rows() -> int:
    with session.reader(service_context()) as db:
        return db.scalar(select(func.count()).select_from(Call)) or 0


def ask(bay: Bay, what: str, **request: Any) -> Mapping[str, Any]:
    return calls.ask(engine.context(), engine.look(bay), f"POST {what}", request)


def test_without_a_broker_a_call_is_found_and_the_next_one_sooner(
    conductors: Conductors, place: Place
) -> None:
    bay = engine.a_bay(named("asked_v1"))
    conductors.start(more=place.more, sweep=6.0, conductor="threads = 4\ncall_poll = 0.1\n")
    assert ask(bay, "quick", a=1) == {"bay": bay.uuid, "request": {"a": 1}}
    begun = time.monotonic()
    assert ask(bay, "quick")
    assert time.monotonic() - begun < 5.0, "no sooner than with a sweep"
    assert (place.times("quick"), rows()) == (2, 0)


@pytest.mark.rabbit
def test_with_a_broker_a_call_is_answered_at_once(
    conductors: Conductors, place: Place, config: Settings, rabbit_url: str
) -> None:
    topic = f"magnum-test-calls-{time.monotonic_ns()}"
    CONF.set_override("transport_url", rabbit_url)
    config("conductor", topic=topic)
    hints.start()
    try:
        bay = engine.a_bay(named("asked_v1"))
        conductors.start(broker=rabbit_url, topic=topic, sweep=60.0, more=place.more)
        conductors.until_all_say("Hints are listened to")
        for number in range(3):
            begun = time.monotonic()
            assert ask(bay, "quick", n=number)["request"] == {"n": number}
            assert time.monotonic() - begun < 30.0, "the hint was not heard"
    finally:
        CONF.clear_override("transport_url")
        hints.start()
    assert (place.times("quick"), rows()) == (3, 0)


def test_twenty_at_once_are_each_answered_once(
    conductors: Conductors, place: Place, config: Settings
) -> None:
    bays = [engine.a_bay(named(name)) for name in ("asked_v1", "other_v1")]
    for _ in range(2):
        conductors.start(more=place.more, conductor="threads = 4\ncall_threads = 4\n")
    config("api", max_calls=20)
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda n: ask(bays[n % 2], "quick", number=n), range(20)))
    assert [answer["request"]["number"] for answer in answers] == list(range(20))
    assert [answer["bay"] for answer in answers] == [bays[n % 2].uuid for n in range(20)]
    assert (place.times("quick"), rows()) == (20, 0)


@pytest.mark.parametrize("most", [1, 6])
def test_who_waits_too_long_for_his_turn_is_told(
    conductors: Conductors,
    place: Place,
    config: Settings,
    most: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if most > 1:
        monkeypatch.setattr(calls, "_TURN", 60.0)
    bay = engine.a_bay(named("asked_v1"))
    conductors.start(more=place.more, conductor="threads = 4\ncall_poll = 0.05\n")
    config("api", max_calls=most)

    def outcome(_: int) -> str:
        try:
            ask(bay, "slow")
        except calls.CallsBusy as error:
            return error.code
        return "answered"

    ask(bay, "quick")
    with ThreadPoolExecutor(12) as threads:
        outcomes = list(threads.map(outcome, range(12)))
    answered = outcomes.count("answered")
    assert place.times("slow") == answered
    assert set(outcomes) <= {"answered", "CALLS_BUSY"}
    # Each takes a third of a second at least, and alone at a time waits two seconds for its turn at most.
    assert answered < 12 if most == 1 else answered == 12


def test_a_conductor_that_dies_at_a_call_is_not_followed_by_another(
    conductors: Conductors, place: Place, config: Settings
) -> None:
    config("api", call_timeout=6.0)
    bay = engine.a_bay(named("asked_v1"))
    first = conductors.start(more=place.more)
    errors: list[CallTimeout] = []

    def asking() -> None:
        try:
            ask(bay, "hang")
        except CallTimeout as error:
            errors.append(error)

    thread = threading.Thread(target=asking)
    thread.start()
    until(lambda: place.times("hang"))
    conductors.kill(first)
    conductors.start(more=place.more)
    assert ask(bay, "quick"), "the one that took its place answers"
    thread.join(240)
    (error,) = errors
    assert (error.code, error.status) == ("CALL_TIMEOUT", 503)
    assert "may have been done, or not" in error.text
    assert (place.times("hang"), rows()) == (1, 0)


def test_without_any_conductor_nothing_is_done_and_nothing_is_left(
    place: Place, config: Settings, conductors: Conductors
) -> None:
    config("api", call_timeout=1.0)
    bay = engine.a_bay(named("asked_v1"))
    with pytest.raises(CallTimeout, match="Nothing was done"):
        ask(bay, "quick")
    assert rows() == 0
    conductors.start(more=place.more)
    time.sleep(1.0)
    assert place.times("quick") == 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_handlers_that_hang_hold_up_neither_operations_nor_other_drivers(
    conductors: Conductors, place: Place, config: Settings
) -> None:
    config("api", call_timeout=4.0, max_calls=30)
    hanging, other = (engine.a_bay(named(name)) for name in ("asked_v1", "other_v1"))
    conductors.start(more=place.more, conductor="threads = 4\ncall_threads = 4\ncall_poll = 0.1\n")

    def told(what: str) -> str:
        try:
            ask(hanging, what)
        except (CallTimeout, calls.CallRefused) as error:
            return error.code
        return "answered"

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(told, ["hang"] * 8))
    assert set(outcomes) == {"CALL_TIMEOUT"}
    bays = [engine.a_bay(NoopDriver()) for _ in range(4)]
    until(lambda: all(status(bay) == "CREATE_COMPLETE" for bay in bays))
    time.sleep(5.0)  # then they count as slow
    assert ask(other, "quick")["bay"] == other.uuid
    assert told("quick") == "DRIVER_HANGS", "of the one that hangs no more is asked for now"
    assert place.times("hang") == 4


def test_what_nobody_waits_for_any_more_is_removed(place: Place, config: Settings) -> None:
    bay = engine.a_bay(named("asked_v1"))
    store.create(engine.context(), bay, "POST quick", "sealed", -1.0)
    kept, _ = store.create(engine.context(), bay, "POST quick", "sealed", 60.0)
    assert store.waiting(service_context(), 10) == [kept]
    assert store.purge(service_context()) == 1
    assert rows() == 1
    assert store.take(service_context(), kept, "c1") is not None
    assert store.take(service_context(), kept, "c2") is None
    assert store.waiting(service_context(), 10) == []
