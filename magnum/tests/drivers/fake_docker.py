"""FakeDocker: Docker's API of the nodes of one Swarm, in memory, over real HTTP: TCP with or without TLS, and a socket.

It knows what our scripts and drivers ask for: joining, nodes, tasks. It runs no containers.
"""

import contextlib
import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKENS = {"Manager": "SWMTKN-planted-manager", "Worker": "SWMTKN-planted-worker"}


@dataclass
class FakeSwarm:
    """What the managers of one Swarm share. ``refuse`` is what they answer to everything, if set."""

    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    refuse: tuple[int, Any] | None = None
    made: int = 0

    def add(self, name: str, role: str = "worker", **changes: Any) -> str:
        """A node that is ready; ``changes`` may be state, message, availability, reachability, labels."""
        self.made += 1
        ident = f"node-{self.made}"
        status = {"State": changes.get("state", "ready"), "Message": changes.get("message", "")}
        self.nodes[ident] = {
            "ID": ident,
            "Version": {"Index": 10 + self.made},
            "Spec": {
                "Role": role,
                "Availability": changes.get("availability", "active"),
                "Labels": changes.get("labels", {}),
            },
            "Description": {
                "Hostname": name,
                "Resources": {"NanoCPUs": 2 * 10**9, "MemoryBytes": 4 * 2**30},
            },
            "Status": status,
        }
        if role == "manager":
            self.nodes[ident]["ManagerStatus"] = {
                "Reachability": changes.get("reachability", "reachable"),
                "Leader": not any("ManagerStatus" in node for node in self.nodes.values()),
                "Addr": f"10.0.0.{self.made}:2377",
            }
        return ident

    def run(self, node: str, **changes: Any) -> None:
        """A task on a node; empty for one that has no place."""
        wanted = {"NanoCPUs": changes.get("cpus", 0), "MemoryBytes": changes.get("memory", 0)}
        self.tasks.append(
            {
                "ID": f"task-{len(self.tasks)}",
                "NodeID": node,
                "Spec": {"Resources": {"Reservations": wanted}},
                "Status": {"State": changes.get("state", "running"), "Err": changes.get("err", "")},
                **({} if changes.get("everywhere") else {"Slot": 1}),
            }
        )

    def names(self) -> list[str]:
        """The nodes by name."""
        return sorted(node["Description"]["Hostname"] for node in self.nodes.values())

    def node(self, name: str) -> dict[str, Any]:
        """The only node of a name."""
        (found,) = [one for one in self.nodes.values() if one["Description"]["Hostname"] == name]
        return found


@dataclass
class FakeDocker:
    """The Docker of one node. ``swarm`` is the one it is in; those that join are told by ``known`` which there is."""

    name: str = "n"
    role: str = "worker"
    swarm: FakeSwarm | None = None
    ident: str = ""
    known: FakeSwarm | None = None
    refuse_joins: int = 0
    requests: list[tuple[str, str, Any]] = field(default_factory=list)

    def answer(self, method: str, url: str, body: Any) -> tuple[int, Any]:
        """What Docker answers to a request."""
        parts = urlsplit(url)
        self.requests.append((method, parts.path, body))
        match method, parts.path.strip("/").split("/"):
            case "GET", ["version"]:
                return 200, {"Version": "20.10.24"}
            case "GET", ["info"]:
                state = "inactive" if self.swarm is None else "active"
                swarm = {"LocalNodeState": state, "NodeID": self.ident}
                return 200, {"Name": self.name, "Swarm": swarm}
            case "POST", ["swarm", "init"]:
                self.role = "manager"
                return self._enter(FakeSwarm(), body)
            case "POST", ["swarm", "join"]:
                return self._join(body)
        if self.swarm is None or self.role != "manager":
            return 503, {"message": "This node is not a swarm manager."}
        return self._manage(self.swarm, method, parts.path.strip("/").split("/"), parts.query, body)

    def _enter(self, swarm: FakeSwarm, body: Any) -> tuple[int, Any]:
        self.swarm = self.known = swarm
        availability = body.get("Availability", "active")
        self.ident = swarm.add(self.name, self.role, availability=availability)
        return 200, self.ident

    def _join(self, body: Any) -> tuple[int, Any]:
        if self.refuse_joins:
            self.refuse_joins -= 1
            return 500, {"message": "rpc error: code = Unavailable"}
        roles = {token: role.lower() for role, token in TOKENS.items()}
        if self.known is None or body["JoinToken"] not in roles:
            return 400, {"message": "invalid join token"}
        self.role = roles[body["JoinToken"]]
        return self._enter(self.known, body)

    def _manage(
        self, swarm: FakeSwarm, method: str, path: list[str], query: str, body: Any
    ) -> tuple[int, Any]:
        swarm.requests.append((method, "/".join(path), body))
        if swarm.refuse is not None:
            return swarm.refuse
        match method, path:
            case "GET", ["swarm"]:
                return 200, {"ID": "the-swarm", "JoinTokens": TOKENS}
            case "GET", ["nodes"]:
                return 200, list(swarm.nodes.values())
            case "GET", ["tasks"]:
                return 200, swarm.tasks
            case "POST", ["nodes", ident, "update"]:
                node = swarm.nodes[ident]
                if parse_qs(query)["version"] != [str(node["Version"]["Index"])]:
                    return 500, {"message": "update out of sequence"}
                if body["Role"] == "worker":
                    node.pop("ManagerStatus", None)
                node |= {"Spec": body, "Version": {"Index": node["Version"]["Index"] + 1}}
                if body["Availability"] == "drain":
                    swarm.tasks = [task for task in swarm.tasks if task["NodeID"] != ident]
                return 200, None
            case "DELETE", ["nodes", ident]:
                if "ManagerStatus" in swarm.nodes[ident]:
                    return 400, {"message": "node is a manager and cannot be removed"}
                del swarm.nodes[ident]
                return 200, None
        return 404, {"message": "page not found"}


class FakeDockerServer(ThreadingHTTPServer):
    """Serves a Docker; each connection in a thread, and with TLS where there is a context."""

    context: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection; one that will not do TLS is closed."""
        if self.context is None:
            super().finish_request(request, client_address)
            return
        try:
            wrapped = self.context.wrap_socket(
                request, server_side=True, do_handshake_on_connect=False
            )
        except OSError:
            return
        with wrapped:
            try:
                wrapped.do_handshake()
            except OSError:
                return
            super().finish_request(wrapped, client_address)


@contextlib.contextmanager
def listening(docker: FakeDocker, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port at which a Docker listens on this machine's 127.0.0.1, with TLS if there is a context."""
    with FakeDockerServer(("127.0.0.1", 0), _handler(docker)) as server:
        server.context = context
        with _serving(server):
            yield int(server.server_address[1])


@contextlib.contextmanager
def at_socket(docker: FakeDocker, path: Path) -> Iterator[None]:
    """A Docker behind a socket in the file system."""
    with (
        socketserver.ThreadingUnixStreamServer(str(path), _handler(docker)) as server,
        _serving(server),
    ):
        yield


@contextlib.contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def _handler(docker: FakeDocker) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = docker.answer(
                self.command, self.path, json.loads(text) if text else None
            )
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = handle_any

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
