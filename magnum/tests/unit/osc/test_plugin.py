"""What OpenStackClient finds: the plugin, its commands, their help; and how answers that are not ours are read."""

import json
from importlib.metadata import entry_points
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token

from magnum.osc import plugin
from magnum.osc.columns import shown
from magnum.osc.errors import ApiError
from magnum.tests.unit.osc.osc import ENDPOINT, GROUP, Osc, Transport, find

COMMANDS = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)


def test_the_plugin_is_registered_as_openstackclient_wants_it() -> None:
    (entry,) = [one for one in entry_points(group="openstack.cli.extension") if one.name == "bays"]
    assert entry.load() is plugin
    assert f"openstack.{plugin.API_NAME}.v{plugin.DEFAULT_API_VERSION}" == GROUP
    assert plugin.API_VERSION_OPTION.startswith("os_")


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_command_has_help_with_an_example_of_itself(entry: Any) -> None:
    nowhere = Osc(Transport(lambda environ, start_response: (), {}))
    words = entry.name.split("_")
    kind, rest = find(tuple(words))
    assert rest == []
    command: Any = kind(nowhere.app(), None)
    told = command.get_parser("openstack " + " ".join(words)).format_help()
    assert f"\n    openstack {' '.join(words)} " in told.replace("list\n", "list \n")
    assert command.get_description().strip().endswith(".")
    for example in command.examples:
        program, *words = example.partition(" >")[0].split()
        assert program == "openstack"
        same, _ = find(tuple(words))
        assert same is kind, example


@pytest.mark.parametrize("override", [None, "http://elsewhere.test/v1"])
def test_the_client_goes_where_the_user_wants(osc: Osc, override: str | None) -> None:
    http = requests.Session()
    http.mount("http://", osc.transport)
    instance = SimpleNamespace(
        session=Session(auth=Token(ENDPOINT, "token"), session=http),
        interface="public",
        region_name="RegionOne",
        get_configuration=lambda: {"container_infra_endpoint_override": override},
    )
    seen: list[str] = []
    send = osc.transport.send

    def spy(request: requests.PreparedRequest, **more: Any) -> requests.Response:
        seen.append(str(request.url))
        assert request.headers["OpenStack-API-Version"] == "container-infra 1.15"
        return send(request, **more)

    osc.transport.send = spy  # type: ignore[method-assign]
    assert plugin.make_client(instance).get("bays") == {"bays": []}
    assert seen == [f"{override or ENDPOINT}/bays"]


def answer(status: int, body: bytes, **headers: str) -> requests.Response:
    """An answer of somebody else than our API."""
    response = requests.Response()
    response.status_code = status
    response.reason = "Because"
    response._content = body
    response.headers.update(headers)
    return response


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (502, b"<html>proxy</html>", "Because\n  code: - (HTTP 502)"),
        (401, b'{"error": {"code": 401, "message": "Go away"}}', "Go away\n  code: - (HTTP 401)"),
        (500, b"[]", "Because"),
        (500, b'{"errors": []}', "Because"),
        (404, b'"text"', "Because"),
        (
            406,
            json.dumps(
                {"errors": [{"code": "magnum.microversion-unsupported", "description": "No 1.15."}]}
            ).encode(),
            "No 1.15.\n  code: - (HTTP 406)\n  what to do: This server is too old",
        ),
    ],
)
def test_errors_of_others_are_read_too(status: int, body: bytes, told: str) -> None:
    assert str(ApiError.of(answer(status, body))).startswith(told)


def test_a_terminal_obeys_no_error() -> None:
    body = json.dumps({"errors": [{"detail": "a\x1b]0;b\x07c", "reason": "X\x1b"}]}).encode()
    told = str(ApiError.of(answer(400, body)))
    assert "\x1b" not in told
    assert "\x07" not in told


def test_an_older_server_is_named_as_such(osc: Osc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("magnum.osc.client.MICROVERSION", "1.99")
    ended = osc("bay", "list", code=1)
    assert "what to do: This server is too old" in ended.err


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"a": 1, "b": [1, 2], "c": {}}, "a: 1\nb: 1, 2\nc: "),
        ({"a": {"b": {"c": 1}}}, "a:\n  b:\n    c: 1"),
        ([{"a": 1, "b": "x"}, {"a": 2}], "a=1, b=x\na=2"),
        ([{"a": [{"b": 1}]}], "a:\n  b=1"),
        ([1, "x"], "1\nx"),
        ("red\x1b[31m", "red?[31m"),
    ],
)
def test_values_are_lines_for_people_and_stay_what_they_are_for_programs(
    value: Any, told: str
) -> None:
    column = shown(value)
    assert column.human_readable() == told
    assert column.machine_readable() == value


def test_plain_values_are_left_alone() -> None:
    assert [shown(value) for value in ("a", 1, None, True)] == ["a", 1, None, True]


def test_a_transport_without_a_token_is_refused_in_words(osc: Osc) -> None:
    nobody = Osc(Transport(osc.transport._wsgi, {}))
    assert "what to do: Log in again" in nobody("bay", "list", code=1).err
