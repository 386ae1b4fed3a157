"""Who may do what: the default rules, in code, one noun one module. On the ground floor; the API enforces them."""

from oslo_policy import policy

from magnum.policies import (
    actions,
    base,
    baymodels,
    bays,
    certificates,
    credentials,
    drivers,
    effective,
    events,
    ext,
    federations,
    mservices,
    nodegroups,
    operations,
    placements,
    previews,
    quotas,
)


def list_rules() -> list[policy.RuleDefault]:
    """Entry point ``oslo.policy.policies``: every rule with its default."""
    return [
        *base.RULES,
        *baymodels.RULES,
        *bays.RULES,
        *actions.RULES,
        *nodegroups.RULES,
        *operations.RULES,
        *events.RULES,
        *placements.RULES,
        *certificates.RULES,
        *credentials.RULES,
        *ext.RULES,
        *previews.RULES,
        *effective.RULES,
        *drivers.RULES,
        *quotas.RULES,
        *mservices.RULES,
        *federations.RULES,
    ]
