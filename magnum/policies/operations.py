"""Rules for operations. Whose operation it is goes by its bay's project."""

from oslo_policy import policy

from magnum.policies.base import ADMIN, ADMIN_OR_MEMBER, ADMIN_OR_READER, Action, documented

OF_A_BAY = (
    Action("get_all", ADMIN_OR_READER, "List a bay's operations.", "GET", ""),
    Action(
        "get_all_all_projects", ADMIN, "List the operations of a bay of any project.", "GET", ""
    ),
)
ACTIONS = (
    Action("get", ADMIN_OR_READER, "Show an operation.", "GET", "/{operation}"),
    Action(
        "get_one_all_projects", ADMIN, "Show an operation of any project.", "GET", "/{operation}"
    ),
    Action(
        "get_operator_text",
        ADMIN,
        "See what an operation tells the operator, wherever operations are shown.",
        "GET",
        "/{operation}",
    ),
    Action(
        "cancel", ADMIN_OR_MEMBER, "Cancel an operation not begun yet.", "DELETE", "/{operation}"
    ),
    Action(
        "cancel_all_projects",
        ADMIN,
        "Cancel an operation, not begun yet, of any project.",
        "DELETE",
        "/{operation}",
    ),
)

RULES: list[policy.RuleDefault] = [
    *documented("operation", "bays/{bay}/operations", OF_A_BAY),
    *documented("operation", "operations", ACTIONS),
]
