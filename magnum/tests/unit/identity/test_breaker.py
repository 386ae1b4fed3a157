"""The circuit breaker around every request to the cloud, and the session that sends them."""

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from keystoneauth1 import exceptions as ksa
from keystoneauth1.adapter import Adapter

from magnum.common import lease
from magnum.conf import CONF
from magnum.identity import breaker
from magnum.identity.breaker import CircuitOpen
from magnum.identity.guarded import GuardedSession, guarded_session
from magnum.tests.breakers import Clock, moved_by_hand
from magnum.tests.unit.identity.network import FakeNetwork

#: Seconds that a thread of a test may take for what should take none.
PATIENCE = 30.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return moved_by_hand(monkeypatch)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
    CONF.set_override("failure_threshold", 3, "breaker")
    breaker.forget()
    yield
    CONF.clear_override("failure_threshold", "breaker")
    breaker.forget()


@pytest.fixture
def network() -> FakeNetwork:
    return FakeNetwork()


@pytest.fixture
def session(network: FakeNetwork) -> GuardedSession:
    return GuardedSession(session=network.transport(), timeout=7)


def heat(session: GuardedSession, region: str = "one", service: str = "orchestration") -> Adapter:
    """A client of a service, as drivers get it."""
    return Adapter(
        session, service_type=service, region_name=region, endpoint_override="http://heat"
    )


def ask(adapter: Adapter, times: int = 1) -> None:
    for _ in range(times):
        adapter.get("/stacks", raise_exc=False)


def fail(adapter: Adapter, times: int = 1) -> None:
    for _ in range(times):
        try:
            ask(adapter)
        except CircuitOpen:
            raise
        except ksa.ClientException:
            pass


TROUBLES = [
    requests.exceptions.ConnectionError("refused"),
    requests.exceptions.ConnectTimeout("slow"),
    requests.exceptions.ReadTimeout("hangs"),
    requests.exceptions.ChunkedEncodingError("broken off"),
    500,
    503,
    504,
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
def test_what_does_not_answer_is_left_alone(
    network: FakeNetwork, session: GuardedSession, trouble: Any
) -> None:
    network.answer = trouble
    fail(heat(session), 3)
    for _ in range(5):
        with pytest.raises(CircuitOpen) as caught:
            ask(heat(session))
    assert len(network.left) == 3
    assert isinstance(caught.value, ksa.ConnectFailure)
    text = str(caught.value)
    assert "orchestration" in text
    assert "region one" in text
    assert "UTC" in text
    assert str(trouble if isinstance(trouble, int) else type(trouble).__name__) in text


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 409, 429])
def test_an_answer_shows_that_the_service_is_there(
    network: FakeNetwork, session: GuardedSession, status: int
) -> None:
    for _ in range(4):
        network.answer = 500
        fail(heat(session), 2)
        network.answer = status
        ask(heat(session))
    assert len(network.left) == 12


def test_only_the_service_of_that_region_is_left_alone(
    network: FakeNetwork, session: GuardedSession
) -> None:
    network.answer = 500
    fail(heat(session), 3)
    network.answer = 200
    ask(heat(session, region="two"))
    ask(heat(session, service="compute"))
    with pytest.raises(CircuitOpen):
        ask(heat(session))


def test_all_sessions_of_a_process_share_what_they_know(network: FakeNetwork) -> None:
    network.answer = 500
    for _ in range(3):
        fail(heat(GuardedSession(session=network.transport(), timeout=7)))
    with pytest.raises(CircuitOpen):
        ask(heat(GuardedSession(session=network.transport(), timeout=7)))


def test_asking_for_a_token_is_keystones_matter_in_every_region(
    network: FakeNetwork, session: GuardedSession
) -> None:
    network.answer = 503
    for _ in range(3):
        session.post("http://keystone/v3/auth/tokens", raise_exc=False)
    with pytest.raises(CircuitOpen, match="identity"):
        ask(heat(session, service="identity"))
    network.answer = 200
    ask(heat(session))


def test_after_its_time_a_service_that_is_back_is_asked_again(
    network: FakeNetwork, session: GuardedSession, clock: Clock
) -> None:
    network.answer = 500
    fail(heat(session), 3)
    assert breaker.any_open()
    network.answer = 200
    clock.now += 29
    with pytest.raises(CircuitOpen):
        ask(heat(session))
    clock.now += 2
    ask(heat(session), 5)
    assert not breaker.any_open()
    assert len(network.left) == 8


def test_a_service_that_is_still_away_costs_one_request(
    network: FakeNetwork, session: GuardedSession, clock: Clock
) -> None:
    network.answer = 500
    fail(heat(session), 3)
    for probes in (1, 2, 3):
        clock.now += 31
        fail(heat(session))
        for _ in range(3):
            with pytest.raises(CircuitOpen):
                ask(heat(session))
        assert len(network.left) == 3 + probes


class Hanging:
    """A service that holds its answer back."""

    def __init__(self, network: FakeNetwork) -> None:
        self.asked = threading.Semaphore(0)
        self.release = threading.Event()
        network.answer = self._answer

    def _answer(self, request: requests.PreparedRequest) -> int:
        self.asked.release()
        assert self.release.wait(PATIENCE)
        return 200


def test_one_request_at_a_time_sees_whether_it_is_back(
    network: FakeNetwork, session: GuardedSession, clock: Clock
) -> None:
    network.answer = 500
    fail(heat(session), 3)
    clock.now += 31
    hanging = Hanging(network)
    with ThreadPoolExecutor() as threads:
        probe = threads.submit(ask, heat(session))
        assert hanging.asked.acquire(timeout=PATIENCE)
        for _ in range(3):
            with pytest.raises(CircuitOpen, match="another request"):
                ask(heat(session))
        hanging.release.set()
        probe.result(PATIENCE)
    ask(heat(session))
    assert len(network.left) == 5


def test_one_that_hangs_for_long_gives_way_to_another(
    network: FakeNetwork, session: GuardedSession, clock: Clock
) -> None:
    network.answer = 500
    fail(heat(session), 3)
    clock.now += 31
    hanging = Hanging(network)
    with ThreadPoolExecutor() as threads:
        stuck = threads.submit(ask, heat(session))
        assert hanging.asked.acquire(timeout=PATIENCE)
        clock.now += 31
        network.answer = 200
        ask(heat(session), 2)
        hanging.release.set()
        stuck.result(PATIENCE)


def test_requests_do_not_wait_for_each_other(network: FakeNetwork, session: GuardedSession) -> None:
    hanging = Hanging(network)
    with ThreadPoolExecutor(8) as threads:
        asking = [threads.submit(ask, heat(session)) for _ in range(8)]
        for _ in asking:
            assert hanging.asked.acquire(timeout=PATIENCE)
        hanging.release.set()
        for one in asking:
            one.result(PATIENCE)


def test_changes_are_logged_once(
    network: FakeNetwork,
    session: GuardedSession,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger=breaker.__name__)
    network.answer = 500
    fail(heat(session), 3)
    clock.now += 31
    network.answer = 200
    ask(heat(session), 3)
    assert [record.getMessage() for record in caplog.records] == [
        "The orchestration service in region one failed 3 times in a row and is left alone for 30 s; the last time:"
        " answered 500",
        "The orchestration service in region one answers again.",
    ]


# --- what a session guards -------------------------------------------------------------------------------------------


def over() -> lease.Lease:
    return lease.Lease(time.monotonic() - 60, 30)


def test_nothing_leaves_once_the_lease_is_over(
    network: FakeNetwork, session: GuardedSession
) -> None:
    with lease.working_under(over()), pytest.raises(lease.LeaseLost):
        ask(heat(session))
    assert network.left == []


def test_a_lost_lease_says_nothing_about_the_service(
    network: FakeNetwork, session: GuardedSession
) -> None:
    network.answer = 500
    fail(heat(session), 2)
    with lease.working_under(over()), pytest.raises(lease.LeaseLost):
        ask(heat(session))
    fail(heat(session))
    with pytest.raises(CircuitOpen):
        ask(heat(session))


@pytest.mark.parametrize("given", [{}, {"timeout": None}, {"timeout": 2}])
def test_every_request_has_a_timeout(
    network: FakeNetwork, session: GuardedSession, given: dict[str, Any]
) -> None:
    heat(session).get("/stacks", **given)
    assert network.timeouts == [given.get("timeout") or 7]


def test_an_answer_that_breaks_off_is_a_failure(
    network: FakeNetwork, session: GuardedSession
) -> None:
    class Torn(requests.Response):
        status_code = 200

        @property
        def content(self) -> bytes:
            raise requests.exceptions.ConnectionError("Read timed out.")

    sent = network.send

    def torn(*args: Any, **more: Any) -> requests.Response:
        sent(*args, **more)
        return Torn()

    network.send = torn  # type: ignore[method-assign]
    fail(heat(session), 3)
    with pytest.raises(CircuitOpen):
        ask(heat(session))


def test_a_session_takes_its_options_from_the_configuration(tmp_path: Any) -> None:
    bundle = tmp_path / "ca.pem"
    CONF.set_override("cafile", str(bundle), "keystone_auth")
    try:
        made = guarded_session(3.0)
    finally:
        CONF.clear_override("cafile", "keystone_auth")
    assert (made.verify, made.timeout) == (str(bundle), 3.0)
