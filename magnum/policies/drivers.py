"""Rules for what is told of the drivers."""

from oslo_policy import policy

from magnum.policies.base import ADMIN, ADMIN_OR_READER, Action, documented

ACTIONS = (
    Action("get_all", ADMIN_OR_READER, "List the drivers that can be used.", "GET", ""),
    Action(
        "get", ADMIN_OR_READER, "Show a driver with its options and endpoints.", "GET", "/{driver}"
    ),
    Action(
        "get_broken",
        ADMIN,
        "See the drivers that cannot be used, and why.",
        "GET",
        "",
    ),
)

RULES: list[policy.RuleDefault] = documented("driver", "drivers", ACTIONS)
