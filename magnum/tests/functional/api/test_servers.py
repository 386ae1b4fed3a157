"""The API as a process: under gunicorn, and as the development server."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.openstack.processes import free_port

#: Seconds that only a hang takes.
PATIENCE = 240.0


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def config(tmp_path: Path, port: int) -> Path:
    """A configuration file that is good enough for whoever has no token."""
    path = tmp_path / "magnum.conf"
    path.write_text(
        f"[DEFAULT]\nstate_path = {tmp_path}\n[api]\nport = {port}\n"
        "[keystone_authtoken]\nwww_authenticate_uri = http://127.0.0.1:1\n"
    )
    return path


class Server:
    """A server process and its one port."""

    def __init__(self, command: list[str], port: int, log: Path, **environment: str) -> None:
        self.port = port
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", *command],
                stdout=output,
                stderr=output,
                env={**os.environ, **environment},
            )

    def get(self, path: str) -> tuple[int, dict[str, str], str]:
        """Send a GET. Returns status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            connection.close()

    def wait(self) -> None:
        """Wait until it answers."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self.get("/")
                return
            except OSError:
                assert self.process.poll() is None, self.log.read_text()
                assert time.monotonic() < end, self.log.read_text()
                time.sleep(0.1)


@pytest.fixture(params=["gunicorn", "magnum-api"])
def server(request: pytest.FixtureRequest, config: Path, port: int) -> Iterator[Server]:
    """A running server."""
    log = config.parent / "server.log"
    if request.param == "gunicorn":
        worker = ["--workers", "2", "--threads", "8", "--worker-class", "gthread"]
        # A worker that is told to end while it begins does not hear it; gunicorn kills it after this time.
        worker += ["--graceful-timeout", "5"]
        bind = ["--bind", f"127.0.0.1:{port}"]
        command = ["gunicorn", *worker, *bind, "magnum.wsgi.api:application"]
        files = f"{config}:{config}"
        running = Server(command, port, log, OS_MAGNUM_CONFIG_FILES=files)
    else:
        running = Server(["magnum.cmd.api", "--config-file", str(config)], port, log)
    running.wait()
    yield running
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(PATIENCE) == 0, log.read_text()


def test_it_answers_who_has_no_token(server: Server) -> None:
    status, headers, body = server.get("/")
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    link = json.loads(body)["versions"][0]["links"][0]["href"]
    assert link == f"http://127.0.0.1:{server.port}/v1/"
    status, headers, _ = server.get("/v1/bays")
    assert status == 401
    assert headers["WWW-Authenticate"] == 'Keystone uri="http://127.0.0.1:1"'
    status, _, body = server.get("/v1/%ff")
    assert (status, "errors" in json.loads(body)) == (404, True)


def test_the_development_server_says_what_it_is(config: Path, port: int) -> None:
    server = Server(
        ["magnum.cmd.api", "--config-file", str(config)], port, config.parent / "server.log"
    )
    server.wait()
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(PATIENCE) == 0
    said = server.log.read_text()
    assert f"http://127.0.0.1:{port}/v1" in said
    assert "development" in said
    assert "gunicorn" in said


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "magnum.cmd.api", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def test_help_says_how_to_run_it_in_production() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "magnum.wsgi.api:application" in done.stdout
    assert "--config-file" in done.stdout


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    done = run("--config-file", str(tmp_path / "nothing.conf"))
    assert done.returncode == 1
    assert "nothing.conf" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_one_sentence(config: Path, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        done = run("--config-file", str(config))
    assert done.returncode == 1
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr
