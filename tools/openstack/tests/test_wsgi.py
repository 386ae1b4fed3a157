"""The server of the OpenStack applications, serving a small one."""

import socket
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.openstack.processes import Processes, Program
from tools.openstack.services.base import SCRIPTS

APPLICATION = """
import sys
arguments = list(sys.argv)  # when it is imported, as OpenStack's do

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [" ".join(arguments).encode()]
"""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    here = Processes(tmp_path)
    yield here
    here.stop(*here.names(), patience=1)


@pytest.mark.parametrize("place", ["", "@127.0.0.2"])
def test_an_application_sees_its_own_arguments_only(
    processes: Processes, tmp_path: Path, place: str
) -> None:
    (tmp_path / "small_application.py").write_text(APPLICATION)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    python = (sys.executable, "-P", str(SCRIPTS / "wsgi.py"))
    target = "small_application:application"
    command = (*python, f"{port}{place}", target, "heat-api", "--config-file", "x.conf")
    processes.start(Program("small", command, {"PYTHONPATH": str(tmp_path)}, port))
    processes.wait_for_http("small", f"http://127.0.0.1:{port}/")
    for address in filter(None, ["127.0.0.1", place.lstrip("@")]):
        with urllib.request.urlopen(f"http://{address}:{port}/", timeout=60) as answer:
            assert answer.read() == b"heat-api --config-file x.conf"
