"""Microversions (contract 1.2)."""

import pytest

from magnum.api import microversions
from magnum.common import errors
from magnum.tests.api import Client

HEADER = "OpenStack-API-Version"


def asked(text: str | None) -> tuple[str, str]:
    found = microversions.asked(text)
    return found.service, str(found.version)


def test_the_history_has_no_gap() -> None:
    minors = [version.minor for version, _ in microversions.HISTORY]
    assert minors == list(range(1, 16))


def test_no_header_is_the_lowest() -> None:
    assert asked(None) == ("container-infra", "1.1")


@pytest.mark.parametrize("service", microversions.SERVICES)
def test_each_name_of_the_service_is_echoed(demo: Client, service: str) -> None:
    answer = demo("GET", "/v1/bays", version=f"{service} 1.7", status=200)
    assert answer.headers[HEADER] == f"{service} 1.7"
    assert answer.headers["OpenStack-API-Minimum-Version"] == f"{service} 1.1"
    assert answer.headers["OpenStack-API-Maximum-Version"] == f"{service} 1.15"
    assert answer.headers["Vary"] == HEADER


@pytest.mark.parametrize("word", ["latest", "LATEST", "Latest"])
def test_latest_is_the_highest(word: str) -> None:
    assert asked(f"container-infra {word}") == ("container-infra", "1.15")


@pytest.mark.parametrize(
    "header",
    [
        "compute 2.90, container-infra 1.9",
        "container-infra 1.9,compute 2.90",
        "compute latest,container-infra 1.9 , identity 3.1",
    ],
)
def test_our_entry_of_a_list_is_picked(header: str) -> None:
    assert asked(header) == ("container-infra", "1.9")


@pytest.mark.parametrize(
    "header",
    [
        "1.5",
        "",
        "container-infra",
        "container-infra 1.5 please",
        "container-infra 1",
        "container-infra 1.x",
        "container-infra v1.5",
        "container-infra 1.5.0",
        "container-infra -1.5",
        "container-infra \u0661.5",
        "compute 1.5",
        "compute 2.1, identity 3.0",
    ],
)
def test_what_cannot_be_read_is_406(header: str) -> None:
    with pytest.raises(errors.NotAcceptable):
        microversions.asked(header)


def test_what_cannot_be_read_has_the_plain_body_and_no_version_headers(demo: Client) -> None:
    answer = demo("GET", "/v1/bays", version="compute 1.5", status=406)
    assert answer.json["errors"][0]["code"] == ""
    assert answer.json["errors"][0]["status"] == 406
    assert HEADER not in answer.headers


@pytest.mark.parametrize("version", ["1.0", "1.16", "2.1", "0.9", "1.999999"])
def test_a_version_that_is_not_served_has_a_body_of_its_own(demo: Client, version: str) -> None:
    answer = demo("GET", "/v1/bays", version=f"container-infra {version}", status=406)
    (entry,) = answer.json["errors"]
    assert set(entry) == {"code", "title", "description", "max_version", "min_version", "links"}
    assert entry["code"] == "magnum.microversion-unsupported"
    assert entry["min_version"] == "1.1"
    assert entry["max_version"] == "1.15"
    assert entry["links"] == [{"rel": "help", "href": "http://localhost/"}]
    assert version in entry["description"]
    assert answer.headers["OpenStack-API-Maximum-Version"] == "container-infra 1.15"
    assert answer.headers["Vary"] == HEADER


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/bays/nothing", 404), ("/v1/nothing", 404), ("/v1/bays?x=1", 400)]
)
def test_errors_carry_the_version_headers_once(demo: Client, path: str, status: int) -> None:
    answer = demo("GET", path, version="container-infra 1.4", status=status)
    assert answer.headers.getall(HEADER) == ["container-infra 1.4"]
    assert answer.headers.getall("Vary") == [HEADER]


def test_a_refused_token_carries_them_too(nobody: Client) -> None:
    answer = nobody("GET", "/v1/bays", version="container-infra 1.4", status=401)
    assert answer.headers[HEADER] == "container-infra 1.4"


@pytest.mark.parametrize("minor", range(1, 16))
def test_bays_are_there_at_every_version(demo: Client, minor: int) -> None:
    for collection in ("bays", "baymodels"):
        demo("GET", f"/v1/{collection}", version=f"container-infra 1.{minor}", status=200)
