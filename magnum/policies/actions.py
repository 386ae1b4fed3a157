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

RULES: list[policy.RuleDefault] = documented("action", "bays/{bay}/actions", ACTIONS)
