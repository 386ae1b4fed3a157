"""Rules for federations, of which there are none (contract 2.10)."""

from oslo_policy import policy

from magnum.policies.base import ADMIN_OR_MEMBER, ADMIN_OR_READER, Action, documented

ACTIONS = (
    Action("get_all", ADMIN_OR_READER, "List federations.", "GET", ""),
    Action("detail", ADMIN_OR_READER, "List federations with all fields.", "GET", "/detail"),
)

#: No route asks these. They are known so that a policy file of an earlier release has no unknown rule.
_NEVER_ASKED = [
    policy.RuleDefault(
        f"federation:{action}", check, f"{what} a federation. There are none, so nothing asks this."
    )
    for action, check, what in (
        ("get", ADMIN_OR_READER, "Show"),
        ("create", ADMIN_OR_MEMBER, "Create"),
        ("update", ADMIN_OR_MEMBER, "Change"),
        ("delete", ADMIN_OR_MEMBER, "Delete"),
    )
]

RULES: list[policy.RuleDefault] = [
    *documented("federation", "federations", ACTIONS),
    *_NEVER_ASKED,
]
