"""Quotas, statistics, our own processes and federations (contract 2.7 to 2.10)."""

from typing import Any

import pytest
from sqlalchemy import update

from magnum.common.context import service_context
from magnum.db import services, session
from magnum.db.clock import now
from magnum.db.models import Service
from magnum.identity import projects
from magnum.tests.api import Client, Settings, a_bay

ONE = "/v1/quotas/p1/Cluster"


@pytest.fixture(autouse=True)
def known_projects(monkeypatch: pytest.MonkeyPatch) -> None:
    """The projects that Keystone knows, p1 and p2: there is none to ask here."""
    monkeypatch.setattr(projects, "exists", lambda ident, request_id: ident in ("p1", "p2"))


def make(admin: Client, project: str = "p1", **more: Any) -> Any:
    return admin("POST", "/v1/quotas", {"project_id": project, **more}, status=201).json


def test_a_quota_is_made_shown_changed_and_removed(admin: Client) -> None:
    made = make(admin, hard_limit=3, resource="Cluster")
    assert set(made) == {
        *("id", "project_id", "resource", "hard_limit", "created_at", "updated_at")
    }
    assert (made["project_id"], made["resource"], made["hard_limit"]) == ("p1", "Cluster", 3)
    assert admin("GET", ONE, status=200).json == made
    changed = admin("PATCH", ONE, {"project_id": "p1", "hard_limit": 5}, status=202).json
    assert changed["hard_limit"] == 5
    assert changed["updated_at"] is not None
    assert admin("PATCH", ONE, {}, status=202).json["hard_limit"] == 1
    admin("DELETE", ONE, status=204)
    admin("DELETE", ONE, status=404)
    admin("PATCH", ONE, {"hard_limit": 5}, status=404)


def test_a_limit_that_is_not_said_is_one(admin: Client) -> None:
    assert make(admin)["hard_limit"] == 1


def test_a_project_without_a_quota_is_told_the_configured_limit(
    demo: Client, config: Settings
) -> None:
    config("quotas", max_clusters_per_project=7)
    expected = {"project_id": "p1", "resource": "Cluster", "hard_limit": 7}
    assert demo("GET", ONE, status=200).json == expected


def test_a_quota_holds(admin: Client, demo: Client) -> None:
    make(admin, hard_limit=1)
    bay = a_bay(demo)
    model = demo("GET", f"/v1/bays/{bay}").json["baymodel_id"]
    answer = demo("POST", "/v1/bays", {"baymodel_id": model}, status=403)
    assert answer.json["errors"][0]["reason"] == "PROJECT_QUOTA_EXCEEDED"
    admin("PATCH", ONE, {"hard_limit": 2}, status=202)
    demo("POST", "/v1/bays", {"baymodel_id": model}, status=202)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "/project_id"),
        ({"project_id": "p1", "hard_limit": -1}, "/hard_limit"),
        ({"project_id": "p1", "resource": "Node"}, "/resource"),
        ({"project_id": "p1", "more": 1}, "/more"),
        ([], ""),
    ],
)
def test_a_request_that_makes_no_sense_names_the_field(
    admin: Client, body: Any, field: str
) -> None:
    error = admin("POST", "/v1/quotas", body, status=400).json["errors"][0]
    assert error.get("field", "") == field


def test_the_path_and_the_body_must_agree(admin: Client) -> None:
    make(admin)
    error = admin("PATCH", ONE, {"project_id": "p2"}, status=400).json["errors"][0]
    assert error["field"] == "/project_id"
    admin("PATCH", "/v1/quotas/p1/Node", {"hard_limit": 1}, status=400)


def test_an_unknown_project_and_a_second_quota_are_refused(admin: Client) -> None:
    admin("POST", "/v1/quotas", {"project_id": "p9"}, status=404)
    make(admin)
    admin("POST", "/v1/quotas", {"project_id": "p1"}, status=409)


def test_the_list_is_of_the_own_project_unless_all_are_asked_for(admin: Client) -> None:
    one, two = make(admin), make(admin, "p2")
    assert admin("GET", "/v1/quotas", status=200).json == {"quotas": []}  # the admin's project
    everything = admin("GET", "/v1/quotas?all_tenants=True", status=200).json
    assert everything == {"quotas": [one, two]}
    page = admin("GET", "/v1/quotas?all_tenants=True&limit=1", status=200).json
    assert page["quotas"] == [one]
    assert page["next"].endswith(f"&limit=1&marker={one['id']}")
    rest = admin("GET", f"/v1/quotas?all_tenants=1&marker={one['id']}", status=200).json
    assert rest == {"quotas": [two]}
    admin("GET", "/v1/quotas?all_tenants=perhaps", status=400)
    admin("GET", "/v1/quotas?marker=x", status=400)
    admin("GET", "/v1/quotas?all_tenants=1&marker=99", status=404)


def test_only_the_administrator_sets_quotas(
    demo: Client, reader: Client, other: Client, admin: Client
) -> None:
    make(admin)
    reader("GET", ONE, status=200)
    other("GET", ONE, status=403)
    for client in (demo, reader):
        client("GET", "/v1/quotas", status=403)
        client("POST", "/v1/quotas", {"project_id": "p1"}, status=403)
        client("PATCH", ONE, {"hard_limit": 9}, status=403)
        client("DELETE", ONE, status=403)


def test_statistics_count_bays_and_all_their_nodes(
    demo: Client, other: Client, admin: Client
) -> None:
    assert demo("GET", "/v1/stats", status=200).json == {"clusters": 0, "nodes": 0}
    a_bay(demo, node_count=3)
    a_bay(other)
    assert demo("GET", "/v1/stats", status=200).json == {"clusters": 1, "nodes": 4}
    of_demo = demo("GET", "/v1/stats?project_id=p1&type=cluster", status=200).json
    assert of_demo == {"clusters": 1, "nodes": 4}
    demo("GET", "/v1/stats?project_id=p2", status=403)
    assert admin("GET", "/v1/stats", status=200).json == {"clusters": 2, "nodes": 6}
    assert admin("GET", "/v1/stats?project_id=p2", status=200).json == {"clusters": 1, "nodes": 2}
    demo("GET", "/v1/stats?type=node", status=400)
    demo("GET", "/v1/stats?kind=cluster", status=400)


def test_conductors_that_report_are_listed(admin: Client, demo: Client, config: Settings) -> None:
    assert admin("GET", "/v1/mservices", status=200).json == {"mservices": []}
    services.report(service_context(), "here", "magnum-conductor")
    services.report(service_context(), "here", "magnum-conductor")
    (one,) = admin("GET", "/v1/mservices", status=200).json["mservices"]
    assert (one["id"], one["host"], one["binary"]) == (1, "here", "magnum-conductor")
    assert (one["state"], one["report_count"], one["disabled"]) == ("up", 2, False)
    with session.writer(service_context()) as work:
        work.execute(update(Service).values(last_seen_up=now(-200)))
    assert admin("GET", "/v1/mservices", status=200).json["mservices"][0]["state"] == "down"
    demo("GET", "/v1/mservices", status=403)
    admin("GET", "/v1/mservices?limit=1", status=400)


@pytest.mark.parametrize("path", ["/v1/federations", "/v1/federations/detail"])
def test_there_are_no_federations(demo: Client, path: str) -> None:
    assert demo("GET", path, status=200).json == {"federations": []}
    assert demo("GET", f"{path}?limit=5&sort_key=id", status=200).json == {"federations": []}
