"""Rules for node groups (contract 4.4)."""

from oslo_policy import policy

from magnum.policies.base import ADMIN, ADMIN_OR_MEMBER, ADMIN_OR_READER, Action, documented

_ONE = "/{nodegroup}"
_WHAT = (
    ("get_all", "get_all", ADMIN_OR_READER, "List the node groups of a cluster", "GET", ""),
    ("get", "get_one", ADMIN_OR_READER, "Show a node group of a cluster", "GET", _ONE),
    ("create", "create", ADMIN_OR_MEMBER, "Add a node group to a cluster", "POST", ""),
    ("update", "update", ADMIN_OR_MEMBER, "Change a node group of a cluster", "PATCH", _ONE),
    ("delete", "delete", ADMIN_OR_MEMBER, "Delete a node group of a cluster", "DELETE", _ONE),
)

ACTIONS = tuple(
    action
    for name, wide, check, what, method, path in _WHAT
    for action in (
        Action(name, check, f"{what}.", method, path),
        Action(f"{wide}_all_projects", ADMIN, f"{what} of any project.", method, path),
    )
)

RULES: list[policy.RuleDefault] = documented("nodegroup", "clusters/{cluster}/nodegroups", ACTIONS)
