"""Rules for bays."""

from oslo_policy import policy

from magnum.policies.base import ADMIN, ADMIN_OR_MEMBER, ADMIN_OR_READER, Action, documented

ACTIONS = (
    Action("create", ADMIN_OR_MEMBER, "Create a bay.", "POST", ""),
    Action("get_all", ADMIN_OR_READER, "List the project's bays.", "GET", ""),
    Action("get_all_all_projects", ADMIN, "List the bays of all projects.", "GET", ""),
    Action("detail", ADMIN_OR_READER, "List the project's bays with all fields.", "GET", "/detail"),
    Action(
        "detail_all_projects", ADMIN, "List all projects' bays with all fields.", "GET", "/detail"
    ),
    Action("get", ADMIN_OR_READER, "Show a bay.", "GET", "/{bay}"),
    Action("get_one_all_projects", ADMIN, "Show a bay of any project.", "GET", "/{bay}"),
    Action("update", ADMIN_OR_MEMBER, "Change a bay.", "PATCH", "/{bay}"),
    Action("update_all_projects", ADMIN, "Change a bay of any project.", "PATCH", "/{bay}"),
    Action("delete", ADMIN_OR_MEMBER, "Delete a bay.", "DELETE", "/{bay}"),
    Action("delete_all_projects", ADMIN, "Delete a bay of any project.", "DELETE", "/{bay}"),
    Action(
        "force_delete",
        ADMIN_OR_MEMBER,
        "Delete a bay, and end that even if something is left in the cloud (?force=true).",
        "DELETE",
        "/{bay}",
    ),
)

RULES: list[policy.RuleDefault] = documented("bay", "bays", ACTIONS)
