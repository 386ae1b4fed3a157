"""The process that reports for nodes: against a small Nova and a small Heat over real HTTP."""

import base64
import json
import threading
from collections.abc import Iterator
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from keystoneauth1 import adapter, noauth, session

from tools.openstack import fake_nodes

URL = "http://127.0.0.1:1/v1/waitcondition/arn%3Aopenstack?Signature=a%2Bb%3D"


def user_data(url: str = URL) -> str:
    """As Heat's MultipartMime writes it and Nova shows it."""
    text = "#cloud-config\nwrite_files:\n- path: /etc/sysconfig/heat-params\n"
    text += f'  content: |\n    WAIT_SIGNAL_URL="{url}"\n'
    message = MIMEMultipart()
    message.attach(MIMEText(text, "cloud-config"))
    message.attach(MIMEText("#!/bin/sh\n", "x-shellscript"))
    return base64.b64encode(message.as_bytes()).decode()


def server(number: int, status: str = "ACTIVE", url: str = URL, **metadata: str) -> dict[str, Any]:
    return {
        "id": f"id-{number}",
        "name": f"node-{number}",
        "status": status,
        "metadata": metadata,
        fake_nodes.USER_DATA: user_data(url),
    }


def test_a_node_reports_success() -> None:
    delivery = fake_nodes.due(server(1))
    assert delivery is not None
    assert delivery.url == URL
    assert (delivery.report.status, delivery.report.unique_id) == ("SUCCESS", "node-1")


def test_a_node_that_shall_fail_says_why() -> None:
    delivery = fake_nodes.due(server(1, fake_nodes="fail"))
    assert delivery is not None
    assert delivery.report.status == "FAILURE"
    assert "fake_nodes=fail" in delivery.report.reason


def test_nobody_speaks_for_silent_nodes_and_ordinary_servers() -> None:
    assert fake_nodes.due(server(1, fake_nodes="silent")) is None
    assert fake_nodes.due({**server(1), fake_nodes.USER_DATA: None}) is None
    script = base64.b64encode(b"#!/bin/sh\nreboot\n").decode()
    assert fake_nodes.due({**server(1), fake_nodes.USER_DATA: script}) is None


def test_the_id_of_a_flavor_can_ask_for_a_fate_too() -> None:
    silent = {**server(1), "flavor": {"id": "fake_nodes-silent-3f2a"}}
    assert fake_nodes.due(silent) is None
    failing = fake_nodes.due({**server(1), "flavor": {"id": "fake_nodes-fail-3f2a"}})
    assert failing is not None and failing.report.status == "FAILURE"
    ordinary = fake_nodes.due({**server(1), "flavor": {"id": "m1-silent"}})
    assert ordinary is not None and ordinary.report.status == "SUCCESS"


class Cloud(ThreadingHTTPServer):
    """Nova's list of servers on GET, Heat's signal on PUT."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.servers: list[dict[str, Any]] = []
        self.refuse = 0
        self.asked: list[str] = []
        self.signals: list[dict[str, str]] = []
        self.content_types: set[str | None] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Cloud

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self._answer(200, {"servers": self.server.servers})

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.refuse:
            self.server.refuse -= 1
            self._answer(503, {})
            return
        self.server.content_types.add(self.headers.get("Content-Type"))
        self.server.signals.append(json.loads(body))
        self._answer(200, {})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud() as here:
        thread = threading.Thread(target=here.serve_forever)
        thread.start()
        yield here
        here.shutdown()
        thread.join()


@pytest.fixture
def nodes(cloud: Cloud) -> Iterator[fake_nodes.FakeNodes]:
    known = session.Session(noauth.NoAuth(endpoint=cloud.url))
    yield fake_nodes.FakeNodes(adapter.Adapter(known, service_type="compute"))
    known.session.close()


def test_reports_once_when_the_server_is_active(cloud: Cloud, nodes: fake_nodes.FakeNodes) -> None:
    cloud.servers = [server(1, "BUILD", cloud.url + "/wait?x=1")]
    assert nodes.look() == 0
    cloud.servers[0]["status"] = "ACTIVE"
    assert [nodes.look(), nodes.look()] == [1, 0]
    assert [signal["Status"] for signal in cloud.signals] == ["SUCCESS"]
    assert cloud.content_types == {None}


def test_each_look_is_one_request_for_what_is_new(
    cloud: Cloud, nodes: fake_nodes.FakeNodes
) -> None:
    nodes.look()
    nodes.look()
    assert len(cloud.asked) == 2
    assert "changes-since" not in cloud.asked[0]
    assert "changes-since" in cloud.asked[1]


def test_a_refused_report_is_sent_again(cloud: Cloud, nodes: fake_nodes.FakeNodes) -> None:
    cloud.servers = [server(1, url=cloud.url + "/wait?x=1")]
    cloud.refuse = 2
    assert [nodes.look(), nodes.look(), nodes.look(), nodes.look()] == [0, 0, 1, 0]


def test_user_data_that_cannot_be_read_hurts_nobody(
    cloud: Cloud, nodes: fake_nodes.FakeNodes
) -> None:
    broken = base64.b64encode(b"#cloud-config\nwrite_files: [").decode()
    cloud.servers = [
        {**server(1), fake_nodes.USER_DATA: broken},
        server(2, url=cloud.url + "/wait?x=1"),
    ]
    assert nodes.look() == 1
