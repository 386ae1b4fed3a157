"""Malformed requests by the hundred: strategies for bodies, patches and queries, and what every answer must be."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from webtest import TestResponse

from magnum.api.microversions import MAXIMUM
from magnum.api.schemas import baymodels, bays
from magnum.api.spelling import BAYS

EXAMPLES = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

TEXT = st.text(max_size=20) | st.sampled_from(
    [
        *("", " ", "0", "-1", "1e9", "true", "None", "null", "{}", "[]", "\x00", "\ud800", "a\n"),
        *("../..", "%s", "{0}", "'; DROP TABLE bay; --", "x" * 300, "\u0661", "{'a': '1'}", "a=b"),
    ]
)
NUMBERS = (
    st.integers() | st.floats(allow_nan=False) | st.sampled_from([0, -1, 2**31, 2**63, 10**400])
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)

BAYMODEL = list(baymodels.PROPERTIES)
BAY = list(bays.create(BAYS, MAXIMUM).properties)


def spoiled(names: list[str], good: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A good body with some fields made something else, some unknown ones, some gone."""
    changes = st.dictionaries(st.sampled_from(names) | TEXT, JSON, min_size=1, max_size=4)
    gone = st.sets(st.sampled_from(sorted(good)), max_size=1)
    return st.builds(
        lambda change, absent: {k: v for k, v in {**good, **change}.items() if k not in absent},
        changes,
        gone,
    )


def patches(names: list[str]) -> st.SearchStrategy[Any]:
    """Something like a JSON patch."""
    paths = (
        st.sampled_from([f"/{name}" for name in [*names, "labels/a", "uuid", "stack_id"]]) | TEXT
    )
    operation = st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "replace", "remove", "move", "test"]), "path": paths},
        optional={"value": JSON, "from": paths},
    )
    return st.lists(operation | JSON, max_size=4) | JSON


QUERY = st.text(
    alphabet=st.sampled_from("limitmarkersort_keydir=&%0123456789-+;abc\u00ff"), max_size=30
) | st.builds(
    lambda key, value: f"{key}={value}",
    st.sampled_from(["limit", "marker", "sort_key", "sort_dir", "rollback", "force"]),
    st.sampled_from(["", "0", "1", "id", "name", "status", "desc", "asc", "-1", "%ff", "%00"])
    | st.sampled_from(["9" * 9, "9" * 18, "9" * 19, "9" * 40, "true", "deadline", "finished_at"])
    | st.uuids().map(str),
)

#: Paths of histories and operations; a bay's name or an operation's uuid belongs into the first piece.
HISTORY = ["bays/{}/operations", "bays/{}/events", "clusters/{}/operations", "clusters/{}/events"]
OPERATION = ["operations/{}", "operations/{}/events"]


def check(answer: TestResponse) -> None:
    """No fault; and what is wrong with a body is pointed at."""
    assert answer.status_int < 500, answer.text
    assert answer.headers["X-Openstack-Request-Id"].startswith("req-")
    if answer.status_int < 400:
        return
    (error,) = answer.json["errors"]
    assert error["status"] == answer.status_int
    assert error["title"]
    if answer.status_int == 400 and error["reason"] not in ("IN_USE", "WRONG_STATUS"):
        assert isinstance(error["field"], str), error
