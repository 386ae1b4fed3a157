"""Rules for the actions on a bay."""

from oslo_policy import policy

from magnum.policies.base import ADMIN, ADMIN_OR_MEMBER, Action, documented

_WHAT = {
    "rebuild": "Make a bay's nodes anew from their images",
    "soft_reboot": "Restart a bay's nodes in order",
    "hard_reboot": "Power-cycle a bay's nodes",
    "check": "Have a bay's cluster looked at",
}

ACTIONS = tuple(
    Action(f"{verb}{suffix}", check, f"{what}{where}.", "POST", f"/{verb}")
    for verb, what in _WHAT.items()
    for suffix, check, where in (
        ("", ADMIN_OR_MEMBER, ""),
        ("_all_projects", ADMIN, ", in any project"),
    )
)

#: What changes a cluster; each family of clients has its own words for these.
_CHANGES = {
    "resize": "Change the number of nodes of a {}'s node group, and name those that go",
    "upgrade": "Move a {} to another {}",
}


def _changes(bay: str, baymodel: str) -> tuple[Action, ...]:
    return tuple(
        Action(
            f"{name}{suffix}",
            check,
            f"{what.format(bay, baymodel)}{where}.",
            "POST",
            f"/{name}",
        )
        for name, what in _CHANGES.items()
        for suffix, check, where in (
            ("", ADMIN_OR_MEMBER, ""),
            ("_all_projects", ADMIN, ", in any project"),
        )
    )


RULES: list[policy.RuleDefault] = [
    *documented("action", "bays/{bay}/actions", ACTIONS),
    *documented("bay", "bays/{bay}/actions", _changes("bay", "baymodel")),
    *documented("cluster", "clusters/{cluster}/actions", _changes("cluster", "cluster template")),
]
