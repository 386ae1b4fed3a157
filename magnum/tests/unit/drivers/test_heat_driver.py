"""The verbs of the Heat base, driven as the conductor does, against a Heat in memory."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from heatclient import exc

from magnum.drivers.contract import (
    Actor,
    Blocked,
    BuildError,
    CloudUnavailable,
    DeleteFailed,
    Done,
    DriverError,
    Failed,
    GroupFacts,
    NotFound,
    Outcome,
    StackChanged,
    Verb,
    Wait,
    Work,
)
from magnum.drivers.heat.deletion import LONGEST_PAUSE, LONGEST_WAIT
from magnum.drivers.swarm_atomic_v1.driver import Driver
from magnum.tests.unit.drivers.fakes import (
    UUID,
    FakeHeat,
    FakeHeatStack,
    http_error,
    make_work,
    not_found,
    resource,
)

NAME, TAG = f"bay-{UUID}", f"magnum-{UUID}"
OUTPUTS = {
    "api_address": "172.24.4.9",
    "master_addresses": ["172.24.4.9"],
    "node_addresses": ["172.24.4.10"],
}


@pytest.fixture
def heat() -> FakeHeat:
    return FakeHeat()


def ask(work: Work) -> Outcome:
    outcome: Outcome = getattr(Driver(), f"bay_{work.verb}")(work)
    return outcome


def after(work: Work, outcome: Outcome) -> Work:
    """The work of the next call, as the lifecycle makes it."""
    assert isinstance(outcome, Wait | Blocked), outcome
    stack_id = outcome.facts.stack_id or work.bay.stack_id
    cursor = json.loads(json.dumps(outcome.cursor))  # it goes into a row
    return replace(work, cursor=cursor, bay=replace(work.bay, stack_id=stack_id))


def waits(work: Work) -> tuple[Work, Wait]:
    outcome = ask(work)
    assert isinstance(outcome, Wait), outcome
    return after(work, outcome), outcome


def created(heat: FakeHeat, **given: Any) -> Work:
    """A bay whose stack is complete; requests so far are forgotten."""
    work, _ = waits(make_work(heat, **given))
    heat.only().status = "CREATE_COMPLETE"
    heat.only().outputs = dict(OUTPUTS)
    heat.requests.clear()
    return replace(work, cursor={})


# --- create ---------------------------------------------------------------------------------------


def test_create_makes_one_stack_and_tells_its_id(heat: FakeHeat) -> None:
    outcome = ask(make_work(heat, seconds_left=3599.5, poll_interval=7.0))
    assert isinstance(outcome, Wait)
    assert outcome.facts.stack_id == heat.only().id
    assert outcome.seconds == 7.0
    ((method, given),) = heat.requests
    assert method == "create"
    assert (given["stack_name"], given["tags"]) == (NAME, TAG)
    assert given["timeout_mins"] == 59  # inside our own deadline, so that Heat's reason is in time
    assert given["disable_rollback"] is True


@pytest.mark.parametrize(("seconds", "minutes"), [(0.0, 1), (30.0, 1), (60.0, 1), (180.0, 3)])
def test_heats_own_limit_is_at_least_a_minute(heat: FakeHeat, seconds: float, minutes: int) -> None:
    ask(make_work(heat, seconds_left=seconds))
    assert heat.requests[0][1]["timeout_mins"] == minutes


def test_in_progress_each_pass_is_one_request_without_outputs(heat: FakeHeat) -> None:
    work, _ = waits(make_work(heat))
    for passes in range(1, 5):
        work, _ = waits(work)
        assert heat.count() == 1 + passes
    looks = [given for method, given in heat.requests if method == "get"]
    assert all(given["resolve_outputs"] is False for given in looks)
    assert {given["url"] for given in looks} == {f"{NAME}/{heat.only().id}"}


def test_create_ends_with_the_facts(heat: FakeHeat) -> None:
    work, _ = waits(make_work(heat))
    heat.only().status = "CREATE_COMPLETE"
    heat.only().outputs = dict(OUTPUTS)
    outcome = ask(work)
    assert isinstance(outcome, Done)
    stack_id = heat.only().id
    assert outcome.facts.api_address == "tcp://172.24.4.9:2376"
    assert outcome.facts.node_groups == {
        "default-master": GroupFacts(("172.24.4.9",), stack_id),
        "default-worker": GroupFacts(("172.24.4.10",), stack_id),
    }


def test_a_life_with_events_takes_four_requests(heat: FakeHeat) -> None:
    work, _ = waits(make_work(heat))
    heat.only().status = "CREATE_COMPLETE"
    heat.only().outputs = dict(OUTPUTS)
    assert isinstance(ask(replace(work, woken=True)), Done)
    work = replace(work, verb=Verb.DELETE, cursor={})
    work, _ = waits(work)
    heat.kept.clear()
    assert isinstance(ask(replace(work, woken=True)), Done)
    assert [method for method, _ in heat.requests] == ["create", "get", "delete", "list"]


def test_an_older_cursor_is_as_good(heat: FakeHeat) -> None:
    work, _ = waits(make_work(heat))
    heat.only().status = "CREATE_COMPLETE"
    assert isinstance(ask(replace(work, cursor={})), Done)
    assert heat.count("create") == 1


def test_a_creation_whose_answer_was_lost_is_adopted(heat: FakeHeat) -> None:
    heat.lose_answers = True
    with pytest.raises(CloudUnavailable):
        ask(make_work(heat))
    heat.lose_answers = False
    work, outcome = waits(make_work(heat))
    assert outcome.facts.stack_id == heat.only().id
    heat.only().status = "CREATE_COMPLETE"
    assert isinstance(ask(work), Done)


def test_anothers_stack_of_our_name_is_left_alone(heat: FakeHeat) -> None:
    heat.kept["other"] = FakeHeatStack("other", NAME, "somebody-elses")
    outcome = ask(make_work(heat))
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.actor) == ("STACK_NAME_TAKEN", Actor.OPERATOR)
    assert heat.kept["other"].status == "CREATE_IN_PROGRESS"


def test_a_stack_that_went_away_before_it_was_looked_for_does_not_hold_the_name(
    heat: FakeHeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    heat.kept["going"] = FakeHeatStack("going", NAME, TAG)
    look_for = heat.stacks.list

    def gone_by_then(**given: Any) -> Any:
        heat.kept.pop("going", None)
        return look_for(**given)

    monkeypatch.setattr(heat.stacks, "list", gone_by_then)
    _, outcome = waits(make_work(heat))
    assert outcome.facts.stack_id == heat.only().id
    assert outcome.trouble is None
    assert [method for method, _ in heat.requests] == ["create", "list", "create"]


def test_a_stack_of_ours_that_is_found_only_at_the_second_look_is_adopted(
    heat: FakeHeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = http_error(exc.HTTPConflict, "The Stack already exists.", "StackExists")
    heat.errors["create"] = [taken]
    look_for = heat.stacks.list

    def late(**given: Any) -> Any:
        found = list(look_for(**given))
        heat.kept.setdefault("late", FakeHeatStack("late", NAME, TAG))
        return found

    monkeypatch.setattr(heat.stacks, "list", late)
    _, outcome = waits(make_work(heat))
    assert outcome.facts.stack_id == "late"
    assert [method for method, _ in heat.requests] == ["create", "list", "create", "list"]


def test_a_failed_creation_names_the_resource(heat: FakeHeat) -> None:
    work, _ = waits(make_work(heat))
    stack = heat.only()
    stack.status, stack.reason = "CREATE_FAILED", "Resource CREATE failed: ..."
    stack.resources = [
        resource("fine", "OS::Neutron::Net", "CREATE_COMPLETE"),
        resource("server", "OS::Nova::Server", "CREATE_FAILED", "BadRequest: no such luck"),
    ]
    outcome = ask(work)
    assert isinstance(outcome, Failed)
    assert outcome.code == "BUILD_FAILED"
    for words in ("server", "OS::Nova::Server", "no such luck"):
        assert words in outcome.text
    assert outcome.facts.stack_id == stack.id


@pytest.mark.parametrize("gone", ["deleting", "gone"])
@pytest.mark.parametrize("verb", [Verb.CREATE, Verb.UPDATE])
def test_a_stack_that_somebody_deleted(heat: FakeHeat, verb: Verb, gone: str) -> None:
    work = replace(created(heat), verb=verb)
    heat.only().status = f"{verb.upper()}_IN_PROGRESS"
    work, _ = waits(work)
    if gone == "gone":
        heat.kept.clear()
    else:
        heat.only().status = "DELETE_IN_PROGRESS"
    outcome = ask(work)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.actor) == ("STACK_GONE", NotFound.actor)


# --- update ---------------------------------------------------------------------------------------


def scaled(work: Work, count: int) -> Work:
    master, worker = work.node_groups
    return replace(
        work, verb=Verb.UPDATE, node_groups=(master, replace(worker, node_count=count)), cursor={}
    )


def test_update_sends_only_what_may_change_and_keeps_the_rest(heat: FakeHeat) -> None:
    work, _ = waits(scaled(created(heat), 3))
    # The look tells whether workers go, of which the cluster would have to be asked.
    (looked, _), (method, given) = heat.requests
    assert (looked, method) == ("get", "update")
    assert given["existing"] is True
    assert given["parameters"] == {
        "master_count": 1,
        "node_count": 3,
        "nodes_to_remove": [],
        "node_groups": [],
        "node_group_count": 0,
    }
    assert "template" not in given
    assert given["tags"] == TAG

    work, _ = waits(work)
    heat.only().status = "UPDATE_COMPLETE"
    outcome = ask(work)
    assert isinstance(outcome, Done)
    assert heat.count("update") == 1


def test_named_nodes_go(heat: FakeHeat) -> None:
    work = replace(scaled(created(heat), 1), parameters={"nodes_to_remove": ["srv-7", "2"]})
    work, _ = waits(work)  # the stack does not say which nodes it has: Heat knows them by both
    waits(work)
    assert [method for method, _ in heat.requests] == ["get", "update"]
    assert heat.requests[1][1]["parameters"]["nodes_to_remove"] == ["srv-7", "2"]


def test_an_end_of_something_earlier_is_not_taken_for_ours(heat: FakeHeat) -> None:
    work, _ = waits(scaled(created(heat), 3))
    stack = heat.only()
    stack.status = "UPDATE_COMPLETE"
    stack.parameters["node_count"] = 1  # not what we asked for
    for _ in range(3):
        work, _ = waits(work)
    assert heat.count("update") == 1
    work, _ = waits(work)
    assert heat.count("update") == 2
    stack.status = "UPDATE_COMPLETE"
    assert isinstance(ask(work), Done)


def test_an_update_that_begins_late(heat: FakeHeat) -> None:
    work, _ = waits(scaled(created(heat), 3))
    heat.only().status = "CREATE_COMPLETE"
    work, _ = waits(work)
    heat.only().status = "UPDATE_IN_PROGRESS"
    work, _ = waits(work)
    heat.only().status = "UPDATE_COMPLETE"
    assert isinstance(ask(work), Done)
    assert heat.count("update") == 1


def test_an_old_failure_is_believed_only_after_asking_again(heat: FakeHeat) -> None:
    work = scaled(created(heat), 3)
    outcome: Outcome = Wait(0)
    for _ in range(20):
        outcome = ask(work)
        if not isinstance(outcome, Wait):
            break
        work = after(work, outcome)
        heat.only().status = "UPDATE_FAILED"
        heat.only().parameters["node_count"] = 1
    assert isinstance(outcome, Failed)
    assert heat.count("update") == 3


def test_a_failed_update(heat: FakeHeat) -> None:
    work, _ = waits(scaled(created(heat), 3))
    heat.only().status = "UPDATE_FAILED"
    heat.only().resources = [
        resource("server", "OS::Nova::Server", "CREATE_FAILED", "Image 5 could not be found.")
    ]
    outcome = ask(work)
    assert isinstance(outcome, Failed)
    assert outcome.code == "IMAGE_GONE"
    (fault,) = outcome.faults
    assert (fault.resource, fault.type) == ("server", "OS::Nova::Server")


def test_an_update_finds_the_stack_by_its_tag(heat: FakeHeat) -> None:
    work = scaled(created(heat), 2)
    waits(replace(work, bay=replace(work.bay, stack_id=None)))
    assert [method for method, _ in heat.requests] == ["list", "get", "update"]


def test_an_update_without_a_stack(heat: FakeHeat) -> None:
    for stack_id in (None, "never-was"):
        outcome = ask(make_work(heat, verb=Verb.UPDATE, bay={"stack_id": stack_id}))
        assert isinstance(outcome, Failed)
        assert outcome.code == "STACK_GONE"


def test_a_stack_that_is_busy_is_asked_again(heat: FakeHeat) -> None:
    work = scaled(created(heat), 2)
    heat.errors["update"] = [http_error(exc.HTTPConflict, "Stack already has an action")]
    work, outcome = waits(work)
    assert outcome.trouble is not None
    work, outcome = waits(work)
    assert outcome.trouble is None
    assert heat.count("update") == 2


# --- delete ---------------------------------------------------------------------------------------

STATUSES = [
    f"{action}_{status}"
    for action in ("CREATE", "UPDATE", "CHECK", "SUSPEND", "ROLLBACK")
    for status in ("IN_PROGRESS", "COMPLETE", "FAILED")
]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("status", STATUSES)
def test_delete_works_from_every_state(heat: FakeHeat, status: str, known: bool) -> None:
    work = replace(created(heat), verb=Verb.DELETE)
    heat.only().status = status
    if not known:
        work = replace(work, bay=replace(work.bay, stack_id=None))
    work, _ = waits(work)
    assert heat.only().status == "DELETE_IN_PROGRESS"
    work, _ = waits(work)
    heat.kept.clear()
    assert isinstance(ask(work), Done)
    assert heat.count("delete") == 1


def test_delete_looks_at_the_stack_and_at_its_end_for_the_tag(heat: FakeHeat) -> None:
    work = replace(created(heat), verb=Verb.DELETE)
    work, _ = waits(work)
    work, _ = waits(work)
    url = f"{NAME}/{heat.only().id}"
    assert heat.requests[1:] == [("get", {"url": url, "resolve_outputs": False})]
    heat.requests.clear()
    heat.kept.clear()
    assert isinstance(ask(work), Done)
    assert [method for method, _ in heat.requests] == ["get", "list"]
    assert heat.requests[1] == ("list", {"tags": TAG})


def test_a_deleted_stack_that_heat_still_shows_is_gone(
    heat: FakeHeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = replace(created(heat), verb=Verb.DELETE)
    work, _ = waits(work)
    heat.only().status = "DELETE_COMPLETE"
    monkeypatch.setattr(heat.stacks, "list", lambda tags: [])  # lists leave deleted stacks out
    assert isinstance(ask(work), Done)


def test_a_stack_whose_tag_somebody_took_away_is_still_waited_for(heat: FakeHeat) -> None:
    work = replace(created(heat), verb=Verb.DELETE)
    heat.only().tags = ""
    work, _ = waits(work)
    waits(work)


def test_a_stack_that_is_gone_already_takes_one_pass(heat: FakeHeat) -> None:
    """No event would tell of its end, so nothing is waited for."""
    assert isinstance(ask(make_work(heat, verb=Verb.DELETE, bay={"stack_id": "gone"})), Done)
    assert [method for method, _ in heat.requests] == ["delete", "list"]


def test_another_stack_with_the_tag_is_asked_to_go_where_the_known_one_is_gone(
    heat: FakeHeat,
) -> None:
    heat.kept["second"] = FakeHeatStack("second", NAME, TAG, "CREATE_COMPLETE")
    work = make_work(heat, verb=Verb.DELETE, bay={"stack_id": "gone"}, poll_interval=30.0)
    work, outcome = waits(work)
    assert heat.only().status == "DELETE_IN_PROGRESS"
    assert outcome.seconds == 30.0  # Heat is at it, and will tell
    heat.kept.clear()
    assert isinstance(ask(work), Done)


def test_a_deletion_waits_for_long_only_where_heat_will_tell_of_the_end(heat: FakeHeat) -> None:
    work = replace(created(heat), verb=Verb.DELETE, poll_interval=30.0)
    work, outcome = waits(work)
    assert outcome.seconds == 30.0
    work, outcome = waits(work)
    assert outcome.seconds == 30.0
    heat.only().status = "CREATE_COMPLETE"  # as if nobody had asked
    work, outcome = waits(work)
    assert outcome.seconds == LONGEST_PAUSE
    heat.errors["delete"] = [not_found()]
    for _ in range(2):
        work, outcome = waits(work)
        assert heat.count("delete") == 1
    work, outcome = waits(work)
    assert heat.count("delete") == 2
    assert outcome.seconds == LONGEST_PAUSE
    waits(replace(work, poll_interval=1.0))


def test_a_creation_that_may_still_come_is_waited_for(heat: FakeHeat) -> None:
    """Its answer got lost: while it may still be on its way into Heat, nothing proves that it is not."""
    work = make_work(heat, verb=Verb.DELETE, unsettled=7.0, poll_interval=5.0)
    work, outcome = waits(work)
    assert outcome.seconds == 5.0
    work, outcome = waits(replace(work, unsettled=2.0))
    assert outcome.seconds == 2.0
    heat.kept["late"] = FakeHeatStack("late", NAME, TAG)
    work, _ = waits(replace(work, unsettled=0.0))
    assert heat.only().status == "DELETE_IN_PROGRESS"
    heat.kept.clear()
    assert isinstance(ask(work), Done)


def test_a_bay_without_a_stack(heat: FakeHeat) -> None:
    assert isinstance(ask(make_work(heat, verb=Verb.DELETE)), Done)
    assert [method for method, _ in heat.requests] == ["list"]


def test_what_is_not_ours_stays(heat: FakeHeat) -> None:
    heat.kept["other"] = FakeHeatStack("other", "bay-other", "magnum-other")
    assert isinstance(ask(make_work(heat, verb=Verb.DELETE)), Done)
    assert heat.only().status == "CREATE_IN_PROGRESS"


def test_a_deletion_that_fails_is_asked_again_ever_more_slowly(heat: FakeHeat) -> None:
    work = replace(created(heat), verb=Verb.DELETE)
    work, _ = waits(work)
    seconds = []
    for _ in range(8):
        heat.only().status, heat.only().reason = "DELETE_FAILED", "port is in use"
        work, outcome = waits(work)
        assert isinstance(outcome.trouble, DeleteFailed)
        assert "port is in use" in outcome.trouble.text
        assert heat.only().status == "DELETE_IN_PROGRESS"
        seconds.append(outcome.seconds)
    assert seconds == sorted(seconds)
    assert seconds[1] > seconds[0]
    assert seconds[-1] == LONGEST_WAIT
    heat.kept.clear()
    assert isinstance(ask(work), Done)


def test_a_lost_request_is_sent_again(heat: FakeHeat) -> None:
    work = replace(created(heat), verb=Verb.DELETE)
    for _ in range(5):
        work, _ = waits(work)
        heat.only().status = "CREATE_COMPLETE"  # as if nobody had asked
    assert heat.count("delete") == 2


def test_every_stack_with_the_tag_goes(heat: FakeHeat) -> None:
    work = replace(created(heat), verb=Verb.DELETE)
    first = heat.only().id
    heat.kept["second"] = FakeHeatStack("second", "bay-copy", TAG)
    work, _ = waits(work)
    work, _ = waits(work)
    del heat.kept[first]
    heat.only().name = NAME
    for _ in range(8):
        work, _ = waits(work)
    assert heat.only().status == "DELETE_IN_PROGRESS"


# --- trouble --------------------------------------------------------------------------------------

VERBS = (Verb.CREATE, Verb.UPDATE, Verb.DELETE)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (http_error(exc.HTTPUnauthorized, "Who are you?"), "CLOUD_REFUSED"),
        (http_error(exc.HTTPForbidden, "You are not authorized."), "PERMISSION_LOST"),
    ],
)
@pytest.mark.parametrize("verb", VERBS)
def test_a_refusal_blocks_and_keeps_the_cursor(
    heat: FakeHeat, verb: Verb, error: Exception, code: str
) -> None:
    work = replace(created(heat), verb=verb, cursor={"stack_id": "stack-1"})
    for method in ("get", "list", "create", "update", "delete"):
        heat.errors[method] = [error]
    outcome = ask(work)
    assert isinstance(outcome, Blocked)
    assert (outcome.code, outcome.actor) == (code, Actor.OPERATOR)
    assert outcome.cursor == work.cursor


@pytest.mark.parametrize("verb", VERBS)
def test_a_refusal_of_keystone_blocks_too(heat: FakeHeat, verb: Verb) -> None:
    class FakeRefused(DriverError):
        """What the one who hands out clients raises."""

        code = "CLOUD_REFUSED"

    work = replace(created(heat), verb=verb, cursor={"stack_id": "stack-1"})
    for method in ("get", "list", "create", "update", "delete"):
        heat.errors[method] = [FakeRefused("Keystone says no.")]
    outcome = ask(work)
    assert isinstance(outcome, Blocked)
    assert (outcome.code, outcome.text) == ("CLOUD_REFUSED", "Keystone says no.")


@pytest.mark.parametrize("verb", VERBS)
def test_any_hiccup_at_any_request_ends_well(heat: FakeHeat, verb: Verb) -> None:
    """Each request of a verb's way fails once or twice; the way is gone to its end all the same."""
    hiccups = (http_error(exc.HTTPInternalServerError, "oops"), exc.CommunicationError("timed out"))
    work = make_work(heat) if verb is Verb.CREATE else replace(created(heat), verb=verb)
    for method in ("create", "get", "update", "delete", "list"):
        heat.errors[method] = list(hiccups)
    raised = 0
    for _ in range(40):
        try:
            outcome = ask(work)
        except CloudUnavailable:
            raised += 1
            continue
        if isinstance(outcome, Done):
            break
        work = after(work, outcome)
        if verb is Verb.DELETE:
            heat.kept.clear()
        else:
            heat.only().status = f"{verb.upper()}_COMPLETE"
    else:
        pytest.fail("no end")
    assert raised >= 4


NONSENSE: list[tuple[str, object, str | None]] = [
    ("create", None, None),
    ("create", {"stack": None}, None),
    ("get", None, "stack-1"),
    ("get", object(), "stack-1"),
]


@pytest.mark.parametrize(("method", "answer", "stack_id"), NONSENSE)
def test_an_answer_that_makes_no_sense_is_transient(
    heat: FakeHeat, method: str, answer: object, stack_id: str | None
) -> None:
    setattr(heat.stacks, method, lambda *args, **given: answer)
    with pytest.raises(CloudUnavailable):
        ask(make_work(heat, bay={"stack_id": stack_id}))


def test_a_list_that_makes_no_sense_does_not_end_a_deletion(
    heat: FakeHeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heat.stacks, "list", lambda tags: [object()])
    with pytest.raises(CloudUnavailable):
        ask(make_work(heat, verb=Verb.DELETE))


def test_a_request_that_heat_cannot_accept_is_final(heat: FakeHeat) -> None:
    heat.errors["create"] = [http_error(exc.HTTPBadRequest, "The template is invalid.")]
    with pytest.raises(BuildError):
        ask(make_work(heat))


# --- observe --------------------------------------------------------------------------------------


def test_observe_is_one_request(heat: FakeHeat) -> None:
    work = created(heat)
    facts = Driver().observe(work)
    assert facts.api_address == "tcp://172.24.4.9:2376"
    assert heat.count() == 1


def test_observe_without_a_stack(heat: FakeHeat) -> None:
    with pytest.raises(NotFound, match="none was made, or somebody else has deleted it"):
        Driver().observe(make_work(heat))


def test_observe_says_that_somebody_else_has_deleted_the_stack(heat: FakeHeat) -> None:
    somebodys_doing = "^The cluster's stack was deleted by somebody else.$"
    with pytest.raises(NotFound) as caught:
        Driver().observe(make_work(heat, bay={"stack_id": "gone"}))
    assert re.match(somebodys_doing, caught.value.text)
    assert "could not be found" in caught.value.operator_text
    work = created(heat)
    heat.only().status = "DELETE_COMPLETE"
    with pytest.raises(NotFound, match=somebodys_doing):
        Driver().observe(work)


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "CHECK_COMPLETE", "RESUME_COMPLETE"])
def test_a_sound_stack_is_observed(heat: FakeHeat, status: str) -> None:
    work = replace(created(heat), verb=Verb.CHECK)
    heat.only().status = status
    outcome = ask(work)
    assert isinstance(outcome, Done)
    assert outcome.facts.api_address


def test_an_order_of_an_earlier_update_is_no_change(heat: FakeHeat) -> None:
    """Which nodes were to go is still a parameter of the stack; the bay is what it was made to be."""
    work = created(heat)
    heat.only().parameters["nodes_to_remove"] = ["srv-7"]
    assert Driver().observe(work).api_address


def test_a_stack_that_somebody_scaled(heat: FakeHeat) -> None:
    work = created(heat)
    heat.only().status = "UPDATE_COMPLETE"
    heat.only().parameters["node_count"] = 7
    with pytest.raises(StackChanged, match="node_count is 7, and not 1"):
        Driver().observe(work)


@pytest.mark.parametrize("status", ["SUSPEND_COMPLETE", "CHECK_FAILED", "ROLLBACK_COMPLETE"])
def test_a_stack_that_somebody_did_something_to(heat: FakeHeat, status: str) -> None:
    work = created(heat)
    heat.only().status, heat.only().reason = status, "somebody's doing"
    with pytest.raises(StackChanged, match=f"{status}: somebody's doing"):
        Driver().observe(work)


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "SUSPEND_IN_PROGRESS", "INIT_COMPLETE"])
def test_a_stack_at_which_heat_is_tells_nothing(heat: FakeHeat, status: str) -> None:
    """Neither gone nor changed, which would be said of the bay: it is looked at again later."""
    work = created(heat)
    heat.only().status = status
    with pytest.raises(DriverError) as caught:
        Driver().observe(work)
    assert not isinstance(caught.value, StackChanged | NotFound)
    assert caught.value.code == "CONFLICT"
