"""Rules for what a bay's attributes and options are in effect."""

from oslo_policy import policy

from magnum.policies.base import ADMIN, ADMIN_OR_READER, Action, documented

ACTIONS = (
    Action(
        "get",
        ADMIN_OR_READER,
        "Show every attribute and option of a bay with where its value comes from.",
        "GET",
        "",
    ),
    Action(
        "get_one_all_projects",
        ADMIN,
        "Show every attribute and option of a bay of any project with where its value comes from.",
        "GET",
        "",
    ),
)

RULES: list[policy.RuleDefault] = documented("effective", "bays/{bay}/effective", ACTIONS)
