"""The rules that other rules are made of, and how a noun's rules are written down (contract 4.4)."""

from dataclasses import dataclass

from oslo_policy import policy

ADMIN = "rule:context_is_admin"
MEMBER = "rule:project_member_deny_cluster_user"
ADMIN_OR_MEMBER = "rule:admin_or_project_member_deny_cluster_user"
ADMIN_OR_READER = "rule:admin_or_project_reader_deny_cluster_user"

#: What makes a reader, a member, an administrator and a bay's own user. Keystone's roles imply one another: admin
#: manager, manager member, member reader; and Keystone names all of them in a token. So no rule names the manager: a
#: role of that name that does not imply member is the operator's own invention, and may mean anything. That a member
#: may look is said here too, for clouds that are older than the reader.
_WHO: list[policy.RuleDefault] = [
    policy.RuleDefault("context_is_admin", "role:admin", "The cloud's administrator."),
    policy.RuleDefault(
        "deny_cluster_user",
        "is_bay_user:False",
        "Anybody but a bay's own user, whose credential lies on the bay's nodes.",
    ),
    policy.RuleDefault(
        "cluster_user",
        "is_bay_user:True and user_id:%(bay_user_id)s and project_id:%(project_id)s",
        "The bay's own user, from inside its cluster.",
    ),
    policy.RuleDefault("is_user", "user_id:%(user_id)s", "Who created the thing."),
    policy.RuleDefault(
        "project_member",
        "role:member and project_id:%(project_id)s",
        "A member of the project that the thing belongs to.",
    ),
    policy.RuleDefault(
        "project_reader",
        "(role:reader or role:member) and project_id:%(project_id)s",
        "A reader of the project that the thing belongs to; members are readers.",
    ),
]

_TOGETHER: list[policy.RuleDefault] = [
    policy.RuleDefault(
        "project_member_deny_cluster_user",
        "rule:project_member and rule:deny_cluster_user",
        "A member of the project who is not a bay's own user.",
    ),
    policy.RuleDefault(
        "project_reader_deny_cluster_user",
        "rule:project_reader and rule:deny_cluster_user",
        "A reader of the project who is not a bay's own user.",
    ),
    policy.RuleDefault(
        "admin_or_project_member_deny_cluster_user",
        "rule:context_is_admin or rule:project_member_deny_cluster_user",
        "The administrator, or a member of the project who is not a bay's own user.",
    ),
    policy.RuleDefault(
        "admin_or_project_reader_deny_cluster_user",
        "rule:context_is_admin or rule:project_reader_deny_cluster_user",
        "The administrator, or a reader of the project who is not a bay's own user.",
    ),
    policy.RuleDefault(
        "admin_or_project_member_user",
        "rule:context_is_admin or (rule:project_member_deny_cluster_user and rule:is_user)",
        "The administrator, or who created the thing, as a member of its project.",
    ),
    policy.RuleDefault(
        "admin_or_project_reader_user",
        "rule:context_is_admin or (rule:project_reader_deny_cluster_user and rule:is_user)",
        "The administrator, or who created the thing, as a reader of its project.",
    ),
    policy.RuleDefault(
        "admin_or_project_member_user_or_cluster_user",
        "rule:admin_or_project_member_user or rule:cluster_user",
        "The administrator, who created the bay, or the bay's own user.",
    ),
]

#: Asked by no rule of ours. Operators' files may ask them: releases before this one had rules of these names.
_EARLIER: list[policy.RuleDefault] = [
    policy.RuleDefault(name, check, f"Kept for policy files that name it: {what}.")
    for name, check, what in (
        ("admin_api", "rule:context_is_admin", "the administrator"),
        (
            "admin_or_owner",
            "rule:context_is_admin or project_id:%(project_id)s",
            "the administrator, or anybody in the project",
        ),
        (
            "admin_or_user",
            "rule:context_is_admin or rule:is_user",
            "the administrator, or who created the thing",
        ),
        (
            "user_or_cluster_user",
            "rule:is_user or rule:cluster_user",
            "who created the bay or is its user",
        ),
        (
            "admin_or_project_member",
            "rule:context_is_admin or rule:project_member",
            "the administrator, or a member of the project, a bay's own user too",
        ),
        (
            "admin_or_project_reader",
            "rule:context_is_admin or rule:project_reader",
            "the administrator, or a reader of the project, a bay's own user too",
        ),
    )
]

RULES: list[policy.RuleDefault] = [*_WHO, *_TOGETHER, *_EARLIER]


@dataclass(frozen=True, slots=True)
class Action:
    """A rule of a noun: its last word, who has it by default, and what it is for.

    ``path`` is below the noun's collection; ``also`` are whole paths of other routes that ask the rule.
    """

    name: str
    check: str
    description: str
    method: str
    path: str
    also: tuple[str, ...] = ()


def documented(noun: str, collection: str, actions: tuple[Action, ...]) -> list[policy.RuleDefault]:
    """The rules of a noun: ``<noun>:<action>``, with the routes that each guards."""
    return [
        policy.DocumentedRuleDefault(
            name=f"{noun}:{action.name}",
            check_str=action.check,
            description=action.description,
            operations=[
                {"method": action.method, "path": path}
                for path in (
                    *spelled(noun, f"/v1/{collection}{action.path}"),
                    *action.also,
                )
            ],
        )
        for action in actions
    ]


def spelled(noun: str, path: str) -> tuple[str, ...]:
    """A path below one bay in the words of both families of clients, whose own nouns have rules of their own."""
    bay, cluster = "/v1/bays/{bay}/", "/v1/clusters/{cluster}/"
    if noun in ("bay", "cluster") or not path.startswith((bay, cluster)):
        return (path,)
    below = path.removeprefix(bay).removeprefix(cluster)
    return (bay + below, cluster + below)
