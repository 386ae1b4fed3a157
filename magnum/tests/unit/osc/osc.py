"""Tools for tests of the plugin: its commands in this process, in front of the real application."""

import argparse
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from types import SimpleNamespace
from typing import Any
from wsgiref.types import WSGIApplication

import requests
from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token
from osc_lib.command import command
from requests.adapters import BaseAdapter
from webob import Request

from magnum.osc.client import SERVICE_TYPE, Client

GROUP = "openstack.bays.v1"
ENDPOINT = "http://bays.test/v1"


class Transport(BaseAdapter):
    """Hands requests to the application in the place of a network. ``broken`` is raised instead, while it is set."""

    def __init__(self, wsgi: WSGIApplication, identity: Mapping[str, str]) -> None:
        super().__init__()
        self._wsgi = wsgi
        self._identity = identity
        self.broken: Exception | None = None
        self.sent: list[str] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """What the application answers."""
        self.sent.append(f"{request.method} {request.path_url}")
        if self.broken is not None:
            raise self.broken
        headers = {**request.headers, **self._identity}
        body = request.body or b""
        blank = Request.blank(
            str(request.url),
            method=str(request.method),
            headers=headers,
            body=body.encode() if isinstance(body, str) else body,
        )
        answered = blank.get_response(self._wsgi, catch_exc_info=True)
        response = requests.Response()
        response.status_code = answered.status_int
        response.reason = answered.status.partition(" ")[2]
        response.headers.update(answered.headers)
        response.raw = io.BytesIO(answered.body)
        response.url = str(request.url)
        response.request = request
        return response

    def close(self) -> None:
        """Nothing is open."""


def client(transport: Transport) -> Client:
    """The plugin's client, on a real session of keystoneauth."""
    http = requests.Session()
    http.mount("http://", transport)
    session = Session(auth=Token(ENDPOINT, "token"), session=http)
    return Client(Adapter(session, service_type=SERVICE_TYPE))


class Terminal(io.StringIO):
    """A stream that may be a terminal."""

    def __init__(self, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        """As the test wants it."""
        return self._is_terminal


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer of a command with ``-f json``."""
        return json.loads(self.out)

    @property
    def drawn(self) -> list[str]:
        """Every state of the live line, and what was said between them."""
        return [part for part in self.err.split("\r\x1b[2K") if part]


class Osc:
    """``openstack`` of one user. Words as on its command line, behind the global options."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._client = client(transport)

    def __call__(self, *words: str, terminal: bool = False, code: int | None = 0) -> Ended:
        """Run a command; it must end with this status, unless that is None."""
        app = self.app(words, terminal)
        kind, rest = find(words)
        try:
            made = kind(app, None)
            prog = f"openstack {' '.join(words[: len(words) - len(rest)])}"
            status = made.run(made.get_parser(prog).parse_args(rest))
        except SystemExit as exit:  # argparse
            status = int(exit.code or 0)
        except Exception as error:  # noqa: BLE001  # as cliff does
            app.stderr.write(f"{error}\n")
            status = 1
        ended = Ended(status, app.stdout.getvalue(), app.stderr.getvalue())
        assert code is None or ended.code == code, ended
        return ended

    def json(self, *words: str) -> Any:
        """Run a command that must succeed, and return its answer."""
        return self(*words, "-f", "json").json

    def app(self, words: tuple[str, ...] = (), terminal: bool = False) -> Any:
        """What a command sees of OpenStackClient."""
        return SimpleNamespace(
            client_manager=SimpleNamespace(bays=self._client),
            stdout=io.StringIO(),
            stderr=Terminal(terminal),
            parser=_global_parser(),
            command_options=list(words),
            prepare_to_run_command=lambda command: None,
        )


def find(words: tuple[str, ...]) -> tuple[Callable[..., command.Command], list[str]]:
    """The command that words mean, as setup.cfg has it, and the rest of the words."""
    known = {entry.name: entry for entry in entry_points(group=GROUP)}
    for length in range(len(words), 0, -1):
        entry = known.get("_".join(words[:length]))
        if entry is not None:
            return entry.load(), list(words[length:])
    raise AssertionError(f"no such command: {words}")


def _global_parser() -> argparse.ArgumentParser:
    """Some of the options that all commands have."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--log-file")
    parser.add_argument("--timing", action="store_true")
    return parser
