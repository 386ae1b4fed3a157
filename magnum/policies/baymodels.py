"""Rules for baymodels."""

from oslo_policy import policy

from magnum.policies.base import ADMIN, ADMIN_OR_MEMBER, ADMIN_OR_READER, Action, documented

ACTIONS = (
    Action("create", ADMIN_OR_MEMBER, "Create a baymodel.", "POST", ""),
    Action(
        "publish",
        ADMIN,
        "Make a baymodel public or hidden, at its creation or later.",
        "PATCH",
        "/{baymodel}",
    ),
    Action("get_all", ADMIN_OR_READER, "List the project's and public baymodels.", "GET", ""),
    Action("get_all_all_projects", ADMIN, "List the baymodels of all projects.", "GET", ""),
    Action(
        "detail",
        ADMIN_OR_READER,
        "List the project's and public baymodels with all fields.",
        "GET",
        "/detail",
    ),
    Action(
        "detail_all_projects",
        ADMIN,
        "List all projects' baymodels with all fields.",
        "GET",
        "/detail",
    ),
    Action("get", ADMIN_OR_READER, "Show a baymodel.", "GET", "/{baymodel}"),
    Action("get_one_all_projects", ADMIN, "Show a baymodel of any project.", "GET", "/{baymodel}"),
    Action("update", ADMIN_OR_MEMBER, "Change a baymodel.", "PATCH", "/{baymodel}"),
    Action(
        "update_all_projects", ADMIN, "Change a baymodel of any project.", "PATCH", "/{baymodel}"
    ),
    Action("delete", ADMIN_OR_MEMBER, "Delete a baymodel.", "DELETE", "/{baymodel}"),
    Action(
        "delete_all_projects", ADMIN, "Delete a baymodel of any project.", "DELETE", "/{baymodel}"
    ),
)

RULES: list[policy.RuleDefault] = documented("baymodel", "baymodels", ACTIONS)
