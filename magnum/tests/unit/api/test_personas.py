"""For every route and every persona the answer is that of the policy table (contract 4.4).

The routes come from the table of routes: a new one is tried without being named here, and fails until the policy
table, and the world, know it.
"""

from contextlib import ExitStack

import pytest

from magnum.api import routes
from magnum.api.middleware import auth
from magnum.api.routing import Route
from magnum.tests.api import MEMBER, MODEL, replace
from magnum.tests.calls import answering
from magnum.tests.personas import OPEN, PERSONAS, answered, expected
from magnum.tests.world import AbleDriver, World

ROUTES = routes.table()
#: What a conductor has to answer.
CALLS = ("/ext/{}/{}", "/preview")


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("persona", PERSONAS)
@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_a_persona_is_answered_as_the_table_says(world: World, route: Route, persona: str) -> None:
    should = expected(route.policy, route.path, persona)
    with ExitStack() as meanwhile:
        if should == "2xx" and route.path.endswith(CALLS):
            world.database.put_back()
            meanwhile.enter_context(answering(AbleDriver()))
        assert answered(world.ask(persona, route).status_int) == should


def test_what_needs_no_token_is_said_twice_alike() -> None:
    """By the routes, which ask no rule, and by the token check, which lets requests past."""
    asked = {route.path for route in ROUTES if route.policy is None}
    assert asked == OPEN - {"/healthcheck"}
    assert {route.segments for route in ROUTES if route.policy is None} == auth.OPEN


@pytest.mark.parametrize("persona", PERSONAS)
def test_everybody_may_ask_whether_the_service_is_well(world: World, persona: str) -> None:
    answer = world.answer(persona, "GET", "/healthcheck")
    assert answered(answer.status_int) == expected(None, "/healthcheck", persona)


#: Requests that ask another rule beside the route's own, or in its place.
SPECIAL = {
    "bay:force_delete": ("DELETE", "/v1/bays/{bay}?force=true", None),
    "cluster:force_delete": ("DELETE", "/v1/clusters/{bay}?force=true", None),
    "bay:update_health_status": (
        "PATCH",
        "/v1/bays/{bay}",
        replace("/health_status", "UNHEALTHY"),
    ),
    "cluster:update_health_status": (
        "PATCH",
        "/v1/clusters/{bay}",
        replace("/health_status", "UNHEALTHY"),
    ),
    "baymodel:publish": ("PATCH", "/v1/baymodels/{spare}", replace("/public", True)),
    "clustertemplate:publish": ("PATCH", "/v1/clustertemplates/{spare}", replace("/hidden", True)),
}


@pytest.mark.parametrize("persona", PERSONAS)
@pytest.mark.parametrize("rule", SPECIAL)
def test_a_rule_beside_the_routes_own_is_answered_as_the_table_says(
    world: World, rule: str, persona: str
) -> None:
    method, path, body = SPECIAL[rule]
    filled = path.format(bay=world.things.bay, spare=world.things.spare)
    answer = world.answer(persona, method, filled, body)
    assert answered(answer.status_int) == expected(rule, path, persona)


@pytest.mark.parametrize("field", ["public", "hidden"])
@pytest.mark.parametrize("noun", ["baymodels", "clustertemplates"])
def test_only_the_administrator_makes_what_is_public_from_the_start(
    world: World, noun: str, field: str
) -> None:
    for persona, status in {"member": 403, "manager": 403, "admin": 201}.items():
        answer = world.answer(persona, "POST", f"/v1/{noun}", {**MODEL, field: True})
        assert answer.status_int == status


def test_a_report_of_health_beside_a_change_needs_both_rules(world: World) -> None:
    body = [*replace("/health_status", "UNHEALTHY"), *replace("/node_count", 2)]
    path = f"/v1/clusters/{world.things.bay}"
    for persona, status in {"node": 403, "member": 403, "creator": 202, "admin": 202}.items():
        assert world.answer(persona, "PATCH", path, body).status_int == status


@pytest.mark.parametrize(
    "identity",
    [
        {"Domain_Id": "default", "Roles": MEMBER},
        {"System_Scope": "all", "Roles": MEMBER},
        {"Project_Id": "p1", "Roles": "manager"},
    ],
    ids=["of a domain", "of the system", "manager of a role that implies nothing"],
)
def test_who_has_no_role_in_a_project_may_do_nothing(
    world: World, identity: dict[str, str]
) -> None:
    client = world.caller(User_Id="u1", **identity)
    for route in ROUTES:
        if route.policy is not None:
            assert world.ask(client, route).status_int == 403, name_of(route)


def test_the_world_notices_what_is_done(world: World) -> None:
    """Else nothing above would see that a refused request did something."""
    world.answer("creator", "GET", f"/v1/bays/{world.things.bay}")
    assert not world.database.changed()
    world.answer("creator", "DELETE", f"/v1/bays/{world.things.bay}")
    assert world.database.changed()
