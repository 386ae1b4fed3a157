"""Who may do what: another project's things do not exist, and every route asks its rule (contract 1.10, 4.4).

Both tests walk the table of routes, so that a new route is tested without being named here.
"""

import re
from typing import Any

import pytest
from oslo_policy import policy

from magnum import policies
from magnum.api import routes
from magnum.api.routing import Route
from magnum.policies import enforcer
from magnum.tests.api import MODEL, Client, Settings, a_bay, a_model, operations_of

GUARDED = [route for route in routes.table() if route.policy is not None]
OF_ONE = [route for route in GUARDED if "{}" in route.path]
ACROSS = "_all_projects"


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def body_of(route: Route, model: str) -> Any:
    """A body with which the route would succeed."""
    if route.method == "PATCH":
        return []
    if route.method != "POST" or "/actions/" in route.path:
        return None
    return MODEL if "baymodels" in route.path else {"baymodel_id": model}


def idents_of(route: Route, model: str, bay: str) -> list[str]:
    """How a route's one thing may be called."""
    if "baymodels" in route.path:
        return [model, "model"]
    return operations_of(bay)[:1] if "/operations/{}" in route.path else [bay, "bay"]


def ask(client: Client, route: Route, model: str, bay: str) -> int:
    """Call a route on the one thing of its kind that there is. Returns the status."""
    path = route.path.replace("{}", idents_of(route, model, bay)[0])
    status: int = client(route.method, path, body_of(route, model)).status_int
    return status


def set_rule(name: str, check: str) -> None:
    """Let the operator's policy say something else."""
    enforcer.decisions()._enforcer.set_rules(
        policy.Rules.from_dict({name: check}), overwrite=False, use_conf=False
    )


@pytest.fixture
def bay(demo: Client) -> str:
    """The uuid of a bay of project p1."""
    return a_bay(demo)


@pytest.fixture
def model(demo: Client, bay: str) -> str:
    """The uuid of that bay's baymodel."""
    found: str = demo("GET", f"/v1/bays/{bay}").json["baymodel_id"]
    return found


def test_every_rule_of_a_route_is_registered() -> None:
    known = {rule.name for rule in policies.list_rules()}
    assert {route.policy for route in GUARDED} <= known
    assert [route.path for route in routes.table() if route.policy is None] == ["/", "/v1"]


def test_every_documented_rule_guards_what_it_says() -> None:
    """The operations in the sample policy file are routes."""
    served = {(route.method, route.path) for route in routes.table()}
    for rule in policies.list_rules():
        for operation in getattr(rule, "operations", ()):
            path = re.sub(r"\{\w+\}", "{}", operation["path"])
            assert (operation["method"], path) in served


@pytest.mark.parametrize("route", OF_ONE, ids=name_of)
def test_another_projects_thing_is_not_there(
    demo: Client, other: Client, bay: str, model: str, route: Route
) -> None:
    before = demo("GET", f"/v1/bays/{bay}").json
    for ident in idents_of(route, model, bay):
        path = route.path.replace("{}", ident)
        foreign = other(route.method, path, body_of(route, model), status=404)
        unknown = other(route.method, route.path.replace("{}", "nothing"), body_of(route, model))
        assert unknown.status_int == 404
        said = foreign.json["errors"][0]["detail"]
        assert said.replace(f" {ident} ", " nothing ") == unknown.json["errors"][0]["detail"]
    assert demo("GET", f"/v1/bays/{bay}").json == before


@pytest.mark.parametrize("path", ["bays", "bays/detail", "baymodels", "baymodels/detail"])
def test_another_projects_things_are_not_listed(
    demo: Client, other: Client, bay: str, path: str
) -> None:
    (mine,) = demo("GET", f"/v1/{path}").json.values()
    (theirs,) = other("GET", f"/v1/{path}").json.values()
    assert len(mine) == 1
    assert theirs == []


@pytest.mark.parametrize("route", GUARDED, ids=name_of)
def test_a_reader_looks_and_does_not_touch(
    reader: Client, bay: str, model: str, route: Route
) -> None:
    status = ask(reader, route, model, bay)
    assert status == (200 if route.method == "GET" else 403)


@pytest.mark.parametrize("route", GUARDED, ids=name_of)
def test_without_a_role_nothing_is_allowed(caller: Any, bay: str, model: str, route: Route) -> None:
    assert ask(caller(roles="guest"), route, model, bay) == 403


@pytest.mark.parametrize("route", GUARDED, ids=name_of)
def test_without_a_project_nothing_is_allowed(
    caller: Any, bay: str, model: str, route: Route
) -> None:
    unscoped = caller(project="", roles="member,reader", Domain_Id="default")
    assert ask(unscoped, route, model, bay) == 403


@pytest.mark.parametrize("route", GUARDED, ids=name_of)
@pytest.mark.parametrize(
    ("option", "header"),
    [
        ("trustee_domain_id", "User_Domain_Id"),
        ("trustee_domain_name", "User_Domain_Name"),
    ],
)
def test_a_bays_own_user_may_do_nothing_of_this(
    caller: Any, config: Settings, bay: str, model: str, route: Route, option: str, header: str
) -> None:
    bay_user = caller(**{header: "bays"})
    config("trust", **{option: "others"})
    assert ask(bay_user, route, model, bay) != 403
    config("trust", **{option: "bays"})
    bay_user = caller(user="bay-user", **{header: "bays"})
    assert ask(bay_user, route, model, a_bay(caller(), baymodel_id=model)) == 403


@pytest.mark.parametrize("route", GUARDED, ids=name_of)
def test_every_route_asks_its_rule(demo: Client, bay: str, model: str, route: Route) -> None:
    assert route.policy is not None
    assert ask(demo, route, model, bay) != 403
    enforcer.decisions.cache_clear()
    set_rule(route.policy, "!")
    assert ask(demo, route, model, bay) == 403


@pytest.mark.parametrize("route", OF_ONE, ids=name_of)
def test_the_administrators_reach_is_a_rule_too(
    admin: Client, bay: str, model: str, route: Route
) -> None:
    assert route.policy is not None
    rule = re.sub(":get$", ":get_one", route.policy) + ACROSS
    set_rule(rule, "!")
    assert ask(admin, route, model, bay) == 404
    enforcer.decisions.cache_clear()
    assert ask(admin, route, model, bay) not in (403, 404)


def test_who_is_administrator_is_a_rule(demo: Client, other: Client, bay: str) -> None:
    set_rule("context_is_admin", "role:admin or project_id:p2")
    assert [found["uuid"] for found in other("GET", "/v1/bays").json["bays"]] == [bay]


def test_a_baymodel_of_the_project_is_everybodys_in_it(demo: Client, caller: Any) -> None:
    colleague = caller(user="u9")
    model = a_model(demo)["uuid"]
    body = [{"op": "replace", "path": "/name", "value": "ours"}]
    colleague("PATCH", f"/v1/baymodels/{model}", body, status=200)
    colleague("DELETE", f"/v1/baymodels/{model}", status=204)
