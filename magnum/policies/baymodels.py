"""Rules for baymodels, and the same again for cluster templates: one object, two words (contract 4.4)."""

from oslo_policy import policy

from magnum.policies.base import ADMIN, ADMIN_OR_MEMBER, ADMIN_OR_READER, Action, documented


def _actions(collection: str, model: str) -> tuple[Action, ...]:
    one = f"/{{{collection.removesuffix('s')}}}"
    return (
        Action("create", ADMIN_OR_MEMBER, f"Create a {model}.", "POST", ""),
        Action(
            "publish",
            ADMIN,
            f"Make a {model} public or hidden, at its creation or later.",
            "PATCH",
            one,
        ),
        Action("get_all", ADMIN_OR_READER, f"List the project's and public {model}s.", "GET", ""),
        Action("get_all_all_projects", ADMIN, f"List the {model}s of all projects.", "GET", ""),
        Action(
            "detail",
            ADMIN_OR_READER,
            f"List the project's and public {model}s, all fields.",
            "GET",
            "/detail",
        ),
        Action(
            "detail_all_projects",
            ADMIN,
            f"List all projects' {model}s, all fields.",
            "GET",
            "/detail",
        ),
        Action("get", ADMIN_OR_READER, f"Show a {model}.", "GET", one),
        Action("get_one_all_projects", ADMIN, f"Show a {model} of any project.", "GET", one),
        Action("update", ADMIN_OR_MEMBER, f"Change a {model}.", "PATCH", one),
        Action("update_all_projects", ADMIN, f"Change a {model} of any project.", "PATCH", one),
        Action("delete", ADMIN_OR_MEMBER, f"Delete a {model}.", "DELETE", one),
        Action("delete_all_projects", ADMIN, f"Delete a {model} of any project.", "DELETE", one),
    )


RULES: list[policy.RuleDefault] = [
    *documented("baymodel", "baymodels", _actions("baymodels", "baymodel")),
    *documented(
        "clustertemplate", "clustertemplates", _actions("clustertemplates", "cluster template")
    ),
]
