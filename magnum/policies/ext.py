"""Rules for the endpoints that drivers bring: those of all of them, and how one endpoint's own rule is made."""

from typing import Final

from oslo_policy import policy

from magnum.policies.base import (
    ADMIN,
    ADMIN_OR_MEMBER,
    ADMIN_OR_READER,
    Action,
    documented,
    spelled,
)

ACTIONS = (
    Action("get_all", ADMIN_OR_READER, "List the endpoints of a bay's driver.", "GET", ""),
    Action(
        "get_all_all_projects",
        ADMIN,
        "List the endpoints of a bay's driver, in any project.",
        "GET",
        "",
    ),
    *(
        Action(f"{name}{suffix}", check, f"{what}{where}.", method, "/{driver}/{endpoint}")
        for name, method, what in (
            (
                "call_get",
                "GET",
                "Call an endpoint of a bay's driver, if its own rule allows it too",
            ),
            (
                "call_post",
                "POST",
                "Call an endpoint of a bay's driver, if its own rule allows it too",
            ),
        )
        for suffix, check, where in (
            ("", ADMIN_OR_READER, ""),
            ("_all_projects", ADMIN, ", in any project"),
        )
    ),
)

RULES: list[policy.RuleDefault] = documented("ext", "bays/{bay}/ext", ACTIONS)

#: What an endpoint declares, as a rule.
_WHO: Final = {"reader": ADMIN_OR_READER, "member": ADMIN_OR_MEMBER, "admin": ADMIN}


def name_of(driver: str, endpoint: str) -> str:
    """The name of one endpoint's rule."""
    return f"ext:{driver}:{endpoint}"


def of_endpoint(driver: str, endpoint: str, who: str, what: str, method: str) -> policy.RuleDefault:
    """The default rule of an endpoint.

    :param who: ``reader``, ``member`` or ``admin``.
    :param what: what the endpoint does, in one sentence.
    """
    paths = spelled("ext", f"/v1/bays/{{bay}}/ext/{driver}/{endpoint}")
    return policy.DocumentedRuleDefault(
        name=name_of(driver, endpoint),
        check_str=_WHO[who],
        description=what,
        operations=[{"method": method, "path": path} for path in paths],
    )
