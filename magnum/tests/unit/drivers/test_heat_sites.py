"""Where a new bay's nodes go: the decision itself, the look at Nova, and that it is kept."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystoneauth1 import exceptions as keystone

from magnum.drivers.contract import CloudUnavailable, Done, InvalidOption, Load, Verb, Wait, Work
from magnum.drivers.heat import template
from magnum.drivers.heat.driver import HeatDriver
from magnum.drivers.heat.sites import Site, Situation, Wanted, Zones, choose
from magnum.drivers.heat.stack import Launch
from magnum.drivers.heat.template import Bundle, TemplateDefinition
from magnum.tests.unit.drivers.fakes import FakeHeat, FakeService, make_work

THREE = {"az1": True, "az2": True, "az3": True}
LOADS = {"az1": Load(5, 0), "az2": Load(1, 0), "az3": Load(3, 2)}


def site(
    hints: Mapping[str, Any] | None = None,
    *,
    masters: int = 3,
    zones: Mapping[str, bool] | None = THREE,
    allowed: Mapping[str, float] | None = None,
    loads: Mapping[str, Load] = LOADS,
) -> Site:
    return choose(Wanted.of(hints or {}), Situation("b1", masters, zones, allowed or {}, loads))


def test_masters_take_the_zones_in_turn_and_workers_go_where_there_is_room() -> None:
    assert site() == Site(("az2", "az3", "az1"), ("az2",), ("az2", "az3", "az1"))


def test_a_single_master_goes_with_the_workers() -> None:
    assert site(masters=1) == Site(("az2",), ("az2",), ("az2",))


def test_all_nodes_or_none_are_spread_on_demand() -> None:
    assert site({"spread": "all"}, masters=1).workers == ("az2", "az3", "az1")
    assert site({"spread": "none"}) == Site(("az2",), ("az2",), ("az2",))


def test_a_group_keeps_to_the_zone_where_the_project_is() -> None:
    assert site({"group": "project"}, masters=1).workers == ("az3",)
    assert site({"group": "project"}).masters == ("az3", "az2", "az1")
    nowhere = {zone: Load(load.bays, 0) for zone, load in LOADS.items()}
    assert site({"group": "project"}, loads=nowhere).workers == ("az2",)


def test_a_cloud_of_one_zone_is_left_to_nova() -> None:
    assert site(zones={"nova": True}) == Site(zones=("nova",))
    assert site(zones={"nova": True, "az2": False}) == Site(zones=("nova",))
    assert site(zones=None) == Site()
    assert Site().data() == {}


def test_zones_that_are_not_available_are_out() -> None:
    assert site(zones={**THREE, "az2": False}).masters == ("az3", "az1")


@pytest.mark.parametrize("hint", ["az1", ["az1"], " az1 ,"])
def test_a_zone_that_is_named_is_taken(hint: Any) -> None:
    assert site({"availability_zone": hint}) == Site(("az1",), ("az1",), ("az1",))


def test_several_zones_may_be_named() -> None:
    chosen = site({"availability_zone": "az1,az3"})
    assert chosen == Site(("az3", "az1"), ("az3",), ("az3", "az1"))


def test_a_zone_that_does_not_exist_is_refused_by_its_name() -> None:
    with pytest.raises(InvalidOption, match="no availability zone 'mars'; there are az1, az2, az3"):
        site({"availability_zone": ["az1", "mars"]})
    # Where the zones are not known, Nova will tell.
    assert site({"availability_zone": "mars"}, zones=None).workers == ("mars",)


def test_a_zone_that_is_down_is_waited_for() -> None:
    with pytest.raises(CloudUnavailable, match="available at present: az1"):
        site({"availability_zone": "az1"}, zones={"az1": False, "az2": True})


def test_the_operator_says_which_zones_and_how_much() -> None:
    # (5 + 1) / 4 < (1 + 1) / 1
    assert site(allowed={"az1": 4, "az2": 1}).masters == ("az1", "az2")
    assert site(allowed={"az2": 1}) == Site(("az2",), ("az2",), ("az2",))
    with pytest.raises(InvalidOption, match="may not be built in the availability zone 'az1'"):
        site({"availability_zone": "az1"}, allowed={"az2": 1})


def test_a_zone_of_no_weight_is_for_who_asks() -> None:
    allowed = {"az1": 1, "az2": 0}
    assert site(allowed=allowed).zones == ("az1",)
    assert site({"availability_zone": "az2"}, allowed=allowed).zones == ("az2",)


def test_none_of_the_operators_zones_there() -> None:
    with pytest.raises(CloudUnavailable):
        site(allowed={"az1": 1}, zones={"az1": False, "az2": True})


@pytest.mark.parametrize(
    "hints",
    [
        {"spread": "sideways"},
        {"spread": 3},
        {"group": "family"},
        {"availability_zone": 7},
        {"availability_zone": [7]},
        {"region": []},
    ],
)
def test_a_hint_that_makes_no_sense_is_refused_by_its_name(hints: Any) -> None:
    with pytest.raises(InvalidOption, match=next(iter(hints))):
        Wanted.of(hints)


def test_hints_for_others_are_passed_over() -> None:
    assert Wanted.of({"rack": 7}) == Wanted()


names = st.sampled_from([f"az{number}" for number in range(1, 6)])


@given(
    hints=st.fixed_dictionaries(
        {},
        optional={
            "spread": st.sampled_from(["masters", "all", "none"]),
            "group": st.just("project"),
            "availability_zone": st.lists(names, max_size=3),
        },
    ),
    masters=st.integers(1, 7),
    zones=st.none() | st.dictionaries(names, st.booleans()),
    allowed=st.dictionaries(names, st.floats(0, 10)),
    loads=st.dictionaries(names, st.builds(Load, st.integers(0, 99), st.integers(0, 9))),
)
def test_whatever_is_given_the_zones_are_good_and_the_same_each_time(
    hints: Any, masters: int, zones: Any, allowed: Any, loads: Any
) -> None:
    def chosen() -> Site | type[Exception]:
        try:
            return site(hints, masters=masters, zones=zones, allowed=allowed, loads=loads)
        except (InvalidOption, CloudUnavailable) as error:
            return type(error)

    found = chosen()
    assert found == chosen()
    if isinstance(found, type):
        return
    assert set(found.zones) >= set(found.masters) | set(found.workers)
    for zone in found.zones:
        assert zones is None or zones[zone]
        assert not allowed or zone in allowed
        assert not hints.get("availability_zone") or zone in hints["availability_zone"]
    assert len(set(found.masters)) == len(found.masters) <= masters
    if hints.get("spread") == "none":
        assert len(found.zones) <= 1


@given(st.lists(st.integers(0, 10**6), unique=True, min_size=90, max_size=90))
def test_equal_zones_are_taken_by_turns(numbers: list[int]) -> None:
    taken = [
        choose(Wanted(), Situation(f"bay {number}", 1, THREE, {}, {})).workers[0]
        for number in numbers
    ]
    assert all(taken.count(zone) > 10 for zone in THREE)


# --- the look --------------------------------------------------------------------------------------------------------


def nova(**zones: bool) -> FakeService:
    """A Nova with these zones."""
    listed = [
        {"zoneName": name, "zoneState": {"available": available}, "hosts": None}
        for name, available in zones.items()
    ]
    made = FakeService()
    made.answers["availability_zone"] = {"availabilityZoneInfo": listed}
    return made


def work(service: FakeService | None, heat: FakeHeat | None = None, **given: Any) -> Work:
    services = {} if service is None else {"compute": service}
    return make_work(heat, services=services, loads=LOADS, **given)


def test_the_zones_are_novas_and_asked_for_once_in_a_while() -> None:
    moment = [0.0]
    zones, service = Zones(lambda: moment[0]), nova(az1=True, az2=True)
    assert [zones.site(work(service)).workers for _ in range(3)] == [("az2",)] * 3
    assert service.asked == [("/os-availability-zone", {})]
    moment[0] = 31.0
    zones.site(work(service))
    assert len(service.asked) == 2


def test_a_cloud_without_nova_has_no_zones() -> None:
    assert Zones().site(work(None)) == Site()


def test_a_nova_that_does_not_tell_is_left_to_choose() -> None:
    service = nova()
    service.errors["availability_zone"] = keystone.Forbidden("no")
    assert Zones().site(work(service)) == Site()


def test_a_nova_that_does_not_answer_is_asked_again() -> None:
    service = nova(az1=True, az2=True)
    service.errors["availability_zone"] = keystone.ConnectFailure("no")
    zones = Zones()
    with pytest.raises(CloudUnavailable):
        zones.site(work(service))
    del service.errors["availability_zone"]
    assert zones.site(work(service)).workers == ("az2",)


@pytest.mark.parametrize("answer", [None, [], {}, {"availabilityZoneInfo": [{"zoneName": "x"}]}])
def test_an_answer_that_makes_no_sense_is_no_answer(answer: Any) -> None:
    service = nova()
    service.answers["availability_zone"] = answer
    with pytest.raises(CloudUnavailable):
        Zones().site(work(service))


def test_another_region_is_refused() -> None:
    service = nova(az1=True)
    service.region_name = "here"  # type: ignore[attr-defined]
    assert Zones().site(work(service, bay={"hints": {"region": "here"}})) == Site(zones=("az1",))
    with pytest.raises(InvalidOption, match="in the region here here"):
        Zones().site(work(service, bay={"hints": {"region": "there"}}))


# --- in the driver ---------------------------------------------------------------------------------------------------


class Definition(TemplateDefinition):
    """A template that can be told zones, or not."""

    package = "a.package"
    mutable = frozenset({"node_count"})

    def parameters(self, work: Work) -> Mapping[str, Any]:
        return {"node_count": work.group("worker").node_count}

    def launch(self, work: Work) -> Launch:
        return Launch("template", {}, self._given(work), {})

    def facts(self, work: Work, stack_id: str, outputs: Mapping[str, Any]) -> Any:
        return Done().facts


class ZonedDriver(HeatDriver):
    """Heat's driver with that template."""

    name = "zoned_v1"
    version = "1.0.0"
    definition = Definition()


@pytest.fixture
def zoned(monkeypatch: pytest.MonkeyPatch) -> Iterator[HeatDriver]:
    parameters = frozenset({"node_count", "master_zones", "node_zones"})
    monkeypatch.setattr(template, "bundle", lambda package, main: Bundle("", {}, parameters))
    yield ZonedDriver()


def test_the_choice_is_kept_before_anything_is_made(zoned: HeatDriver) -> None:
    heat, service = FakeHeat(), nova(az1=True, az2=True)
    first = work(service, heat, master={"node_count": 2})
    answer = zoned.bay_create(first)
    assert isinstance(answer, Wait)
    assert heat.requests == []
    assert answer.facts.site == {"zones": "az2,az1", "masters": "az2,az1", "workers": "az2"}
    # Somebody else fills the zone, and another conductor goes on.
    second = dataclasses.replace(
        first, cursor=json.loads(json.dumps(answer.cursor)), loads={"az2": Load(99)}
    )
    answer = type(zoned)().bay_create(second)
    assert isinstance(answer, Wait)
    sent = heat.only().parameters
    assert (sent["master_zones"], sent["node_zones"]) == ("az2,az1", "az2")
    assert answer.facts.site == {"zones": "az2,az1", "masters": "az2,az1", "workers": "az2"}


def test_a_bay_that_has_a_site_keeps_it(zoned: HeatDriver) -> None:
    heat, service = FakeHeat(), nova(az1=True, az2=True)
    zoned.bay_create(work(service, heat, bay={"site": {"zones": "az1", "workers": "az1"}}))
    assert heat.only().parameters["node_zones"] == "az1"
    assert "master_zones" not in heat.only().parameters
    assert service.asked == []


def test_an_update_leaves_the_zones_alone(zoned: HeatDriver) -> None:
    heat = FakeHeat()
    given_ = {"site": {"zones": "az1", "workers": "az1"}}
    zoned.bay_create(work(None, heat, bay=given_))
    heat.only().status = "CREATE_COMPLETE"
    bay = {**given_, "stack_id": heat.only().id}
    zoned.bay_update(work(None, heat, verb=Verb.UPDATE, bay=bay, worker={"node_count": 3}))
    (update,) = [sent for name, sent in heat.requests if name == "update"]
    assert update["parameters"] == {"node_count": 3}


def test_where_there_is_nothing_to_choose_the_stack_is_made_at_once(zoned: HeatDriver) -> None:
    heat = FakeHeat()
    answer = zoned.bay_create(work(nova(nova=True), heat))
    assert isinstance(answer, Wait)
    assert answer.facts.site == {"zones": "nova"}
    assert set(heat.only().parameters) == {"node_count"}


def test_a_template_that_cannot_be_told_zones(
    zoned: HeatDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(template, "bundle", lambda package, main: Bundle("", {}, frozenset()))
    service = nova(az1=True, az2=True)
    with pytest.raises(InvalidOption, match="zoned_v1 cannot choose availability zones"):
        zoned.bay_create(work(service, bay={"hints": {"availability_zone": "az1"}}))
    zoned.bay_create(work(service))
    assert service.asked == []
