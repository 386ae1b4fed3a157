"""The rule for the credential that a bay's nodes hold. It is its project's business, not the administrator's."""

from oslo_policy import policy

from magnum.policies.base import MEMBER, Action, documented

ACTIONS = (
    Action("rotate", MEMBER, "Replace the credential that a bay's nodes hold.", "PATCH", "/{bay}"),
)

RULES: list[policy.RuleDefault] = documented("credential", "credentials", ACTIONS)
