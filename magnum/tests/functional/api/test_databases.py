"""The API on every database: a life from end to end, lists, counts, and malformed requests."""

import time
from typing import Any

import pytest
from hypothesis import given

from magnum.conf import CONF
from magnum.db import session
from magnum.tests.api import BEFORE_OPERATIONS, MODEL, Client, a_bay, a_model, shown
from magnum.tests.malformed import BAY, BAYMODEL, EXAMPLES, QUERY, check, patches, spoiled


def uuids(client: Client, path: str) -> list[str]:
    (items,) = [value for value in client("GET", path, status=200).json.values() if value != ""][:1]
    return [item["uuid"] for item in items]


def test_a_life(demo: Client) -> None:
    model = a_model(demo, labels={"k": "v"}, name="modèle-模型-🐳")
    assert demo("GET", f"/v1/baymodels/{model['uuid']}").json == model
    assert model["name"] == "modèle-模型-🐳"
    changed = demo(
        "PATCH",
        f"/v1/baymodels/{model['uuid']}",
        [{"op": "replace", "path": "/tags", "value": "x"}],
        status=200,
    ).json
    assert changed["updated_at"] is not None
    answer = demo("POST", "/v1/bays", {"baymodel_id": model["uuid"]}, version=None, status=201)
    bay = answer.json
    assert shown(demo, bay["uuid"], BEFORE_OPERATIONS) == bay
    detail = demo("GET", "/v1/bays/detail", version=BEFORE_OPERATIONS).json
    assert detail == {"bays": [bay]}
    (line,) = demo("GET", "/v1/bays").json["bays"]
    assert (line["node_count"], line["master_count"], line["labels"]) == (1, 1, {"k": "v"})
    demo("DELETE", f"/v1/baymodels/{model['uuid']}", status=400)
    demo("DELETE", f"/v1/bays/{bay['uuid']}", status=204)
    assert demo("GET", f"/v1/bays/{bay['uuid']}").json["status"] == "DELETE_IN_PROGRESS"


def test_a_database_that_does_not_answer_is_503_at_once(demo: Client) -> None:
    working = session.engine().url
    CONF.set_default("max_retries", 0, group="database")
    session.configure("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")
    began = time.monotonic()
    error = demo.error("GET", "/v1/bays", status=503)
    assert "database" in error["detail"]
    assert time.monotonic() - began < 9  # a second try would come after 10 s
    session.configure(working.render_as_string(hide_password=False))
    demo("GET", "/v1/bays", status=200)


@pytest.mark.parametrize("key", ["id", "name", "status", "created_at", "flavor_id"])
def test_pages_by_every_kind_of_column(demo: Client, key: str) -> None:
    a_model(demo)
    for flavor in ("b", None, "a", None, "b"):
        more = {"flavor_id": flavor} if flavor else {}
        a_bay(demo, baymodel_id="model", name=f"bay-{flavor}", **more)
    whole = uuids(demo, f"/v1/bays?sort_key={key}")
    assert len(whole) == 5
    assert uuids(demo, f"/v1/bays?sort_key={key}&sort_dir=desc") == whole[::-1]
    paged: list[str] = []
    while found := uuids(
        demo, f"/v1/bays?sort_key={key}&limit=2" + (f"&marker={paged[-1]}" if paged else "")
    ):
        paged += found
    assert paged == whole


@EXAMPLES
@given(body=spoiled(BAYMODEL, MODEL))
def test_creating_baymodels(demo: Client, body: dict[str, Any]) -> None:
    check(demo("POST", "/v1/baymodels", body))


@pytest.fixture
def model(demo: Client) -> str:
    """The uuid of a baymodel."""
    uuid: str = a_model(demo, labels={"a": "1"})["uuid"]
    return uuid


@EXAMPLES
@given(body=spoiled(BAY, {"name": "bay", "baymodel_id": "model"}))
def test_creating_bays(demo: Client, model: str, body: dict[str, Any]) -> None:
    check(demo("POST", "/v1/bays", body))


@EXAMPLES
@given(body=patches(BAYMODEL))
def test_changing_baymodels(demo: Client, model: str, body: Any) -> None:
    check(demo("PATCH", f"/v1/baymodels/{model}", body))


@EXAMPLES
@given(query=QUERY)
def test_any_query(demo: Client, model: str, query: str) -> None:
    assert demo("GET", f"/v1/baymodels?{query}").status_int in (200, 400, 404)
