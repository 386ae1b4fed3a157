"""Placement over the API: what a bay gets, what a dry run says, and versions that are named."""

from typing import Any

import pytest

from magnum.drivers import catalogue
from magnum.drivers.contract import Driver, Provides
from magnum.tests.api import MODEL, Client, Settings, SwarmDriver, a_bay, a_model, shown


class NewerDriver(SwarmDriver):
    """The same, newer."""

    name = "swarm_test_v2"
    version = "2.0.0"


class MetalDriver(Driver):
    """For another kind of machine."""

    name = "metal_test_v1"
    version = "1.0.0"
    provides = frozenset({Provides("bm", "fedora-atomic", "swarm")})


@pytest.fixture(autouse=True)
def two(drivers: catalogue.Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two drivers serve the same, one serves another machine, one is broken."""
    known = catalogue.Catalogue(
        [SwarmDriver(), NewerDriver(), MetalDriver()], {"broken_v1": "SyntaxError: no"}
    )
    monkeypatch.setattr(catalogue, "catalogue", lambda: known)


def attempt(client: Client, status: int = 200, **body: Any) -> Any:
    return client("POST", "/v1/placements", body, status=status).json


def candidate(answer: Any, name: str) -> Any:
    (found,) = [one for one in answer["candidates"] if one["driver"] == name]
    return found


def test_a_bay_gets_the_best_driver_and_keeps_how_it_was_chosen(demo: Client) -> None:
    bay = shown(demo, a_bay(demo))
    assert (bay["driver"], bay["driver_version"]) == ("swarm_test_v2", "2.0.0")
    assert bay["placement"]["driver"] == "swarm_test_v2"
    assert [one["driver"] for one in bay["placement"]["candidates"][:2]] == [
        "swarm_test_v2",
        "swarm_test_v1",
    ]


def test_before_the_version_that_has_it_nothing_of_it_is_shown(demo: Client) -> None:
    assert "placement" not in shown(demo, a_bay(demo), version="container-infra 1.14")
    demo("POST", "/v1/placements", {}, status=404, version="container-infra 1.14")


def test_a_dry_run_tells_every_verdict_and_every_weight(demo: Client) -> None:
    answer = attempt(demo, coe="swarm", server_type="vm")
    assert (answer["driver"], answer["driver_version"]) == ("swarm_test_v2", "2.0.0")
    refused = {one["driver"]: one["refused_by"] for one in answer["candidates"]}
    assert refused["swarm_test_v1"] == {}
    assert refused["broken_v1"]["enabled"] == "SyntaxError: no"
    assert refused["metal_test_v1"] == {"server_type": "it makes nodes of type bm, not vm"}
    first = candidate(answer, "swarm_test_v2")
    assert first["weights"]["version"]["factor"] == 4.0
    assert first["total"] > candidate(answer, "swarm_test_v1")["total"]


def test_a_dry_run_makes_nothing_and_may_find_nobody(demo: Client) -> None:
    answer = attempt(demo, coe="nomad")
    assert answer["driver"] is None
    assert demo("GET", "/v1/bays").json["bays"] == []


def test_a_baymodel_says_what_the_request_does_not(demo: Client) -> None:
    model = a_model(demo, driver="swarm_test_v1")
    assert attempt(demo, baymodel_id=model["uuid"])["driver"] == "swarm_test_v1"
    assert attempt(demo, baymodel_id=model["uuid"], driver="swarm_test_v2")["driver"] == (
        "swarm_test_v2"
    )


def test_a_dry_run_tells_what_is_known_of_the_zones(demo: Client, config: Settings) -> None:
    site = attempt(demo, coe="swarm")["site"]
    assert (site["region"], site["hints"], site["zones"]) == (None, {}, [])
    config("placement", zones={"az1": 2.0})
    hints = {"availability_zone": ["az1"], "spread": "all", "rack": 7}
    site = attempt(demo, coe="swarm", hints=hints)["site"]
    assert site["hints"]["spread"] == "all"
    assert site["zones"] == [{"name": "az1", "weight": 2.0, "bays": 0, "own_bays": 0}]
    assert "the driver" in site["decided_by"]


def test_a_place_that_cannot_be_had_is_refused_at_once(demo: Client, config: Settings) -> None:
    config("placement", zones={"az1": 2.0})
    config("heat_client", region_name="here")
    assert attempt(demo, coe="swarm", hints={"region": "here"})["site"]["region"] == "here"
    for hint, value in (("region", "there"), ("availability_zone", "az1, mars")):
        asked = {"coe": "swarm", "hints": {hint: value}}
        error = demo("POST", "/v1/placements", asked, status=400).json["errors"][0]
        assert error["field"] == f"/hints/{hint}"
        assert value.removeprefix("az1, ") in error["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"hints": {"spread": "sideways"}}, "/hints/spread"),
        ({"hints": {"availability_zone": []}}, "/hints/availability_zone"),
        ({"hints": "az1"}, "/hints"),
        ({"baymodel_id": "none"}, "/baymodel_id"),
        ({"coe": 7}, "/coe"),
        ({"zone": "x"}, "/zone"),
        ({"node_count": -1}, "/node_count"),
    ],
)
def test_a_bad_dry_run_names_the_field(demo: Client, body: Any, field: str) -> None:
    error = demo("POST", "/v1/placements", body, status=400).json["errors"][0]
    assert error["field"] == field


def test_the_operators_preference_and_limit_are_heeded(demo: Client, config: Settings) -> None:
    config("placement", preferred_drivers=["swarm_test_v1"], max_bays={"swarm_test_v1": 2})
    got = [shown(demo, a_bay(demo, name=f"b{number}"))["driver"] for number in range(3)]
    assert got == ["swarm_test_v1", "swarm_test_v1", "swarm_test_v2"]


def test_where_all_are_full_it_is_said_who_and_why(demo: Client, config: Settings) -> None:
    config("placement", max_bays={"swarm_test_v1": 0, "swarm_test_v2": 0})
    model = a_model(demo)
    answer = demo("POST", "/v1/bays", {"baymodel_id": model["uuid"]}, status=503)
    assert "swarm_test_v2: it has 0 bays, and may have 0" in answer.text


# --- a version that is named -----------------------------------------------------------------------------------------


def test_a_driver_may_be_named_with_its_version(demo: Client) -> None:
    model = a_model(demo, driver="swarm_test_v1@1.2.0")
    assert model["driver"] == "swarm_test_v1@1.2.0"
    bay = shown(demo, a_bay(demo, baymodel_id=model["uuid"]))
    assert (bay["driver"], bay["driver_version"]) == ("swarm_test_v1", "1.2.0")


def test_a_version_that_is_not_there_is_refused_with_the_one_that_is(demo: Client) -> None:
    error = demo.error(
        "POST",
        "/v1/baymodels",
        {**MODEL, "driver": "swarm_test_v1@9"},
        status=400,
    )
    assert error["field"] == "/driver" and "1.2.0" in error["detail"]


def test_a_name_that_is_not_there_is_refused_with_those_that_are(demo: Client) -> None:
    error = demo.error(
        "POST",
        "/v1/baymodels",
        {**MODEL, "driver": "nobody_v1"},
        status=400,
    )
    assert error["field"] == "/driver" and "swarm_test_v1, swarm_test_v2" in error["detail"]


def test_bare_metal_is_refused_unless_a_driver_provides_it(
    demo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {**MODEL, "server_type": "bm"}
    demo("POST", "/v1/baymodels", body, status=201)
    none = catalogue.Catalogue([SwarmDriver()])
    monkeypatch.setattr(catalogue, "catalogue", lambda: none)
    assert demo.error("POST", "/v1/baymodels", body, status=400)["field"] == "/server_type"
