"""The stand-in over HTTP: reads a request, lets the rules have their way, answers, and keeps the ledger."""

import json
import logging
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from tools.standin.cloud import Cloud
from tools.standin.ledger import Entry
from tools.standin.rules import Rule
from tools.standin.wire import CONTROL, SERVICES, Answer, Request

LOG = logging.getLogger(__name__)

_BY_PATH = {path: service for service, path in SERVICES.items()}


class Server(ThreadingHTTPServer):
    """One process's stand-in on a loopback port; 0 takes a free one."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, cloud: Cloud, port: int) -> None:
        handler = type("BoundHandler", (Handler,), {"cloud": cloud})
        super().__init__(("127.0.0.1", port), handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away while we answered is nothing to tell."""
        LOG.debug("a connection broke off", exc_info=True)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    cloud: ClassVar[Cloud]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def handle_one_request(self) -> None:
        """Read and answer one request, whatever its method is."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            self.close_connection = True
        elif self.parse_request():
            self._answer()
            self.wfile.flush()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        head, _, rest = parts.path.lstrip("/").partition("/")
        body = self._body()
        query = parse_qs(parts.query, keep_blank_values=True)
        if head == CONTROL:
            since = int(query.get("since", ["0"])[0])
            words = [unquote(word) for word in rest.split("/")]
            self._send(self.cloud.control(self.command, words, body, since))
        elif head in _BY_PATH:
            self._serve(
                Request(
                    service=_BY_PATH[head],
                    method=self.command,
                    path=unquote(f"/{rest}" if rest else ""),
                    query=query,
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=body,
                    base=f"http://{self.headers['Host']}",
                )
            )
        else:
            self._send(Answer(404, {"error": f"no service lies below /{head}"}))

    def _serve(self, request: Request) -> None:
        user = self.cloud.identity.user_of(request.headers.get("x-auth-token"))
        entry = self.cloud.ledger.begin(request, user)
        found = self.cloud.rules.match(request)
        if found is None:
            answer = self._carry_out(request, entry)
        else:
            entry.rule, rule = found
            answer = self._misbehave(request, entry, rule)
            if rule.lose:
                self.close_connection = True
                entry.ended = time.time()
                return
        # Before it is sent: who has the answer may look at the ledger at once.
        entry.answered, entry.ended = answer.status, time.time()
        try:
            self._send(answer, {"X-Openstack-Request-Id": f"req-standin-{entry.number}"})
            self.wfile.flush()
        except OSError:
            entry.answered = None
            raise

    def _misbehave(self, request: Request, entry: Entry, rule: Rule) -> Answer:
        if not rule.hang_after:
            time.sleep(rule.hang)
        answer = self._carry_out(request, entry) if rule.do else Answer(500)
        if rule.hang_after:
            time.sleep(rule.hang)
        if rule.status is not None:
            answer = self.cloud.error(request, rule.status, rule.text)
        return answer

    def _carry_out(self, request: Request, entry: Entry) -> Answer:
        answer = self.cloud.answer(request)
        entry.carried_out = answer.status < 400
        if answer.status >= 400:
            entry.error = json.dumps(answer.body)
        return answer

    def _body(self) -> Any:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            return json.loads(raw) if raw else None
        except ValueError:
            return raw.decode(errors="replace")

    def _send(self, answer: Answer, headers: dict[str, str] | None = None) -> None:
        data = b"" if answer.body is None else json.dumps(answer.body).encode()
        if answer.body is None and answer.status == 200:
            data = b"null"
        self.send_response_only(answer.status)
        for name, value in {**answer.headers, **(headers or {})}.items():
            self.send_header(name, value)
        if data:
            self.send_header("Content-Type", "application/json")
        if answer.status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """The ledger has it all."""
