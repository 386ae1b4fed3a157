"""A deletion proves itself: what bears the bay's mark in any service keeps it going, and nothing else does."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystoneauth1 import exceptions as keystone

from magnum.drivers.contract import (
    Actor,
    Blocked,
    CloudUnavailable,
    DeleteFailed,
    Done,
    Leftover,
    Verb,
    Work,
)
from magnum.drivers.heat import search
from magnum.drivers.heat.deletion import LONGEST_PAUSE, MOST_NAMED, SEARCHES_UNTIL_TOLD
from magnum.drivers.heat.errors import CloudError
from magnum.drivers.heat.search import KINDS, Mark
from magnum.tests.unit.drivers.fakes import (
    UUID,
    FakeHeat,
    FakeHeatClouds,
    FakeHeatStack,
    FakeService,
    make_work,
)
from magnum.tests.unit.drivers.test_heat_driver import NAME, TAG, after, ask, created, waits

#: What is left of the bay, one of each kind, as the service lists it.
LEFT: dict[tuple[str, str], dict[str, Any]] = {
    ("load-balancer", "loadbalancers"): {"id": "lb", "name": TAG},
    ("compute", "servers"): {
        "id": "srv",
        "name": "my-bay-5d12f6fd-node-0",
        "metadata": {"magnum_bay": UUID},
    },
    ("compute", "server_groups"): {"id": "sg", "name": TAG},
    ("block-storage", "volumes"): {"id": "vol", "name": "x", "metadata": {"magnum_bay": UUID}},
    ("network", "floatingips"): {
        "id": "fip",
        "description": TAG,
        "floating_ip_address": "172.24.4.7",
    },
    ("network", "ports"): {"id": "port", "name": "", "tags": ["a", TAG]},
    ("network", "routers"): {"id": "router", "name": "r", "tags": [TAG]},
    ("network", "subnets"): {"id": "subnet", "name": "s", "tags": [TAG]},
    ("network", "networks"): {"id": "net", "name": "n", "tags": [TAG]},
    ("network", "security_groups"): {"id": "sec", "name": TAG, "tags": []},
}
OTHERS: list[dict[str, Any]] = [
    {"id": "o1", "name": "anything"},
    {"id": "o2", "name": None, "tags": None, "metadata": None, "description": None},
    {"id": "o3", "name": "magnum-other", "tags": ["magnum-other"], "metadata": {"magnum_bay": "x"}},
    {"id": "o4", "name": f"my-{TAG}", "description": f"not {TAG}"},
]


def cloud(present: set[tuple[str, str]] | None = None) -> dict[str, FakeService]:
    """A cloud with every service, where these things are left, beside other people's."""
    services: dict[str, FakeService] = {
        "load-balancer": FakeService("http://cloud/load-balancer"),
        "compute": FakeService("http://cloud:8774/v2.1"),
        "block-storage": FakeService("http://cloud:8776/v3/p1"),
        "network": FakeService("http://cloud:9696/"),
    }
    for kind, thing in LEFT.items():
        service, collection = kind
        ours = [thing] if present is None or kind in present else []
        services[service].things[collection] = [*OTHERS, *ours]
    return services


def clouds(services: dict[str, FakeService]) -> FakeHeatClouds:
    return FakeHeatClouds(FakeHeat(), services)


def leftovers(clouds: FakeHeatClouds, uuid: str) -> list[Leftover]:
    return [found.leftover for found in search.leftovers(clouds, uuid)]


def test_every_kind_is_looked_for() -> None:
    assert {(kind.service, kind.collection) for kind in KINDS} == LEFT.keys()


def test_everything_that_bears_the_mark_is_found_and_nothing_else() -> None:
    found = leftovers(clouds(cloud()), UUID)
    assert {(item.service, item.ident) for item in found} == {
        (service, thing["id"]) for (service, _), thing in LEFT.items()
    }
    assert Leftover("compute", "server", "srv", "my-bay-5d12f6fd-node-0") in found
    assert Leftover("network", "floating IP", "fip", "172.24.4.7") in found


@given(st.sets(st.sampled_from(sorted(LEFT))))
def test_found_is_exactly_what_is_there(present: set[tuple[str, str]]) -> None:
    found = leftovers(clouds(cloud(present)), UUID)
    assert {item.ident for item in found} == {LEFT[kind]["id"] for kind in present}


def test_each_kind_is_one_request_that_narrows_the_list_at_the_service() -> None:
    services = cloud(set())
    assert leftovers(clouds(services), UUID) == []
    asked = {name: service.asked for name, service in services.items()}
    assert asked == {
        "load-balancer": [("/v2.0/lbaas/loadbalancers", {"name": TAG})],
        "compute": [("/servers/detail", {"name": "5d12f6fd"}), ("/os-server-groups", {})],
        "block-storage": [("/volumes/detail", {"metadata": f"{{'magnum_bay': '{UUID}'}}"})],
        "network": [
            ("/v2.0/floatingips", {"description": TAG}),
            ("/v2.0/ports", {"tags": TAG}),
            ("/v2.0/routers", {"tags": TAG}),
            ("/v2.0/subnets", {"tags": TAG}),
            ("/v2.0/networks", {"tags": TAG}),
            ("/v2.0/security-groups", {"name": TAG}),
        ],
    }


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        ("http://cloud:9696", "/v2.0/ports"),
        ("http://cloud/networking/", "/v2.0/ports"),
        ("http://cloud/networking/v2.0", "/ports"),
        ("http://v2.cloud:9696/", "/v2.0/ports"),
    ],
)
def test_the_version_is_put_before_the_path_where_the_catalogue_has_none(
    endpoint: str, path: str
) -> None:
    service = FakeService(endpoint)
    leftovers(clouds({"network": service}), UUID)
    assert path in [asked for asked, _ in service.asked]


def test_what_heat_named_itself_bears_the_stacks_name() -> None:
    assert Mark(UUID).is_on({"id": "1", "name": f"{NAME}-node-abcdef"})
    assert not Mark(UUID).is_on({"id": "1", "name": f"x-{NAME}"})


@pytest.mark.parametrize(
    "error",
    [
        keystone.BadRequest("unknown filter"),
        keystone.Unauthorized("who?"),
        keystone.Forbidden("not for you"),
        keystone.NotFound("no such path"),
    ],
)
def test_a_service_that_cannot_be_searched_is_passed_over_and_noted(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    services = cloud({("compute", "servers")})
    services["network"].errors = {"ports": error}
    found = leftovers(clouds(services), UUID)
    assert [item.ident for item in found] == ["srv"]
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert UUID in record.getMessage()
    assert "port" in record.getMessage()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (keystone.InternalServerError("oops"), CloudError),
        (keystone.TooManyRequests("slow down"), CloudUnavailable),
        (keystone.ConnectTimeout("30 s"), CloudUnavailable),
    ],
)
def test_a_service_that_does_not_answer_proves_nothing(
    error: Exception, kind: type[Exception]
) -> None:
    services = cloud(set())
    services["network"].errors = {"ports": error}
    with pytest.raises(kind) as caught:
        leftovers(clouds(services), UUID)
    assert type(caught.value) is kind
    assert "network" in str(getattr(caught.value, "text", ""))


@pytest.mark.parametrize("body", [None, [], {}, {"ports": None}, {"ports": ["x"]}, "ports"])
def test_an_answer_that_makes_no_sense_proves_nothing(body: object) -> None:
    services = cloud(set())
    services["network"].answers = {"ports": body}
    with pytest.raises(CloudUnavailable, match="ports"):
        leftovers(clouds(services), UUID)


# --- in a deletion --------------------------------------------------------------------------------


def deleted(services: dict[str, FakeService]) -> tuple[FakeHeat, Work]:
    """A bay whose stack Heat has deleted."""
    heat = FakeHeat()
    work, _ = waits(replace(created(heat, services=services), verb=Verb.DELETE))
    heat.kept.clear()
    return heat, work


def test_nothing_is_searched_while_the_stack_is_there() -> None:
    services = cloud()
    heat = FakeHeat()
    there = created(heat, services=services)
    for service in services.values():
        service.asked.clear()
    work, _ = waits(replace(there, verb=Verb.DELETE))
    waits(work)
    assert not any(service.asked for service in services.values())


def test_a_deletion_without_leftovers_is_done() -> None:
    _, work = deleted(cloud(set()))
    assert isinstance(ask(work), Done)


def test_leftovers_keep_a_deletion_going_until_they_are_gone() -> None:
    services = cloud({("network", "ports"), ("network", "routers")})
    _, work = deleted(services)
    outcome = ask(replace(work, poll_interval=30.0))
    assert isinstance(outcome, Blocked)
    assert (outcome.code, outcome.actor) == ("LEFTOVERS", Actor.USER)
    assert outcome.seconds == LONGEST_PAUSE  # it may be on its way out, and no event will tell
    assert {item.ident for item in outcome.leftovers} == {"port", "router"}
    assert "router r" in outcome.text
    assert "port port" in outcome.text
    work = after(work, outcome)
    outcome = ask(work)
    assert isinstance(outcome, Blocked)
    assert outcome.seconds is None  # it is not: the operator's pace
    work = after(work, outcome)
    for service in services.values():
        service.things.clear()
    assert isinstance(ask(work), Done)


SURE = {("compute", "servers"), ("block-storage", "volumes")}


def test_servers_and_volumes_with_the_bays_metadata_are_deleted_and_nothing_else() -> None:
    services = cloud()
    _, work = deleted(services)
    work, outcome = waits(replace(work, poll_interval=30.0))
    assert outcome.seconds == LONGEST_PAUSE
    assert {name: service.deleted for name, service in services.items()} == {
        "load-balancer": [],
        "compute": ["/servers/srv"],
        "block-storage": ["/volumes/vol"],
        "network": [],
    }
    outcome_then = ask(work)
    assert isinstance(outcome_then, Blocked)
    assert {(item.service, item.ident) for item in outcome_then.leftovers} == {
        (service, thing["id"])
        for (service, collection), thing in LEFT.items()
        if (service, collection) not in SURE
    }


def test_a_deletion_ends_by_itself_where_heat_has_left_a_server_behind() -> None:
    _, work = deleted(cloud(SURE))
    work, _ = waits(work)
    assert isinstance(ask(work), Done)


@pytest.mark.parametrize(
    "thing",
    [
        {"id": "s", "name": f"{NAME}-node-abcdef", "metadata": {}},
        {"id": "s", "name": f"{NAME}-node-abcdef", "metadata": {"magnum_bay": "another"}},
        {"id": "s", "name": TAG, "tags": [TAG]},
    ],
)
def test_a_server_that_is_the_bays_by_name_or_tag_alone_is_left_to_somebody(
    thing: dict[str, Any],
) -> None:
    services = cloud(set())
    services["compute"].things["servers"] = [thing]
    _, work = deleted(services)
    outcome = ask(work)
    assert isinstance(outcome, Blocked)
    assert [item.ident for item in outcome.leftovers] == ["s"]
    assert services["compute"].deleted == []


def test_the_version_is_put_before_the_path_of_what_is_deleted_too() -> None:
    services = cloud(SURE)
    services["compute"].endpoint = "http://cloud/compute"
    _, work = deleted(services)
    waits(work)
    assert services["compute"].deleted == ["/v2.1/servers/srv"]


def test_what_has_gone_since_the_search_is_no_trouble(caplog: pytest.LogCaptureFixture) -> None:
    services = cloud(SURE)
    services["compute"].errors = {"/servers/srv": keystone.NotFound("gone")}
    _, work = deleted(services)
    work, _ = waits(work)
    assert services["block-storage"].deleted == ["/volumes/vol"]
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize(
    "error",
    [
        keystone.Conflict("it is in task_state deleting"),
        keystone.BadRequest("volume is in use"),
        keystone.Forbidden("not for you"),
        keystone.InternalServerError("oops"),
    ],
)
def test_what_a_service_will_not_delete_is_told_and_tried_again(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    services = cloud(SURE)
    nova = services["compute"]
    nova.errors = {"/servers/srv": error}
    _, work = deleted(services)
    for _ in range(SEARCHES_UNTIL_TOLD - 1):
        work, _ = waits(work)
    outcome = ask(work)
    assert isinstance(outcome, Blocked)
    assert (outcome.code, outcome.seconds) == ("LEFTOVERS", None)
    assert [item.ident for item in outcome.leftovers] == ["srv"]  # the volume has gone
    assert len(nova.deleted) == SEARCHES_UNTIL_TOLD
    assert UUID in caplog.text and "srv" in caplog.text
    nova.errors = {}
    work = after(work, outcome)
    outcome = ask(work)
    assert isinstance(outcome, Blocked)  # told of, and asked for: it goes on at the next search
    assert isinstance(ask(after(work, outcome)), Done)


def test_a_server_that_is_slow_to_go_is_asked_once_in_each_search() -> None:
    services = cloud({("compute", "servers")})
    services["compute"].lingers = True
    _, work = deleted(services)
    for searches in range(1, SEARCHES_UNTIL_TOLD):
        work, _ = waits(work)
        assert services["compute"].deleted == ["/servers/srv"] * searches
    assert isinstance(ask(work), Blocked)


def test_a_service_that_does_not_answer_a_deletion_is_transient() -> None:
    services = cloud(SURE)
    services["compute"].errors = {"/servers/srv": keystone.ConnectTimeout("30 s")}
    _, work = deleted(services)
    with pytest.raises(CloudUnavailable, match="server"):
        ask(work)


def test_many_leftovers_are_named_in_part_and_listed_in_full() -> None:
    services = cloud(set())
    ports = [{"id": f"port-{n}", "name": "", "tags": [TAG]} for n in range(40)]
    services["network"].things["ports"] = ports
    _, work = deleted(services)
    outcome = ask(work)
    assert isinstance(outcome, Blocked)
    assert len(outcome.leftovers) == 40
    assert outcome.text.count("port-") == MOST_NAMED
    assert "and 35 more" in outcome.text


def test_a_bay_that_never_had_a_stack_is_searched_for_too() -> None:
    services = cloud({("network", "ports")})
    outcome = ask(make_work(FakeHeat(), verb=Verb.DELETE, services=services))
    assert isinstance(outcome, Blocked)
    assert outcome.code == "LEFTOVERS"


def test_a_stack_that_would_not_go_is_a_leftover() -> None:
    heat = FakeHeat()
    work, _ = waits(replace(created(heat), verb=Verb.DELETE))
    stack_id = heat.only().id
    heat.only().status = "DELETE_FAILED"
    heat.kept["second"] = FakeHeatStack("second", NAME, TAG, "DELETE_IN_PROGRESS")
    _, outcome = waits(work)
    assert isinstance(outcome.trouble, DeleteFailed)
    assert {item.ident for item in outcome.trouble.leftovers} == {stack_id, "second"}
