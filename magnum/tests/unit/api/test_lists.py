"""Lists: pages, order, links to the next page, and what they cost (contract 1.6)."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import event, insert, select

from magnum.db import session
from magnum.db.models import Bay, NodeGroup
from magnum.tests.api import Client, Settings, a_bay, a_model

COLLECTIONS = pytest.mark.parametrize(
    "path", ["bays", "bays/detail", "baymodels", "baymodels/detail"]
)


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL statements that are sent to the database, without those that begin and end transactions."""
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.split()[0] not in ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"):
            sent.append(statement)

    engine = session.engine()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def make(client: Client, path: str, names: list[str]) -> list[str]:
    """Make bays or baymodels, whichever the list shows. Returns their uuids."""
    if path.startswith("baymodels"):
        return [a_model(client, name=name)["uuid"] for name in names]
    model = a_model(client)["uuid"]
    return [a_bay(client, name=name, baymodel_id=model) for name in names]


def listed(client: Client, path: str) -> list[dict[str, Any]]:
    """What a list shows."""
    body = client("GET", path, status=200).json
    (items,) = [value for key, value in body.items() if key != "next"]
    return list(items)


@COLLECTIONS
def test_pages_lead_to_the_end(demo: Client, path: str) -> None:
    made = make(demo, path, ["a", "b", "c", "d"])
    seen: list[str] = []
    where: str | None = f"/v1/{path}?limit=2"
    pages = 0
    while where is not None:
        body = demo("GET", where, status=200).json
        seen += [item["uuid"] for item in body[path.split("/")[0]]]
        pages += 1
        following = body.get("next")
        where = None
        if following is not None:
            parts = urlsplit(following)
            assert following.startswith(f"http://localhost/v1/{path}?")
            where = f"{parts.path}?{parts.query}"
    assert seen == made
    # The last full page has a next page, which is empty: four things make three pages of two.
    assert pages == 3


@COLLECTIONS
def test_behind_the_last_there_is_nothing(demo: Client, path: str) -> None:
    made = make(demo, path, ["a", "b"])
    assert listed(demo, f"/v1/{path}/?marker={made[-1]}") == []


@COLLECTIONS
def test_order(demo: Client, path: str) -> None:
    make(demo, path, ["b", "c", "a"])
    for direction, expected in (("asc", ["a", "b", "c"]), ("desc", ["c", "b", "a"])):
        names = [
            item["name"]
            for item in listed(demo, f"/v1/{path}?sort_key=name&sort_dir={direction}")
            if item["name"] != "model"
        ]
        assert names == expected


def test_the_callers_word_is_a_sort_key(demo: Client) -> None:
    model = a_model(demo)["uuid"]
    for name, minutes in (("b", 20), ("a", 10)):
        a_bay(demo, name=name, baymodel_id=model, bay_create_timeout=minutes)
    found = listed(demo, "/v1/bays?sort_key=bay_create_timeout")
    assert [bay["name"] for bay in found] == ["a", "b"]


@COLLECTIONS
@pytest.mark.parametrize(
    ("query", "field", "status"),
    [
        ("limit=0", "limit", 400),
        ("limit=-1", "limit", 400),
        ("limit=x", "limit", 400),
        ("limit=", "limit", 400),
        ("limit=1.5", "limit", 400),
        ("limit=99999999999999999999", "limit", 400),
        ("limit=\u0661", "limit", 400),
        ("marker=name", "marker", 400),
        ("marker=" + "0" * 36, "marker", 400),
        ("marker=f0f0f0f0-0000-4000-8000-000000000000", "marker", 404),
        ("sort_key=nothing", "sort_key", 400),
        ("sort_key=labels", "sort_key", 400),
        ("sort_key=utilisation", "sort_key", 400),
        ("sort_key=metadata", "sort_key", 400),
        ("sort_dir=up", "sort_dir", 400),
        ("name=x", "name", 400),
    ],
)
def test_a_bad_argument_is_named(
    demo: Client, path: str, query: str, field: str, status: int
) -> None:
    assert demo.error("GET", f"/v1/{path}?{query}", status=status)["field"] == field


def test_a_marker_of_another_project_is_unknown(demo: Client, other: Client) -> None:
    theirs = a_bay(other)
    assert demo.error("GET", f"/v1/bays?marker={theirs}", status=404)["field"] == "marker"


def test_the_operators_limit_caps_and_is_the_default(demo: Client, config: Settings) -> None:
    config("api", max_limit=2)
    make(demo, "bays", ["a", "b", "c"])
    for query in ("", "?limit=100"):
        body = demo("GET", f"/v1/bays{query}", status=200).json
        assert len(body["bays"]) == 2
        assert "limit=2&" in body["next"]


def many_bays(count: int) -> None:
    """Copy the one bay that there is, with its groups, until there are so many."""
    with session.engine().begin() as connection:
        bay = dict(connection.execute(select(Bay.__table__)).mappings().one())
        groups = [dict(row) for row in connection.execute(select(NodeGroup.__table__)).mappings()]
        bays, copies = [], []
        for number in range(count - 1):
            twin = {**bay, "uuid": str(uuid.uuid4()), "name": f"bay-{number}"}
            del twin["id"]
            bays.append(twin)
            for group in groups:
                copy = {**group, "uuid": str(uuid.uuid4()), "bay_id": twin["uuid"]}
                del copy["id"]
                copies.append(copy)
        connection.execute(insert(Bay), bays)
        connection.execute(insert(NodeGroup), copies)


@pytest.mark.parametrize("path", ["/v1/bays", "/v1/bays/detail"])
def test_a_list_of_a_thousand_costs_as_many_statements_as_a_list_of_one(
    demo: Client, path: str
) -> None:
    a_bay(demo)
    with statements() as for_one:
        assert len(listed(demo, path)) == 1
    many_bays(1000)
    with statements() as for_all:
        found = listed(demo, path)
    assert len(found) == 1000
    assert len(for_all) == len(for_one) <= 4
    with statements() as with_marker:
        assert len(listed(demo, f"{path}?limit=1000&marker={found[0]['uuid']}")) == 999
    assert len(with_marker) <= 4


def test_one_bay_costs_one_statement(demo: Client) -> None:
    bay = a_bay(demo)
    with statements() as sent:
        demo("GET", f"/v1/bays/{bay}", status=200)
    assert len(sent) == 1


def test_one_baymodel_costs_one_statement(demo: Client) -> None:
    model = a_model(demo)["uuid"]
    with statements() as sent:
        demo("GET", f"/v1/baymodels/{model}", status=200)
    assert len(sent) == 1
