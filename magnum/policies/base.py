"""The rules that other rules are made of, and how a noun's rules are written down (contract 4.4)."""

from dataclasses import dataclass

from oslo_policy import policy

ADMIN = "rule:context_is_admin"
ADMIN_OR_MEMBER = "rule:admin_or_project_member_deny_cluster_user"
ADMIN_OR_READER = "rule:admin_or_project_reader_deny_cluster_user"

RULES: list[policy.RuleDefault] = [
    policy.RuleDefault("context_is_admin", "role:admin", "The cloud's administrator."),
    policy.RuleDefault(
        "deny_cluster_user",
        "is_bay_user:False",
        "Anybody but a bay's own user, whose credential lies on the bay's nodes.",
    ),
    policy.RuleDefault(
        "project_member",
        "role:member and project_id:%(project_id)s",
        "A member of the project that the thing belongs to.",
    ),
    policy.RuleDefault(
        "project_reader",
        "role:reader and project_id:%(project_id)s",
        "A reader of the project that the thing belongs to; members are readers.",
    ),
    policy.RuleDefault(
        "admin_or_project_member_deny_cluster_user",
        "rule:context_is_admin or (rule:project_member and rule:deny_cluster_user)",
        "The administrator, or a member of the project who is not a bay's own user.",
    ),
    policy.RuleDefault(
        "admin_or_project_reader_deny_cluster_user",
        "rule:context_is_admin or (rule:project_reader and rule:deny_cluster_user)",
        "The administrator, or a reader of the project who is not a bay's own user.",
    ),
]


@dataclass(frozen=True, slots=True)
class Action:
    """A rule of a noun: its last word, who has it by default, and what it is for."""

    name: str
    check: str
    description: str
    method: str
    path: str


def documented(noun: str, collection: str, actions: tuple[Action, ...]) -> list[policy.RuleDefault]:
    """The rules of a noun: ``<noun>:<action>``, with the route that each guards."""
    return [
        policy.DocumentedRuleDefault(
            name=f"{noun}:{action.name}",
            check_str=action.check,
            description=action.description,
            operations=[{"method": action.method, "path": f"/v1/{collection}{action.path}"}],
        )
        for action in actions
    ]
