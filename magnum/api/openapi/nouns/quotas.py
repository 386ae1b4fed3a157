"""Quotas, statistics, and what else clients ask for (contract 2.7 to 2.10)."""

from typing import Any, Final

from magnum.api import paging
from magnum.api.openapi.described import Argument, Described, Key, flag, paged, whole
from magnum.api.openapi.shapes import (
    COUNT,
    FLAG,
    MOMENT,
    TEXT,
    closed,
    either,
    or_null,
    page,
    several,
    thing,
    word,
)
from magnum.api.schemas import quotas as schemas
from magnum.db import quotas as store
from magnum.db.projects import CLUSTER

_TIMES = {"created_at": MOMENT, "updated_at": or_null(MOMENT)}
_LIMIT: Final[dict[str, Any]] = {
    "project_id": TEXT,
    "resource": word([CLUSTER]),
    "hard_limit": COUNT,
}
_QUOTA: Final = thing("Quota", "A project's own quota.", {"id": COUNT, **_LIMIT, **_TIMES})
_DEFAULT: Final = thing(
    "DefaultQuota", "What holds for a project that has no quota of its own.", _LIMIT
)
_SERVICE: Final = thing(
    "Service",
    "A process of ours.",
    {
        "id": COUNT,
        "host": TEXT,
        "binary": TEXT,
        "state": word(("up", "down")),
        "report_count": COUNT,
        "disabled": FLAG,
        "disabled_reason": or_null(TEXT),
        **_TIMES,
    },
)
_STATISTICS: Final = thing("Statistics", "How much there is.", {"clusters": COUNT, "nodes": COUNT})


#: What a list takes; here nothing comes of it.
_UNREAD: Final = {
    name: Argument({"type": "string"}, "Not read.")
    for name in ("limit", "marker", "sort_key", "sort_dir")
}


def described() -> dict[Key, Described]:
    """The routes of quotas and statistics."""
    at, one = "/v1/quotas", "/v1/quotas/{}/{}"
    everywhere = flag("Those of all projects.")
    of_project = Argument({"type": "string"}, "Of which project; all if not given, for who may.")
    kind = Argument({"type": "string", "enum": ["cluster"], "default": "cluster"}, "Of what.")
    return {
        ("GET", at): Described(
            "List quotas.",
            {200: page("quotas", _QUOTA)},
            paged(store.sort_keys(), paging.NUMBER, all_tenants=everywhere),
        ),
        ("POST", at): Described(
            "Give a project a quota of its own.",
            {201: _QUOTA},
            body=whole(schemas.CREATE),
            errors=(404, 409),
        ),
        ("GET", one): Described("Show what holds for a project.", {200: either(_QUOTA, _DEFAULT)}),
        ("PATCH", one): Described(
            "Change a project's quota.", {202: _QUOTA}, body=whole(schemas.CHANGE)
        ),
        ("DELETE", one): Described("Take a project's quota away.", {204: None}),
        ("GET", "/v1/stats"): Described(
            "Show how much there is.", {200: _STATISTICS}, {"project_id": of_project, "type": kind}
        ),
    }


def around() -> dict[Key, Described]:
    """What clients ask for beside clusters."""
    none = {"federations": {"type": "array", "maxItems": 0}}
    no_federations = Described("List federations: there are none.", {200: closed(none)}, _UNREAD)
    return {
        ("GET", "/v1/mservices"): Described(
            "List the service's own processes.", {200: closed({"mservices": several(_SERVICE)})}
        ),
        ("GET", "/v1/federations"): no_federations,
        ("GET", "/v1/federations/detail"): no_federations,
    }
