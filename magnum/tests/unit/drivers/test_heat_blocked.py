"""Failures whose cause can pass: the operation is blocked, Heat is asked again, and it goes on by itself."""

from dataclasses import replace

import pytest
from heatclient import exc
from hypothesis import given
from hypothesis import strategies as st

from magnum.drivers.contract import (
    Blocked,
    CloudUnavailable,
    Done,
    Failed,
    QuotaExceeded,
    Verb,
    Wait,
    Work,
)
from magnum.drivers.heat.driver import LOOKS_UNTIL_ASKED_AGAIN
from magnum.tests.unit.drivers.fakes import FakeHeat, http_error, make_work, not_found, resource
from magnum.tests.unit.drivers.test_heat_driver import OUTPUTS, after, ask, created, scaled, waits

SERVER, FLOATING_IP = "OS::Nova::Server", "OS::Neutron::FloatingIP"

#: Code, and a resource that fails with it.
PASSING = {
    "QUOTA_EXCEEDED": (SERVER, "Forbidden: Quota exceeded for cores: Requested 1, used 20 of 20"),
    "NO_CAPACITY": (SERVER, "ResourceInError: No valid host was found."),
    "FLOATING_IPS_EXHAUSTED": (FLOATING_IP, "No more IP addresses available on network 5."),
}
VERBS = (Verb.CREATE, Verb.UPDATE)


@pytest.fixture
def heat() -> FakeHeat:
    return FakeHeat()


def begun(heat: FakeHeat, verb: Verb) -> Work:
    """A bay at whose stack Heat is, for a verb; requests so far are forgotten."""
    work = make_work(heat) if verb is Verb.CREATE else scaled(created(heat), 3)
    work, _ = waits(work)
    heat.requests.clear()
    return work


def fail(heat: FakeHeat, code: str, action: str) -> None:
    kind, reason = PASSING[code]
    stack = heat.only()
    stack.status, stack.reason = f"{action}_FAILED", "Resource failed: ..."
    stack.resources = [resource("it", kind, "CREATE_FAILED", reason)]


def blocks(work: Work) -> tuple[Work, Blocked]:
    outcome = ask(work)
    assert isinstance(outcome, Blocked), outcome
    return after(work, outcome), outcome


def methods(heat: FakeHeat) -> list[str]:
    return [method for method, _ in heat.requests]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("code", PASSING)
def test_it_is_blocked_at_the_first_look_and_goes_on_when_there_is_room(
    heat: FakeHeat, code: str, verb: Verb
) -> None:
    work = begun(heat, verb)
    fail(heat, code, verb.upper())

    work, first = blocks(work)
    assert first.code == code
    assert first.seconds is None  # the operator's pace
    assert [(fault.resource, fault.type) for fault in first.faults] == [("it", PASSING[code][0])]
    assert PASSING[code][1] in first.text
    assert methods(heat) == ["get", "resources"]

    heat.requests.clear()
    work, second = blocks(work)
    ((method, asked),) = heat.requests
    assert method == "update"
    assert asked["existing"] is True
    assert asked["parameters"] == {
        "master_count": 1,
        "node_count": 1 if verb is Verb.CREATE else 3,
        "nodes_to_remove": [],
        "node_groups": [],
        "node_group_count": 0,
    }
    assert second.seconds == work.poll_interval
    assert (second.code, second.text, second.faults) == (first.code, first.text, first.faults)

    heat.only().status = "UPDATE_COMPLETE"
    heat.only().outputs = dict(OUTPUTS)
    outcome = ask(work)
    assert isinstance(outcome, Done)
    assert outcome.facts.api_address
    assert heat.count("update") == 1


@pytest.mark.parametrize("verb", VERBS)
def test_it_stays_blocked_however_long_a_try_runs_until_heat_has_ended_it(
    heat: FakeHeat, verb: Verb
) -> None:
    """A try that is under way proves nothing, so nobody is told that the cause is gone."""
    work = begun(heat, verb)
    fail(heat, "NO_CAPACITY", verb.upper())
    work, first = blocks(work)
    work, _ = blocks(work)  # asks for another try
    for looks in range(300):
        work, during = blocks(replace(work, woken=looks % 7 == 0))
        assert replace(during, cursor=first.cursor, seconds=None) == first
        assert during.seconds == work.poll_interval
    assert heat.count("update") == 1
    heat.only().status = "UPDATE_COMPLETE"
    assert isinstance(ask(work), Done)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("believed", [True, False])
def test_a_cursor_of_an_older_release_is_read(heat: FakeHeat, verb: Verb, believed: bool) -> None:
    """It counted how often a try was believed too early, and forgot the cause while it believed."""
    work = begun(heat, verb)
    fail(heat, "NO_CAPACITY", verb.upper())
    work, first = blocks(work)
    work, _ = blocks(work)
    older = {**work.cursor, "mistakes": 3, "looks": 40}
    if believed:
        older["hindrance"] = None
    work = replace(work, cursor=older)
    if believed:
        work, _ = waits(work)
    else:
        work, _ = blocks(work)
    fail(heat, "NO_CAPACITY", "UPDATE")
    _, again = blocks(work)
    assert (again.code, again.text) == (first.code, first.text)


def test_a_try_that_never_got_to_heat_is_asked_for_again_and_stays_blocked(heat: FakeHeat) -> None:
    """Somebody else's update came in between, and its end is not the end of ours."""
    work = begun(heat, Verb.UPDATE)
    fail(heat, "NO_CAPACITY", "UPDATE")
    work, _ = blocks(work)
    heat.errors["update"] = [http_error(exc.HTTPConflict, "Stack already has an action")]
    work, _ = blocks(work)
    heat.only().status = "UPDATE_COMPLETE"
    heat.only().parameters["node_count"] = 9
    for _ in range(LOOKS_UNTIL_ASKED_AGAIN + 1):
        assert heat.count("update") == 1
        work, _ = blocks(work)
    assert heat.count("update") == 2
    heat.only().status = "UPDATE_COMPLETE"
    assert isinstance(ask(work), Done)


def test_a_try_that_fails_in_the_same_way_stays_blocked_all_the_while(heat: FakeHeat) -> None:
    work = begun(heat, Verb.CREATE)
    fail(heat, "QUOTA_EXCEEDED", "CREATE")
    work, first = blocks(work)
    for _ in range(10):
        work, asked = blocks(work)
        work, looked = blocks(work)
        fail(heat, "QUOTA_EXCEEDED", "UPDATE")
        work, failed = blocks(work)
        assert {asked.text, looked.text, failed.text} == {first.text}
        assert failed.seconds is None
    assert heat.count("update") == 10


def test_the_words_stay_the_same_though_each_request_has_another_id(heat: FakeHeat) -> None:
    work = begun(heat, Verb.CREATE)
    texts = set()
    for number in range(3):
        identity = f"req-{number:08d}-aaaa-4bbb-8ccc-0123456789ab"
        fail(heat, "QUOTA_EXCEEDED", "CREATE")
        heat.only().resources[0]["resource_status_reason"] += (
            f" (HTTP 403) (Request-ID: {identity})"
        )
        work, blocked = blocks(work)
        assert blocked.faults[0].request_id == identity
        texts.add(blocked.text)
        work, _ = blocks(work)
    assert len(texts) == 1


def test_another_cause_is_told(heat: FakeHeat) -> None:
    work = begun(heat, Verb.CREATE)
    fail(heat, "QUOTA_EXCEEDED", "CREATE")
    work, _ = blocks(work)
    work, _ = blocks(work)
    fail(heat, "FLOATING_IPS_EXHAUSTED", "UPDATE")
    work, other = blocks(work)
    assert other.code == "FLOATING_IPS_EXHAUSTED"


def test_a_cause_that_does_not_pass_ends_it(heat: FakeHeat) -> None:
    work = begun(heat, Verb.CREATE)
    fail(heat, "QUOTA_EXCEEDED", "CREATE")
    work, _ = blocks(work)
    work, _ = blocks(work)
    fail(heat, "QUOTA_EXCEEDED", "UPDATE")
    heat.only().resources[0]["resource_status_reason"] = "Image x could not be found."
    outcome = ask(work)
    assert isinstance(outcome, Failed)
    assert outcome.code == "IMAGE_GONE"


@pytest.mark.parametrize("verb", VERBS)
def test_news_of_the_failure_itself_does_not_ask_for_another_try(
    heat: FakeHeat, verb: Verb
) -> None:
    """Heat tells of each failure; were it asked again for that, it would never come to rest."""
    work = begun(heat, verb)
    fail(heat, "QUOTA_EXCEEDED", verb.upper())
    work, _ = blocks(work)
    for _ in range(3):
        work, again = blocks(replace(work, woken=True))
        assert again.seconds is None
    assert heat.count("update") == 0


def test_news_that_somebody_else_has_mended_it_is_taken(heat: FakeHeat) -> None:
    work = begun(heat, Verb.CREATE)
    fail(heat, "QUOTA_EXCEEDED", "CREATE")
    work, _ = blocks(work)
    heat.only().status = "UPDATE_COMPLETE"
    assert isinstance(ask(replace(work, woken=True)), Done)
    assert heat.count("update") == 0


def test_a_try_of_somebody_else_is_not_disturbed(heat: FakeHeat) -> None:
    work = begun(heat, Verb.CREATE)
    fail(heat, "QUOTA_EXCEEDED", "CREATE")
    work, _ = blocks(work)
    heat.only().status = "UPDATE_IN_PROGRESS"
    work, _ = blocks(replace(work, woken=True))
    work = replace(work, woken=False)
    work, _ = blocks(work)
    assert heat.count("update") == 0


@pytest.mark.parametrize("verb", VERBS)
def test_a_stack_that_goes_away_while_blocked(heat: FakeHeat, verb: Verb) -> None:
    work = begun(heat, verb)
    fail(heat, "QUOTA_EXCEEDED", verb.upper())
    work, _ = blocks(work)
    heat.errors["update"] = [not_found()]
    outcome = ask(work)
    assert isinstance(outcome, Failed)
    assert outcome.code == "STACK_GONE"


def test_a_stack_that_is_busy_when_it_is_to_be_tried_again(heat: FakeHeat) -> None:
    work = begun(heat, Verb.CREATE)
    fail(heat, "QUOTA_EXCEEDED", "CREATE")
    work, _ = blocks(work)
    heat.errors["update"] = [http_error(exc.HTTPConflict, "Stack already has an action")]
    work, blocked = blocks(work)
    assert blocked.code == "QUOTA_EXCEEDED"
    heat.only().status = "UPDATE_COMPLETE"
    assert isinstance(ask(work), Done)


def test_no_room_for_the_stack_itself(heat: FakeHeat) -> None:
    """Nothing is there yet: the same creation is asked for again."""
    message = "You have reached the maximum stacks per tenant, 512."
    heat.errors["create"] = [http_error(exc.HTTPBadRequest, message)]
    work = make_work(heat)
    with pytest.raises(QuotaExceeded):
        ask(work)
    waits(work)
    assert heat.only().status == "CREATE_IN_PROGRESS"


# --- Heat was stopped itself ----------------------------------------------------------------------


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("told_by", ["stack", "resource"])
def test_a_stack_that_a_stopped_engine_left_goes_on_at_once(
    heat: FakeHeat, verb: Verb, told_by: str
) -> None:
    work = begun(heat, verb)
    stack = heat.only()
    stack.status = f"{verb.upper()}_FAILED"
    stack.reason = f"Engine went down during stack {verb.upper()}"
    if told_by == "resource":
        stack.reason = "Resource CREATE failed: ..."
        words = "Worker went down during resource CREATE"
        stack.resources = [resource("it", SERVER, "CREATE_FAILED", words)]
    work, outcome = waits(work)
    assert outcome.trouble is not None
    assert outcome.trouble.code == "CLOUD_RESTARTED"
    assert heat.count("update") == 1
    assert stack.status == "UPDATE_IN_PROGRESS"
    work, outcome = waits(work)
    assert outcome.trouble is None
    stack.status = "UPDATE_COMPLETE"
    assert isinstance(ask(work), Done)


def test_what_failed_by_itself_is_told_even_if_an_engine_was_stopped_too(heat: FakeHeat) -> None:
    work = begun(heat, Verb.CREATE)
    fail(heat, "QUOTA_EXCEEDED", "CREATE")
    words = "Worker went down during resource CREATE"
    heat.only().resources.insert(0, resource("a", SERVER, "CREATE_FAILED", words))
    _, blocked = blocks(work)
    assert blocked.code == "QUOTA_EXCEEDED"


# --- any way through ------------------------------------------------------------------------------

SEEN = ("fails", "restarts", "in progress", "woken", "hiccup", "forgotten")


@given(st.sampled_from(VERBS), st.lists(st.sampled_from(SEEN), max_size=25))
def test_whatever_comes_between_it_ends_well_once_there_is_room(
    verb: Verb, steps: list[str]
) -> None:
    """Failures that can pass, restarts, news, errors and older cursors, in any order: never failed for them."""
    heat = FakeHeat()
    work = begun(heat, verb)
    older = work.cursor
    for step in steps:
        action = heat.only().status.partition("_")[0]
        if step == "fails":
            fail(heat, "NO_CAPACITY", action)
        elif step == "restarts":
            heat.only().status = f"{action}_FAILED"
            heat.only().reason = f"Engine went down during stack {action}"
            heat.only().resources = []
        elif step == "hiccup":
            error = http_error(exc.HTTPInternalServerError, "oops")
            heat.errors = {"get": [error], "update": [error], "resources": [error]}
        elif step == "forgotten":
            work, older = replace(work, cursor=older), work.cursor
        try:
            outcome = ask(replace(work, woken=step == "woken"))
        except CloudUnavailable:
            continue
        assert isinstance(outcome, Wait | Blocked), outcome
        work = after(work, outcome)
    heat.errors = {}
    for _ in range(10):
        if heat.only().status.endswith("_IN_PROGRESS"):
            heat.only().status = heat.only().status.replace("IN_PROGRESS", "COMPLETE")
        outcome = ask(work)
        if isinstance(outcome, Done):
            return
        work = after(work, outcome)
    pytest.fail("no end")
