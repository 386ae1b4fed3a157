"""Rules for placements."""

from oslo_policy import policy

from magnum.policies.base import ADMIN_OR_MEMBER, Action, documented

ACTIONS = (
    Action("create", ADMIN_OR_MEMBER, "Try which driver a bay would get, and why.", "POST", ""),
)

RULES: list[policy.RuleDefault] = documented("placement", "placements", ACTIONS)
