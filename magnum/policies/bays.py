"""Rules for bays, and the same again for clusters: one object, two words (contract 4.4)."""

from oslo_policy import policy

from magnum.policies.base import ADMIN, ADMIN_OR_MEMBER, ADMIN_OR_READER, Action, documented

_REPORTING = "rule:admin_or_project_member_user_or_cluster_user"


def _actions(bay: str) -> tuple[Action, ...]:
    one = f"/{{{bay}}}"
    return (
        Action("create", ADMIN_OR_MEMBER, f"Create a {bay}.", "POST", ""),
        Action("get_all", ADMIN_OR_READER, f"List the project's {bay}s.", "GET", ""),
        Action("get_all_all_projects", ADMIN, f"List the {bay}s of all projects.", "GET", ""),
        Action(
            "detail", ADMIN_OR_READER, f"List the project's {bay}s, all fields.", "GET", "/detail"
        ),
        Action(
            "detail_all_projects",
            ADMIN,
            f"List all projects' {bay}s, all fields.",
            "GET",
            "/detail",
        ),
        Action("get", ADMIN_OR_READER, f"Show a {bay}.", "GET", one),
        Action("get_one_all_projects", ADMIN, f"Show a {bay} of any project.", "GET", one),
        Action("update", ADMIN_OR_MEMBER, f"Change a {bay}.", "PATCH", one),
        Action("update_all_projects", ADMIN, f"Change a {bay} of any project.", "PATCH", one),
        Action("update_health_status", _REPORTING, f"Report the health of a {bay}.", "PATCH", one),
        Action("delete", ADMIN_OR_MEMBER, f"Delete a {bay}.", "DELETE", one),
        Action("delete_all_projects", ADMIN, f"Delete a {bay} of any project.", "DELETE", one),
        Action(
            "force_delete",
            ADMIN_OR_MEMBER,
            f"Delete a {bay}, and end that even if something is left in the cloud (?force=true).",
            "DELETE",
            one,
        ),
    )


RULES: list[policy.RuleDefault] = [
    *documented("bay", "bays", _actions("bay")),
    *documented("cluster", "clusters", _actions("cluster")),
]
