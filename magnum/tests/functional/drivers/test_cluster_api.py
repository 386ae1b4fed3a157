"""Asking a cluster over real TLS: who is believed, who is refused, and that no cluster can hold the service up."""

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from magnum.drivers.common import cluster_api
from magnum.drivers.common.cluster_api import ClusterApi, ClusterUnavailable
from magnum.tests.drivers.fake_docker import FakeDocker, listening
from magnum.tests.drivers.pki import Authority
from magnum.tests.unit.drivers.fakes import make_work


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def address(authority: Authority, tmp_path: Path) -> Iterator[str]:
    with listening(FakeDocker(), authority.server_context(tmp_path)) as port:
        yield f"tcp://127.0.0.1:{port}"


def test_a_certificate_of_the_clusters_ca_is_enough(authority: Authority, address: str) -> None:
    api = ClusterApi(address, authority.pair("magnum"))
    assert api.get("/version") == {"Version": "20.10.24"}
    assert api.get("/info", all="1")["Swarm"]["LocalNodeState"] == "inactive"


def test_another_ca_is_believed_on_neither_side(authority: Authority, address: str) -> None:
    stranger = Authority()
    with pytest.raises(ClusterUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        ClusterApi(address, stranger.pair("magnum")).get("/version")
    forged = replace(stranger.pair("magnum"), authority=authority.pem)
    with pytest.raises(ClusterUnavailable):
        ClusterApi(address, forged).get("/version")


def test_a_server_at_another_address_is_not_believed(authority: Authority, tmp_path: Path) -> None:
    with (
        listening(FakeDocker(), authority.server_context(tmp_path, "192.0.2.1")) as port,
        pytest.raises(ClusterUnavailable, match="not valid for"),
    ):
        ClusterApi(f"tcp://127.0.0.1:{port}", authority.pair("magnum")).get("/version")


def test_the_key_is_left_in_no_file(
    authority: Authority, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    ClusterApi(address, authority.pair("magnum")).get("/version")
    assert list(folder.iterdir()) == []


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with listening(FakeDocker()) as port:
        assert ClusterApi(f"tcp://127.0.0.1:{port}", None).get("/version")


def test_what_is_refused_says_with_what_status() -> None:
    with listening(FakeDocker()) as port, pytest.raises(ClusterUnavailable) as told:
        ClusterApi(f"tcp://127.0.0.1:{port}", None).get("/nodes")
    assert told.value.status == 503
    assert "answers 503" in told.value.text
    assert "not a swarm manager" in told.value.operator_text


def test_nobody_there() -> None:
    with pytest.raises(ClusterUnavailable, match="refused") as told:
        ClusterApi("tcp://127.0.0.1:1", None).get("/version")
    assert "tcp://127.0.0.1:1 does not answer" in told.value.text


@pytest.mark.parametrize("address", ["", "tcp://", "tcp://host:port", "tcp://[::1", "no url"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(ClusterUnavailable):
        ClusterApi(address, None).get("/version")


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
def test_a_cluster_that_drips_takes_no_longer_than_the_deadline(first: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(first)
                while not ended.wait(0.05):
                    try:
                        connection.sendall(b"a")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        with pytest.raises(ClusterUnavailable):
            ClusterApi(f"tcp://127.0.0.1:{server.getsockname()[1]}", None, 0.5).get("/version")
        assert time.monotonic() - began < 30  # all of it would take an hour
        ended.set()
        thread.join()


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_api, "LONGEST", 10)
    with listening(FakeDocker()) as port, pytest.raises(ClusterUnavailable, match="does not end"):
        ClusterApi(f"tcp://127.0.0.1:{port}", None).get("/version")


def test_a_bay_without_an_address_has_no_cluster_to_ask() -> None:
    with pytest.raises(ClusterUnavailable, match="no API address yet"):
        cluster_api.cluster_api(make_work())
