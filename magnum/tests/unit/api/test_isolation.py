"""Another project's things do not exist, and every route asks its rule (contract 1.10, 4.4, D13).

The tests walk the table of routes, so that a new route is tested without being named here. Who may do what by default
is in test_personas.py.
"""

import re
from collections.abc import Iterator

import pytest

from magnum.api import routes
from magnum.api.routing import Route
from magnum.policies import enforcer
from magnum.tests.api import MEMBER, MODEL, replace, set_rule
from magnum.tests.personas import answered, expected
from magnum.tests.world import NODE, NODES_DOMAIN, World

GUARDED = [route for route in routes.table() if route.policy is not None]
ACROSS = "_all_projects"
#: What everybody finds in a list.
PUBLIC = {"baymodels": ["public"], "clustertemplates": ["public"]}


def is_for(route: Route, persona: str, *answers: str) -> bool:
    return expected(route.policy, route.path, persona) in answers


#: What leads to one thing of one project; not the limits of its quota, which everybody knows it has.
OF_ONE = [route for route in GUARDED if is_for(route, "stranger", "404")]
#: What an administrator may do in all projects, as far as there is a rule for that.
OF_ALL = [
    route
    for route in GUARDED
    if is_for(route, "stranger", "404", "400") and is_for(route, "admin", "2xx")
]


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.fixture(autouse=True)
def rules() -> Iterator[None]:
    """The rules as they are by default, afterwards."""
    yield
    enforcer.decisions.cache_clear()


def names_of(world: World, route: Route) -> list[str]:
    """How a route's one thing may be called."""
    things = world.things
    if "/operations/{}" in route.path:
        return [things.waiting]
    if "/baymodels" in route.path or "/clustertemplates" in route.path:
        return [things.spare, "spare"]
    return [things.bay, "bay"]


@pytest.mark.parametrize("route", OF_ONE, ids=name_of)
def test_another_projects_thing_is_not_there(world: World, route: Route) -> None:
    """It is answered as an unknown one is, to the letter."""
    things = world.things
    for ident in names_of(world, route):
        told = []
        for name in (ident, "nothing"):
            answer = world.answer(
                "stranger", route.method, things.path(route, name), things.body(route)
            )
            assert answer.status_int == 404
            told.append(answer.json["errors"][0]["detail"])
        assert told[0].replace(f" {ident} ", " nothing ") == told[1]


@pytest.mark.parametrize("noun", ["bays", "clusters", "baymodels", "clustertemplates"])
def test_another_projects_things_are_not_listed(world: World, noun: str) -> None:
    for path in (f"/v1/{noun}", f"/v1/{noun}/detail"):
        (mine,) = world.answer("creator", "GET", path).json.values()
        (theirs,) = world.answer("stranger", "GET", path).json.values()
        assert len(mine) == 2
        assert [one["name"] for one in theirs] == PUBLIC.get(noun, [])


@pytest.mark.parametrize("route", GUARDED, ids=name_of)
def test_every_route_asks_its_rule(world: World, route: Route) -> None:
    """Who may by default (test_personas.py) may not when the operator says so."""
    assert route.policy is not None
    who = "creator" if is_for(route, "creator", "2xx") else "admin"
    set_rule(route.policy, "!")
    assert world.ask(who, route).status_int == 403


@pytest.mark.parametrize("route", OF_ALL, ids=name_of)
def test_the_administrators_reach_is_a_rule_too(world: World, route: Route) -> None:
    """Without it an administrator is a stranger."""
    assert route.policy is not None
    set_rule(re.sub(":get$", ":get_one", route.policy) + ACROSS, "!")
    assert answered(world.ask("admin", route).status_int) == expected(
        route.policy, route.path, "stranger"
    )


@pytest.mark.parametrize("noun", ["bay", "cluster", "baymodel", "clustertemplate"])
def test_the_administrators_lists_are_rules_too(world: World, noun: str) -> None:
    for action, path in (("get_all", f"/v1/{noun}s"), ("detail", f"/v1/{noun}s/detail")):
        (everything,) = world.answer("admin", "GET", path).json.values()
        assert len(everything) == 2
        set_rule(f"{noun}:{action}{ACROSS}", "!")
        (own,) = world.answer("admin", "GET", path).json.values()
        assert [one["name"] for one in own] == PUBLIC.get(f"{noun}s", [])


@pytest.mark.parametrize("who", ["admin", "system"])
def test_an_administrator_sees_all_projects_things(world: World, who: str) -> None:
    for path in ("bays", "clusters/detail", "baymodels", "clustertemplates/detail"):
        (found,) = world.answer(who, "GET", f"/v1/{path}").json.values()
        assert len(found) == 2
    groups = f"/v1/clusters/{world.things.bay}/nodegroups"
    assert len(world.answer(who, "GET", groups).json["nodegroups"]) == 3


def test_an_administrator_makes_clusters_of_another_projects_private_template(
    world: World,
) -> None:
    spare, bay = world.things.spare, world.things.bay
    for noun, key in (("bays", "baymodel"), ("clusters", "cluster_template")):
        create = ("POST", f"/v1/{noun}", {f"{key}_id": spare})
        assert world.answer("admin", *create).status_int == 202
        assert world.answer("stranger", *create).status_int == 400
        upgrade = ("POST", f"/v1/{noun}/{bay}/actions/upgrade", {key: spare})
        assert world.answer("admin", *upgrade).status_int == 202


@pytest.mark.parametrize("noun", ["baymodels", "clustertemplates"])
def test_a_public_baymodel_is_read_and_not_changed(world: World, noun: str) -> None:
    path = f"/v1/{noun}/{world.things.public}"
    for who in ("reader", "member", "stranger"):
        assert world.answer(who, "GET", path).status_int == 200
        assert world.answer(who, "PATCH", path, replace("/name", "mine")).status_int == 403
        assert world.answer(who, "DELETE", path).status_int == 403
    assert world.answer("node", "GET", path).status_int == 403


def test_who_is_administrator_is_a_rule(world: World) -> None:
    set_rule("context_is_admin", "role:admin or project_id:p2")
    assert len(world.answer("stranger", "GET", "/v1/bays").json["bays"]) == 2


@pytest.mark.parametrize("noun", ["baymodels", "clustertemplates"])
def test_a_baymodel_of_the_project_is_everybodys_in_it(world: World, noun: str) -> None:
    path = f"/v1/{noun}/{world.things.spare}"
    assert world.answer("member", "PATCH", path, replace("/name", "ours")).status_int == 200
    assert world.answer("member", "DELETE", path).status_int == 204


@pytest.mark.parametrize("word", ["id", "name"])
def test_a_bays_own_user_is_told_by_its_domain(world: World, word: str) -> None:
    header = f"User_Domain_{word.capitalize()}"
    caller = world.caller(Project_Id="p1", User_Id=NODE, Roles=MEMBER, **{header: NODES_DOMAIN})
    bay = f"/v1/bays/{world.things.bay}"
    for domain, status in (("others", 200), (NODES_DOMAIN, 403)):
        world.config("trust", trustee_domain_id=None, trustee_domain_name=None)
        world.config("trust", **{f"trustee_domain_{word}": domain})
        assert world.answer(caller, "GET", bay).status_int == status
    world.config("trust", trustee_domain_id=NODES_DOMAIN, trustee_domain_name=None)


def test_what_an_administrator_makes_is_his_own_projects(world: World) -> None:
    made = world.answer("admin", "POST", "/v1/clustertemplates", {**MODEL, "name": "new"}).json
    assert made["project_id"] == "p0"
