"""FakeMagnum: all that a node talks to while it becomes one, in one small HTTP server.

It gives tokens as Keystone does, the bay's CAs and certificates as our API does (signed by the real
:mod:`magnum.certs`), and takes a node's report as Heat does. What it was told is kept for the test.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from magnum.certs import authority
from magnum.drivers.contract import KeyPair, NodeCredential

_SECRET = "the-nodes-secret"
_TOKEN = "the-nodes-token"


@dataclass
class FakeMagnum:
    """The server, and at the same time the :class:`magnum.drivers.contract.Secrets` of the bay it serves.

    ``url`` is how nodes reach it. ``reports`` are the nodes' reports by name, ``signed`` how many certificates it made.
    """

    url: str = ""
    signed: int = 0
    reports: dict[str, dict[str, str]] = field(default_factory=dict)
    _authorities: dict[str, authority.Authority] = field(default_factory=dict)
    _kept: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def _of_kind(self, kind: str) -> authority.Authority:
        with self._lock:
            if kind not in self._authorities:
                made = authority.make(f"bay {kind}".strip())
                self._authorities[kind] = authority.Authority(made.certificate, made.key.encode())
            return self._authorities[kind]

    # --- for drivers ----------------------------------------------------------------------------

    def authority(self, kind: str = "") -> str:
        """A CA's certificate."""
        return self._of_kind(kind).pem

    def client(self, name: str, organization: str = "", kind: str = "") -> KeyPair:
        """A certificate for a client."""
        made = self._of_kind(kind).client(name, organization)
        return KeyPair(made.certificate, made.key, self.authority(kind))

    def node_credential(self) -> NodeCredential:
        """What nodes authenticate with."""
        return NodeCredential("the-node", _SECRET, f"{self.url}/v3", f"{self.url}/v1")

    def kept(self, name: str, make: Callable[[], str]) -> str:
        """A secret of the driver's own."""
        return self._kept.setdefault(name, make())

    # --- for nodes ------------------------------------------------------------------------------

    def sign(self, body: dict[str, str]) -> dict[str, str]:
        """The answer to a signing request."""
        self.signed += 1
        return {"pem": self._of_kind(body.get("ca_cert_type", "")).sign(body["csr"])}


@contextmanager
def serving(host: str) -> Iterator[FakeMagnum]:
    """A server that listens everywhere on a free port; nodes reach it at ``host``."""
    fake = FakeMagnum()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self._body()
            if self.path == "/v3/auth/tokens":
                given = body["auth"]["identity"]["application_credential"]
                self._answer(201 if given["secret"] == _SECRET else 401, {})
            elif self._may():
                self._answer(201, fake.sign(body))

        def do_GET(self) -> None:
            if self._may():
                query = parse_qs(urlsplit(self.path).query)
                self._answer(200, {"pem": fake.authority(query.get("ca_cert_type", [""])[0])})

        def do_PUT(self) -> None:
            report = self._body()
            fake.reports[report["UniqueId"]] = report
            self._answer(200, {})

        def _may(self) -> bool:
            if self.headers["X-Auth-Token"] == _TOKEN and self.path.startswith("/v1/certificates"):
                return True
            self._answer(403, {})
            return False

        def _body(self) -> Any:
            return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, status: int, body: dict[str, str]) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("X-Subject-Token", _TOKEN)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("0.0.0.0", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        fake.url = f"http://{host}:{server.server_address[1]}"
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()
