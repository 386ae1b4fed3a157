"""The tutorial driver: delays, faults on demand, and made-up addresses, on a clock we turn."""

import ipaddress

import pytest

from magnum.drivers.contract import (
    Bay,
    BayModel,
    Blocked,
    CloudUnavailable,
    Done,
    Failed,
    HealthStatus,
    InvalidOption,
    NodeGroup,
    NotSupported,
    Outcome,
    Verb,
    Wait,
    Work,
)
from magnum.drivers.noop_v1.driver import ADDRESSES, Driver


class FakeClock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class NoClouds:
    def heat(self) -> object:
        raise AssertionError("this driver needs no cloud")

    def rest(self, service_type: str) -> object:
        raise AssertionError("this driver needs no cloud")


def work(
    labels: dict[str, str] | None = None, cursor: dict[str, object] | None = None, workers: int = 2
) -> Work:
    return Work(
        bay=Bay(uuid="b1", name="bay", project_id="p1", labels=labels or {}),
        baymodel=BayModel(uuid="m1", name=None, coe="noop"),
        node_groups=(
            NodeGroup("g2", "default-worker", "worker", workers),
            NodeGroup("g1", "default-master", "master", 1),
        ),
        clouds=NoClouds(),
        cursor=cursor or {},
        poll_interval=5.0,
    )


def ask(driver: Driver, verb: Verb, given: Work) -> Outcome:
    outcome: Outcome = getattr(driver, f"bay_{verb}")(given)
    return outcome


VERBS = (Verb.CREATE, Verb.UPDATE, Verb.UPGRADE, Verb.DELETE)


@pytest.mark.parametrize("verb", VERBS)
def test_without_options_a_verb_is_done_at_once(verb: Verb) -> None:
    assert isinstance(ask(Driver(), verb, work()), Done)


@pytest.mark.parametrize("verb", VERBS)
def test_a_delay_passes_with_nothing_but_the_cursor(verb: Verb) -> None:
    clock = FakeClock()
    labels = {"noop_delay": "7.5"}
    first = ask(Driver(clock), verb, work(labels))
    assert isinstance(first, Wait)
    assert first.seconds == 5.0
    clock.now += 5
    second = ask(Driver(clock), verb, work(labels, dict(first.cursor)))
    assert isinstance(second, Wait)
    assert second.seconds == 2.5
    assert second.cursor == first.cursor
    clock.now += 2.5
    assert isinstance(ask(Driver(clock), verb, work(labels, dict(second.cursor))), Done)


def test_addresses_are_for_documentation_and_the_api_is_on_a_master() -> None:
    outcome = Driver().bay_create(work(workers=3))
    assert isinstance(outcome, Done)
    groups = outcome.facts.node_groups
    masters = groups["default-master"].addresses or ()
    workers = groups["default-worker"].addresses or ()
    assert len(masters) == 1
    assert len(workers) == 3
    assert not set(masters) & set(workers)
    net = ipaddress.ip_network("192.0.2.0/24")
    assert all(ipaddress.ip_address(address) in net for address in masters + workers)
    assert outcome.facts.api_address == f"tcp://{masters[0]}:2375"
    assert outcome.facts.stack_id is None


def test_more_nodes_than_addresses() -> None:
    facts = Driver().observe(work(workers=1000))
    assert len(facts.node_groups["default-worker"].addresses or ()) == 1000
    assert len(ADDRESSES) == 254


@pytest.mark.parametrize("verb", VERBS)
def test_faults_on_demand_hit_the_named_verb_only(verb: Verb) -> None:
    other = VERBS[VERBS.index(verb) - 1]
    driver = Driver()

    failed = ask(driver, verb, work({"noop_fail": f" {verb} "}))
    assert isinstance(failed, Failed)
    assert (failed.code, str(verb) in failed.text) == ("NOOP_FAILED", True)
    assert isinstance(ask(driver, other, work({"noop_fail": str(verb)})), Done)

    assert isinstance(ask(driver, verb, work({"noop_block": f"{verb},{other}"})), Blocked)

    with pytest.raises(CloudUnavailable):
        ask(driver, verb, work({"noop_unavailable": str(verb)}))
    with pytest.raises(RuntimeError):
        ask(driver, verb, work({"noop_crash": str(verb)}))


def test_a_block_can_end() -> None:
    clock = FakeClock()
    driver = Driver(clock)
    labels = {"noop_block": "create", "noop_block_seconds": "10"}
    first = driver.bay_create(work(labels))
    assert isinstance(first, Blocked)
    clock.now += 9
    second = driver.bay_create(work(labels, dict(first.cursor)))
    assert isinstance(second, Blocked)
    clock.now += 1
    assert isinstance(driver.bay_create(work(labels, dict(second.cursor))), Done)


@pytest.mark.parametrize(
    ("label", "value"),
    [("noop_delay", "soon"), ("noop_delay", "-1"), ("noop_fail", "create,sing")],
)
def test_a_bad_option_is_named_and_does_not_stop_a_deletion(label: str, value: str) -> None:
    with pytest.raises(InvalidOption, match=label):
        Driver().bay_create(work({label: value}))
    assert isinstance(Driver().bay_delete(work({label: value})), Done)


@pytest.mark.parametrize("status", list(HealthStatus))
def test_the_health_is_what_was_ordered(status: HealthStatus) -> None:
    monitor = Driver.monitor
    assert monitor is not None
    health = monitor.look(work({"noop_health": str(status)}))
    assert health.status is status
    assert (set(health.reasons.values()) == {"ok"}) == (status is HealthStatus.HEALTHY)


def test_a_look_does_not_fail_for_a_bad_option() -> None:
    monitor = Driver.monitor
    assert monitor is not None
    assert monitor.look(work({"noop_health": "fine"})).status is HealthStatus.HEALTHY


def test_other_verbs_are_not_supported() -> None:
    assert Driver.verbs() == frozenset(VERBS) | {Verb.CHECK}
    with pytest.raises(NotSupported):
        Driver().bay_rotate_ca(work())
