"""The OpenAPI document: that it is one, whole, true to the table of routes, and served to everybody."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from magnum.api import routes
from magnum.api.microversions import HEADER, HISTORY, MAXIMUM, MINIMUM, SERVICES, Version
from magnum.api.openapi import document, paths
from magnum.api.openapi.described import Described
from magnum.api.openapi.shapes import TEXT, closed, thing
from magnum.api.routing import Route
from magnum.tests import documented
from magnum.tests.api import LATEST, Client, a_bay

VERSIONS = [version for version, _ in HISTORY]


def operations(version: Version) -> dict[tuple[str, str], dict[str, Any]]:
    """Every operation of a version, by method and path."""
    return {
        (verb, path): operation
        for path, item in documented.of(version)["paths"].items()
        for verb, operation in item.items()
    }


def schemas_in(node: Any) -> list[dict[str, Any]]:
    """Every schema anywhere in a document."""
    if isinstance(node, list):
        return [found for one in node for found in schemas_in(one)]
    if not isinstance(node, dict):
        return []
    own = [node["schema"]] if isinstance(node.get("schema"), dict) else []
    return own + [found for one in node.values() for found in schemas_in(one)]


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_every_route_of_a_version_is_in_its_document_and_nothing_else(version: Version) -> None:
    served = {
        (route.method.lower(), paths.place(route).path)
        for route in routes.table()
        if route.since <= version
    }
    assert operations(version).keys() == served


def test_nothing_is_described_that_is_no_route() -> None:
    table = {(route.method, route.path) for route in routes.table()}
    assert document.descriptions(MAXIMUM).keys() == table


def test_a_route_without_a_description_is_noticed() -> None:
    new = Route("GET", "/v1/novelties", lambda: None, "novelty:get_all")
    with pytest.raises(document.Undescribed, match="GET /v1/novelties"):
        document.of([*routes.table(), new], MAXIMUM, "")


def test_two_schemas_of_one_name_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        ("GET", f"/v1/{noun}"): Described("Show.", {200: thing("Same", noun, {noun: TEXT})})
        for noun in ("bays", "clusters")
    }
    monkeypatch.setattr(document, "descriptions", lambda version: said)
    table = [Route(method, path, lambda: None, "a:b") for method, path in said]
    with pytest.raises(ValueError, match="Same"):
        document.of(table, MAXIMUM, "")


@pytest.mark.parametrize("version", [MINIMUM, Version(1, 10), MAXIMUM], ids=str)
def test_all_schemas_are_schemas_and_all_references_lead_somewhere(version: Version) -> None:
    whole = documented.of(version)
    for schema in [*schemas_in(whole), *whole["components"]["schemas"].values()]:
        Draft202012Validator.check_schema(schema)
    text = json.dumps(whole)
    for piece in text.split('"$ref": "')[1:]:
        assert documented.resolved({"$ref": piece.partition('"')[0]}, version)


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_every_operation_has_a_name_of_its_own(version: Version) -> None:
    names = [operation["operationId"] for operation in operations(version).values()]
    assert len(names) == len(set(names))


def test_only_discovery_goes_without_a_token() -> None:
    free = {key for key, operation in operations(MAXIMUM).items() if not operation["security"]}
    assert free == {("get", "/"), ("get", "/v1"), ("get", "/v1/openapi.json")}


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_the_header_of_the_version_is_mandatory_but_for_the_lowest(version: Version) -> None:
    parameter = documented.of(version)["components"]["parameters"]["version"]
    assert parameter["name"] == HEADER
    assert parameter["required"] is (version != MINIMUM)
    assert {f"{service} {version}" for service in SERVICES} <= set(parameter["schema"]["enum"])


def test_it_is_served_without_a_token_for_the_version_that_is_asked_for(nobody: Client) -> None:
    lowest = nobody("GET", "/v1/openapi.json", version=None, status=200).json
    middle = nobody("GET", "/v1/openapi.json", version="container-infra 1.9", status=200).json
    newest = nobody("GET", "/v1/openapi.json", version=LATEST, status=200).json
    found = [one["info"]["version"] for one in (lowest, middle, newest)]
    assert found == ["1.1", "1.9", "1.15"]
    assert newest["openapi"] == "3.1.0"
    assert {**newest, "servers": None} == {**documented.of(MAXIMUM), "servers": None}
    head = nobody("HEAD", "/openapi.json/", version=LATEST, status=200)
    assert head.headers["Content-Type"] == "application/json"


def test_its_paths_begin_where_it_was_asked_for(nobody: Client) -> None:
    answer = nobody("GET", "/v1/openapi.json", headers={"Host": "magnum.example:9511"}, status=200)
    assert answer.json["servers"] == [{"url": "http://magnum.example:9511"}]


def test_an_unknown_argument_is_refused_here_too(nobody: Client) -> None:
    nobody.error("GET", "/v1/openapi.json?a=1", status=400)


def test_answers_that_the_document_does_not_know_are_noticed(
    demo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check of all tests' answers: it can fail."""
    uuid = a_bay(demo)
    good = demo("GET", f"/v1/bays/{uuid}", status=200)
    documented.check(good)

    def spoiled(**changes: Any) -> Any:
        answer = demo("GET", f"/v1/bays/{uuid}", status=200)
        answer.json_body = {
            key: value for key, value in {**answer.json, **changes}.items() if value != "gone"
        }
        return answer

    for changes, what in (
        ({"more": 1}, "more"),
        ({"node_count": "1"}, "node_count"),
        ({"status": "gone"}, "status"),
        ({"created_at": "2026-01-01T00:00:00"}, "created_at"),
    ):
        with pytest.raises(documented.Undocumented, match=what):
            documented.check(spoiled(**changes))
    good.status_int = 418
    with pytest.raises(documented.Undocumented, match="418"):
        documented.check(good)
    good.status_int = 200
    del good.headers["Vary"]
    with pytest.raises(documented.Undocumented, match="Vary"):
        documented.check(good)


def test_a_closed_shape_has_exactly_its_keys() -> None:
    shape = Draft202012Validator(closed({"a": TEXT, "b": TEXT}, optional=("b",)))
    assert shape.is_valid({"a": ""})
    assert shape.is_valid({"a": "", "b": ""})
    assert not shape.is_valid({"b": ""})
    assert not shape.is_valid({"a": "", "c": ""})
