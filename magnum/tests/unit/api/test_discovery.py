"""Discovery and paths (contract 1.1)."""

import pytest
from webtest import TestApp

from magnum.api import app
from magnum.tests.api import Client, Settings, a_bay, trusting

HOST = "http://localhost"


def test_the_root_names_the_one_version(nobody: Client) -> None:
    answer = nobody("GET", "/", version=None, status=200)
    assert set(answer.json) == {"name", "description", "versions"}
    assert answer.json["versions"] == [
        {
            "id": "v1",
            "status": "CURRENT",
            "min_version": "1.1",
            "max_version": "1.15",
            "links": [{"href": f"{HOST}/v1/", "rel": "self"}],
        }
    ]
    assert "OpenStack-API-Version" not in answer.headers
    assert answer.headers["X-Openstack-Request-Id"].startswith("req-")


@pytest.mark.parametrize("path", ["/v1", "/v1/"])
def test_v1_names_what_is_there(nobody: Client, path: str) -> None:
    answer = nobody("GET", path, version=None, status=200)
    assert answer.json["id"] == "v1"
    assert answer.json["media_types"] == [
        {"base": "application/json", "type": "application/vnd.openstack.magnum.v1+json"}
    ]
    assert answer.json["links"][0] == {"href": f"{HOST}/v1/", "rel": "self"}
    assert answer.json["links"][1]["rel"] == "describedby"
    assert answer.json["links"][1]["type"] == "text/html"
    for collection in ("bays", "baymodels"):
        assert answer.json[collection] == [
            {"href": f"{HOST}/v1/{collection}/", "rel": "self"},
            {"href": f"{HOST}/{collection}/", "rel": "bookmark"},
        ]
    assert answer.headers["OpenStack-API-Version"] == "container-infra 1.1"


@pytest.mark.parametrize("path", ["/v1/bays", "/bays", "/v1/nothing"])
def test_everything_else_needs_a_token(nobody: Client, path: str) -> None:
    nobody("GET", path, status=401)


@pytest.mark.parametrize(
    "path", ["/v1/bays", "/v1/bays/", "/bays", "/bays/", "//v1//bays", "/v1/bays/detail/"]
)
def test_slashes_and_the_version_in_the_path_may_be_left_out(demo: Client, path: str) -> None:
    assert demo("GET", path, status=200).json == {"bays": []}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/nothing",
        "/v2/bays",
        "/v1/bays.json",
        "/v1/bays/a/b",
        "/v1/bays/detail/x",
        "/v1/bays/%ff",
        "/v1/bays/a%00b",
        "/v1/bays/{}",
    ],
)
def test_an_unknown_path_is_404(demo: Client, path: str) -> None:
    assert demo.error("GET", path, status=404)["status"] == 404


def test_names_with_dots_are_names(demo: Client) -> None:
    uuid = a_bay(demo, name="bay-v1.2.json")
    answer = demo("GET", "/v1/bays/bay-v1.2.json", status=200)
    assert answer.json["uuid"] == uuid
    assert answer.headers["Content-Type"] == "application/json"


def test_a_name_that_is_a_word_of_the_service_is_a_name(demo: Client) -> None:
    for word in ("index", "create", "show", "spelling"):
        uuid = a_bay(demo, name=word)
        assert demo("GET", f"/v1/bays/{word}", status=200).json["uuid"] == uuid


def test_links_know_the_prefix_and_host(demo: Client) -> None:
    uuid = a_bay(demo)
    headers = {"Host": "cloud.example.org:8443"}
    answer = demo._app.get(
        f"/v1/bays/{uuid}",
        headers={**demo.headers, **headers},
        extra_environ={"SCRIPT_NAME": "/container-infra", "wsgi.url_scheme": "https"},
    )
    base = "https://cloud.example.org:8443/container-infra"
    assert [link["href"] for link in answer.json["links"]] == [
        f"{base}/v1/bays/{uuid}",
        f"{base}/bays/{uuid}",
    ]


def test_a_proxy_is_believed_where_the_operator_says_so(
    config: Settings, database: None, drivers: object
) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "cloud.example.org"}

    def said() -> str:
        answer = TestApp(app.make(auth=trusting)).get("/", headers=headers)
        href: str = answer.json["versions"][0]["links"][0]["href"]
        return href

    assert said() == f"{HOST}/v1/"
    config("oslo_middleware", enable_proxy_headers_parsing=True)
    assert said() == "https://cloud.example.org/v1/"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/bays", "GET, POST"),
        ("PUT", "/v1/bays/x", "DELETE, GET, PATCH"),
        ("POST", "/v1/bays/detail", "GET"),
        ("POST", "/v1", "GET"),
    ],
)
def test_a_method_that_is_not_there_is_405(
    demo: Client, method: str, path: str, allowed: str
) -> None:
    answer = demo(method, path, status=405)
    assert answer.headers["Allow"] == allowed
    assert answer.json["errors"][0]["code"] == ""


def test_the_method_cannot_be_overruled_by_the_query(demo: Client) -> None:
    uuid = a_bay(demo)
    demo("GET", f"/v1/bays/{uuid}?_method=DELETE", status=400)
    demo("GET", f"/v1/bays/{uuid}", status=200)


def test_head_is_get_without_the_body(demo: Client) -> None:
    assert demo("HEAD", "/v1/bays", status=200).body == b""
