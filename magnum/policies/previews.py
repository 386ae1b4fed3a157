"""Rules for previews of a bay's changes."""

from oslo_policy import policy

from magnum.policies.base import ADMIN, ADMIN_OR_MEMBER, Action, documented

ACTIONS = (
    Action(
        "create", ADMIN_OR_MEMBER, "See what a change of a bay would do in the cloud.", "POST", ""
    ),
    Action(
        "create_all_projects",
        ADMIN,
        "See what a change of a bay of any project would do in the cloud.",
        "POST",
        "",
    ),
)

RULES: list[policy.RuleDefault] = documented("preview", "bays/{bay}/preview", ACTIONS)
