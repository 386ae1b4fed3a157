"""What a node reads in its user data and what it sends, against a real HTTP server."""

import base64
import gzip
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import quote as quoted

import pytest
import yaml

from tools.openstack import node_report
from tools.openstack.node_report import Report, ReportError

URL = "http://127.0.0.1:8100/v1/waitcondition/arn%3Aopenstack?Signature=a%2Bb%3D&Timestamp=1"


@dataclass
class Heat:
    """Stands where heat-api-cfn would, and answers what it is told to."""

    url: str
    status: int = 200
    requests: list[tuple[str, str, Message, bytes]] = field(default_factory=list)


@pytest.fixture(name="heat")
def a_heat() -> Iterator[Heat]:
    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heat.requests.append((self.command, self.path, self.headers, body))
            self.send_response(heat.status)
            self.end_headers()
            self.wfile.write(b"an answer")

        def log_message(self, format: str, *arguments: object) -> None:
            """Be quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        heat = Heat(f"http://127.0.0.1:{server.server_port}/v1/waitcondition/a%3Ab?Signature=x%3D")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield heat
        server.shutdown()
        thread.join()


def cloud_config(content: str, **more: str) -> str:
    files = [{"path": "/etc/other", "content": "WAIT_SIGNAL_URL=wrong"}]
    files.append({"path": node_report.PARAMS_FILE, "content": content, **more})
    return "#cloud-config\n" + yaml.safe_dump({"write_files": files})


def multipart(config: str, subtype: str) -> str:
    message = MIMEMultipart()
    message.attach(MIMEText("#!/bin/sh\necho WAIT_SIGNAL_URL=wrong\n", "x-shellscript"))
    message.attach(MIMEText(config, subtype))
    return message.as_string()


@pytest.mark.parametrize("subtype", ["cloud-config", "plain"])
def test_finds_the_url_in_a_multipart_message(subtype: str) -> None:
    user_data = multipart(cloud_config(f'A=1\nWAIT_SIGNAL_URL="{URL}"\n'), subtype)
    assert node_report.signal_url(user_data) == URL
    assert node_report.signal_url(user_data.encode()) == URL


@pytest.mark.parametrize("quote", ['"', "'", ""])
def test_reads_lines_as_a_shell_does(quote: str) -> None:
    text = f"NAME={quote}value{quote}\n# WAIT_SIGNAL_URL=no\nBROKEN=\"it's\"\nOPEN='x\n"
    found = node_report.parameters(cloud_config(text))
    assert found == {"NAME": "value", "BROKEN": "it's", "OPEN": "'x"}


def test_reads_every_encoding_of_cloud_init() -> None:
    line = f"WAIT_SIGNAL_URL='{URL}'\n".encode()
    plain = base64.b64encode(line).decode()
    packed = base64.b64encode(gzip.compress(line)).decode()
    assert node_report.signal_url(cloud_config(plain, encoding="b64")) == URL
    assert node_report.signal_url(cloud_config(packed, encoding="gz+b64")) == URL


def ignition(path: str, content: str) -> str:
    files = [
        {"path": "/etc/hostname", "contents": {"source": "data:,WAIT_SIGNAL_URL=wrong"}},
        {"path": path, "contents": {"source": f"data:,{quoted(content)}"}},
    ]
    return json.dumps({"ignition": {"version": "3.0.0"}, "storage": {"files": files}})


def test_finds_the_url_in_an_ignition_configuration() -> None:
    user_data = ignition(node_report.PARAMS_FILE, f'A=1\nWAIT_SIGNAL_URL="{URL}"\n')
    assert node_report.parameters(user_data) == {"A": "1", "WAIT_SIGNAL_URL": URL}
    assert node_report.signal_url(user_data.encode()) == URL
    assert node_report.signal_url(ignition("/etc/other", f"WAIT_SIGNAL_URL={URL}")) is None


@pytest.mark.parametrize(
    "user_data",
    [
        "",
        "{}",
        "#!/bin/sh\nexit\n",
        "#cloud-config\n",
        "#cloud-config\n- a list\n",
        cloud_config("A=1"),
    ],
)
def test_nobody_waits(user_data: str) -> None:
    assert node_report.signal_url(user_data) is None


def test_reports_as_heat_wants_it(heat: Heat) -> None:
    node_report.send(heat.url, Report(unique_id="node-1", reason="up", data="d"))
    ((method, path, headers, body),) = heat.requests
    assert (method, path) == ("PUT", "/v1/waitcondition/a%3Ab?Signature=x%3D")
    assert headers["Content-Type"] is None  # it would be taken for a part of what was signed
    assert json.loads(body) == {
        "Status": "SUCCESS",
        "Reason": "up",
        "UniqueId": "node-1",
        "Data": "d",
    }


def test_says_what_heat_said(heat: Heat) -> None:
    heat.status = 403
    with pytest.raises(ReportError, match="answered 403: an answer"):
        node_report.send(heat.url, Report(unique_id="node-1"))


def test_says_that_nobody_is_there() -> None:
    with pytest.raises(ReportError, match=r"127\.0\.0\.1:9"):
        node_report.send("http://127.0.0.1:9/v1", Report(unique_id="node-1"), timeout=2)
