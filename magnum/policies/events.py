"""Rules for events, the lines of a bay's timeline."""

from oslo_policy import policy

from magnum.policies.base import ADMIN, ADMIN_OR_READER, Action, documented

_OF_AN_OPERATION = ("/v1/operations/{operation}/events",)

ACTIONS = (
    Action(
        "get_all",
        ADMIN_OR_READER,
        "List a bay's or an operation's events.",
        "GET",
        "",
        _OF_AN_OPERATION,
    ),
    Action(
        "get_all_all_projects",
        ADMIN,
        "List events of a bay of any project.",
        "GET",
        "",
        _OF_AN_OPERATION,
    ),
)

RULES: list[policy.RuleDefault] = documented("event", "bays/{bay}/events", ACTIONS)
