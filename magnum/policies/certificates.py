"""Rules for certificates (contract 4.4): for who created the bay, and for the bay's own user."""

from oslo_policy import policy

from magnum.policies.base import ADMIN, ADMIN_OR_MEMBER, Action, documented

_SIGNING = "rule:admin_or_project_member_user_or_cluster_user"
_READING = "rule:admin_or_project_reader_user or rule:cluster_user"
_OF_A_TYPE = ("/v1/certificates/{bay}/{type}",)

ACTIONS = (
    Action("get", _READING, "Show the certificate of a bay's CA.", "GET", "/{bay}", _OF_A_TYPE),
    Action(
        "get_one_all_projects",
        ADMIN,
        "Show the certificate of the CA of a bay of any project.",
        "GET",
        "/{bay}",
        _OF_A_TYPE,
    ),
    Action("create", _SIGNING, "Have a request signed by a bay's CA.", "POST", ""),
    Action(
        "create_all_projects",
        ADMIN,
        "Have a request signed by the CA of a bay of any project.",
        "POST",
        "",
    ),
    Action("rotate_ca", ADMIN_OR_MEMBER, "Replace a bay's CA.", "PATCH", "/{bay}"),
    Action(
        "rotate_ca_all_projects",
        ADMIN,
        "Replace the CA of a bay of any project.",
        "PATCH",
        "/{bay}",
    ),
)

RULES: list[policy.RuleDefault] = documented("certificate", "certificates", ACTIONS)
