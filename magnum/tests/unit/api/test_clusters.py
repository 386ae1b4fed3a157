"""Clusters and cluster templates: bays and baymodels in other words, and what only these have (contract 2.1, 2.2)."""

from typing import Any

import pytest
from sqlalchemy import select

from magnum.db import session
from magnum.db.models import Event, Operation
from magnum.tests.api import BEFORE_OPERATIONS, MODEL, Client, a_bay, a_model, replace, settle
from magnum.tests.unit.api.test_bays import AGE, FULL, MORE, PRESENT, SHORT

#: What these words have for what bays call otherwise.
SPELLED = {"baymodel_id": "cluster_template_id", "bay_create_timeout": "create_timeout"}
OLD = "container-infra 1.12"


def in_words(keys: set[str]) -> set[str]:
    return {SPELLED.get(key, key) for key in keys}


def a_template(client: Client, **fields: Any) -> dict[str, Any]:
    body = {name: value for name, value in {**MODEL, **fields}.items() if name != "keypair_id"}
    made: dict[str, Any] = client("POST", "/v1/clustertemplates", body, status=201).json
    return made


def a_cluster(client: Client, version: str = BEFORE_OPERATIONS, **fields: Any) -> str:
    if "cluster_template_id" not in fields:
        fields["cluster_template_id"] = a_template(client)["uuid"]
    body = {"name": "cluster", **fields}
    answer = client("POST", "/v1/clusters", body, version=version, status=202).json
    assert version != BEFORE_OPERATIONS or set(answer) == {"uuid"}
    uuid: str = answer["uuid"]
    return uuid


def shown(client: Client, uuid: str, version: str = BEFORE_OPERATIONS) -> dict[str, Any]:
    found: dict[str, Any] = client("GET", f"/v1/clusters/{uuid}", version=version, status=200).json
    return found


def test_one_object_in_two_words(demo: Client) -> None:
    """D3: made in either words, seen in both."""
    template, model = a_template(demo, name="t"), a_model(demo, name="m")
    for uuid in (template["uuid"], model["uuid"]):
        one = demo("GET", f"/v1/clustertemplates/{uuid}", status=200).json
        other = demo("GET", f"/v1/baymodels/{uuid}", status=200).json
        assert one.pop("links")[0]["href"] == f"http://localhost/v1/clustertemplates/{uuid}"
        assert other.pop("links")[0]["href"] == f"http://localhost/v1/baymodels/{uuid}"
        assert one == other
    cluster = a_cluster(demo, cluster_template_id="m")
    bay = a_bay(demo, baymodel_id="t")
    for uuid, of in ((cluster, model["uuid"]), (bay, template["uuid"])):
        assert shown(demo, uuid)["cluster_template_id"] == of
        assert demo("GET", f"/v1/bays/{uuid}", status=200).json["baymodel_id"] == of
    for path, key in (("clusters", "clusters"), ("bays", "bays")):
        assert len(demo("GET", f"/v1/{path}/detail", status=200).json[key]) == 2


def test_keys_by_version(demo: Client) -> None:
    uuid = a_cluster(demo)
    settle(uuid, stack_id="s-1")
    full = in_words(FULL | MORE)
    short = in_words(SHORT) | {"keypair", "health_status", "merge_labels"}
    for version, stack in (("1.1", "stack_id"), ("1.12", "stack_id"), ("1.14", "cluster_id")):
        words = {stack if key == "stack_id" else key for key in full}
        one = shown(demo, uuid, f"container-infra {version}")
        assert set(one) == words
        assert one[stack] == "s-1"
        (item,) = demo("GET", "/v1/clusters", version=f"container-infra {version}").json["clusters"]
        assert set(item) == {stack if key == "stack_id" else key for key in short}
    newest = demo("GET", f"/v1/clusters/{uuid}", status=200).json
    assert set(newest) == (full - {"stack_id"}) | {"cluster_id"} | AGE | PRESENT


def test_a_cluster_is_never_synchronous(demo: Client) -> None:
    uuid = a_cluster(demo, version="container-infra 1.1")
    settle(uuid)
    body = replace("/node_count", 2)
    answer = demo("PATCH", f"/v1/clusters/{uuid}", body, version="container-infra 1.1", status=202)
    assert answer.json == {"uuid": uuid}


@pytest.mark.parametrize("body", [[], None])
@pytest.mark.parametrize("kind", ["application/octet-stream", "application/json", "text/plain"])
def test_an_empty_patch_changes_nothing(demo: Client, body: Any, kind: str) -> None:
    """D9; what is not empty is read as JSON, whoever sends it."""
    uuid = a_cluster(demo)
    settle(uuid)
    headers = {"Content-Type": kind if body is None else "application/json"}
    answer = demo("PATCH", f"/v1/clusters/{uuid}/", body, headers=headers, version=OLD, status=202)
    assert answer.json == {"uuid": uuid}
    assert shown(demo, uuid)["status"] == "CREATE_COMPLETE"


@pytest.mark.parametrize(("minor", "status"), [(1, 400), (9, 400), (10, 202), (15, 202)])
def test_no_nodes(demo: Client, minor: int, status: int) -> None:
    version = f"container-infra 1.{minor}"
    template = a_template(demo)["uuid"]
    body = {"cluster_template_id": template, "node_count": 0}
    demo("POST", "/v1/clusters", body, version=version, status=status)
    uuid = a_cluster(demo, cluster_template_id=template)
    settle(uuid)
    change = replace("/node_count", "0")
    demo("PATCH", f"/v1/clusters/{uuid}", change, version=version, status=status)
    assert shown(demo, uuid)["node_count"] == (0 if status == 202 else 1)


def test_labels_of_the_template_and_its_own(demo: Client) -> None:
    template = a_template(demo, labels={"a": "1", "b": "2", "c": "3"})["uuid"]
    own = {"b": "two", "d": "4"}
    merged = a_cluster(demo, cluster_template_id=template, labels=own, merge_labels="True")
    one = shown(demo, merged)
    assert one["labels"] == {"a": "1", "b": "two", "c": "3", "d": "4"}
    assert one["labels_added"] == {"d": "4"}
    assert one["labels_overridden"] == {"b": "2"}
    assert one["labels_skipped"] == {}
    replaced = a_cluster(demo, cluster_template_id=template, labels=own)
    one = shown(demo, replaced)
    assert one["labels"] == own
    assert one["labels_added"] == {"d": "4"}
    assert one["labels_overridden"] == {"b": "2"}
    assert one["labels_skipped"] == {"a": "1", "c": "3"}
    assert one["merge_labels"] is False
    items = demo("GET", "/v1/clusters/detail", version=OLD).json["clusters"]
    assert [item["labels_skipped"] for item in items] == [{}, {"a": "1", "c": "3"}]


def test_lists_sort_by_the_names_that_they_show(demo: Client) -> None:
    for key in ("cluster_template_id", "create_timeout", "stack_id", "keypair", "health_status"):
        demo("GET", f"/v1/clusters?sort_key={key}", version=OLD, status=200)


def test_dns_nameservers(demo: Client) -> None:
    made = a_template(demo, dns_nameserver="8.8.8.8,8.8.4.4")
    assert made["dns_nameserver"] == "8.8.8.8,8.8.4.4"


def health(status: str, reason: Any) -> list[dict[str, Any]]:
    return [*replace("/health_status", status), *replace("/health_status_reason", reason)]


@pytest.mark.parametrize("reason", ["{'node-0': 'down'}", '{"node-0": "down"}', {"node-0": "down"}])
def test_an_agent_reports_health(demo: Client, reason: Any) -> None:
    uuid = a_cluster(demo)
    settle(uuid)
    body = health("UNHEALTHY", reason)
    demo("PATCH", f"/v1/clusters/{uuid}", body, version=OLD, status=202)
    one = shown(demo, uuid)
    assert (one["health_status"], one["health_status_reason"]) == ("UNHEALTHY", {"node-0": "down"})
    assert one["status"] == "CREATE_COMPLETE"
    with session.engine().begin() as connection:
        assert len(connection.scalars(select(Operation.uuid)).all()) == 1
        codes = connection.scalars(select(Event.code).order_by(Event.id)).all()
    assert codes[-1] == "HEALTH_CHANGED"
    demo("PATCH", f"/v1/clusters/{uuid}", body, version=OLD, status=202)
    with session.engine().begin() as connection:
        assert len(connection.scalars(select(Event.code)).all()) == len(codes)


@pytest.mark.parametrize("reason", ["[1]", "down, or so", 5, [{"a": "b"}]])
def test_a_bad_report_is_pointed_at(demo: Client, reason: Any) -> None:
    uuid = a_cluster(demo)
    body = health("UNHEALTHY", reason)
    error = demo.error("PATCH", f"/v1/clusters/{uuid}", body, version=OLD, status=400)
    assert error["field"].startswith("/1/value")
    body = replace("/health_status", "FINE")
    error = demo.error("PATCH", f"/v1/clusters/{uuid}", body, version=OLD, status=400)
    assert error["field"] == "/0/value"


def test_bays_had_no_reports_before(demo: Client) -> None:
    uuid = a_bay(demo)
    settle(uuid)
    body = health("UNHEALTHY", {})
    demo("PATCH", f"/v1/bays/{uuid}", body, version=BEFORE_OPERATIONS, status=400)
    demo("PATCH", f"/v1/bays/{uuid}", body, status=202)


def test_discovery_names_all(demo: Client) -> None:
    found = demo("GET", "/v1", status=200).json
    assert found["nodegroups"] == "clusters/{cluster_id}/nodegroups"
    for name in (
        *("baymodels", "bays", "clustertemplates", "clusters", "quotas", "certificates"),
        *("mservices", "stats", "federations", "credentials"),
    ):
        assert found[name][1] == {"href": f"http://localhost/{name}/", "rel": "bookmark"}


@pytest.mark.parametrize("version", [None, "container-infra 1.14"])
def test_openstacksdk_changes_what_it_was_only_told_the_id_of(
    demo: Client, version: str | None
) -> None:
    """It compares with an object without attributes: what it adds replaces (contract 3.1)."""
    uuid = a_template(demo)["uuid"]
    move = {"op": "move", "from": "/uuid", "path": "/id"}
    body = [move, {"op": "add", "path": "/name", "value": "other"}]
    path = f"/v1/clustertemplates/{uuid}"
    assert demo("PATCH", path, body, version=version, status=200).json["name"] == "other"
    for refused in ([body[1]], [body[1], move], [{**move, "path": "/name"}]):
        demo("PATCH", path, refused, version=version, status=400)
