"""Rules for our own processes."""

from oslo_policy import policy

from magnum.policies.base import ADMIN, Action, documented

ACTIONS = (Action("get_all", ADMIN, "List the service's processes.", "GET", ""),)

RULES: list[policy.RuleDefault] = documented("magnum-service", "mservices", ACTIONS)
