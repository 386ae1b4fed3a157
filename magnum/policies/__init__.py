"""Who may do what: the default rules, in code, one noun one module. On the ground floor; the API enforces them."""

from oslo_policy import policy

from magnum.policies import actions, base, baymodels, bays, events, operations, placements


def list_rules() -> list[policy.RuleDefault]:
    """Entry point ``oslo.policy.policies``: every rule with its default."""
    return [
        *base.RULES,
        *baymodels.RULES,
        *bays.RULES,
        *actions.RULES,
        *operations.RULES,
        *events.RULES,
        *placements.RULES,
    ]
