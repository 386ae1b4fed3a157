"""Rules for quotas, and for statistics."""

from oslo_policy import policy

from magnum.policies.base import ADMIN, ADMIN_OR_READER, Action, documented

_ONE = "/{project}/{resource}"

QUOTAS = (
    Action("get_all", ADMIN, "List quotas.", "GET", ""),
    Action("create", ADMIN, "Give a project a quota of its own.", "POST", ""),
    Action("get", ADMIN_OR_READER, "Show a project's quota.", "GET", _ONE),
    Action("update", ADMIN, "Change a project's quota.", "PATCH", _ONE),
    Action("delete", ADMIN, "Remove a project's quota.", "DELETE", _ONE),
)
STATS = (
    Action("get_all", ADMIN_OR_READER, "Count a project's bays and nodes.", "GET", ""),
    Action("get_all_projects", ADMIN, "Count the bays and nodes of all projects.", "GET", ""),
)

RULES: list[policy.RuleDefault] = [
    *documented("quota", "quotas", QUOTAS),
    *documented("stats", "stats", STATS),
]
