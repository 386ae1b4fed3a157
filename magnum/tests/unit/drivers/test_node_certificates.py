"""How a node gets its certificates: the scripts run by bash, against a fake Keystone and a fake certificates API."""

import json
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from magnum.tests.drivers.pki import Authority
from magnum.tests.unit.drivers.fakes import UUID
from magnum.tests.unit.drivers.test_node_scripts import SCRIPTS

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")

SECRET = "planted-credential-secret"


@dataclass
class FakeMagnum:
    """Keystone and our API in one server. The first ``silent`` requests are answered with 503."""

    url: str = ""
    silent: int = 0
    status: int = 201
    authority: Authority = field(default_factory=Authority)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)

    def answer(self, method: str, path: str, body: Any, token: str | None) -> tuple[int, Any]:
        self.asked.append((method, path, body))
        if self.silent:
            self.silent -= 1
            return 503, {}
        if path == "/v3/auth/tokens":
            given_ = body["auth"]["identity"]["application_credential"]
            return (201 if given_ == {"id": "cred", "secret": SECRET} else 401), {}
        if token != "a-token":
            return 401, {"errors": [{"title": "no token"}]}
        if method == "GET":
            return 200, {"pem": self.authority.pem.rstrip()}
        pem = self.authority.sign(body["csr"]) if self.status == 201 else ""
        return self.status, {"pem": pem, "errors": [{"title": "not so"}]}


@pytest.fixture
def magnum() -> Iterator[FakeMagnum]:
    fake = FakeMagnum()

    class Handler(BaseHTTPRequestHandler):
        def any(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(text) if text else None
            status, content = fake.answer(
                self.command, self.path, body, self.headers.get("X-Auth-Token")
            )
            self.send_response(status)
            self.send_header("X-Subject-Token", "a-token")
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        do_GET = do_POST = any

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        fake.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield fake
        server.shutdown()
        thread.join()


@dataclass
class Node:
    """A directory that stands for a node's root."""

    root: Path

    def tell(self, magnum: FakeMagnum, **values: Any) -> None:
        known = {"bay_uuid": UUID, "name": "b1-master-0", "tls": True, "api_addresses": []}
        (self.root / "node.json").write_text(json.dumps(known | values))
        credential = {
            "ident": "cred",
            "secret": SECRET,
            "auth_url": f"{magnum.url}/v3",
            "service_url": f"{magnum.url}/v1",
        }
        (self.root / "credential.json").write_text(json.dumps(credential))

    def bash(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", *words],
            env={
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "MAGNUM_LIB": str(SCRIPTS / "lib.sh"),
                "MAGNUM_CERTS_LIB": str(SCRIPTS / "certs.sh"),
                "MAGNUM_CERTIFICATES": str(self.root / "certs"),
                "NODE_JSON": str(self.root / "node.json"),
                "CREDENTIAL_JSON": str(self.root / "credential.json"),
                "http_proxy": "http://127.0.0.1:1",
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def step(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.bash(str(SCRIPTS / "certificates"), **environment)

    def signed(self, *words: str) -> subprocess.CompletedProcess[str]:
        """``signed_certificate`` with arguments."""
        line = '. "$0"; . "$1"; shift; signed_certificate "$@"'
        lib, certs = str(SCRIPTS / "lib.sh"), str(SCRIPTS / "certs.sh")
        return self.bash("-euo", "pipefail", "-c", line, lib, certs, *words)

    def certificate(self, name: str = "node") -> x509.Certificate:
        return x509.load_pem_x509_certificate((self.root / f"certs/{name}.crt").read_bytes())


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def names(certificate: x509.Certificate) -> set[str]:
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(one.value) for one in found}


def test_a_node_has_a_certificate_for_all_its_names(node: Node, magnum: FakeMagnum) -> None:
    node.tell(magnum, api_addresses=["10.0.0.5", "172.24.4.9", "2001:db8::1"])
    ended = node.step()
    assert ended.returncode == 0, ended.stderr
    made = node.certificate()
    assert made.subject.rfc4514_string() == "CN=b1-master-0"
    assert names(made) == {
        *("b1-master-0", "localhost", "127.0.0.1"),
        *("10.0.0.5", "172.24.4.9", "2001:db8::1"),
    }
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(usage) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    key = load_pem_private_key((node.root / "certs/node.key").read_bytes(), None)
    assert key.public_key() == made.public_key()
    assert (node.root / "certs/ca.crt").read_text().strip() == magnum.authority.pem.strip()


def test_the_key_is_for_root_alone_and_nothing_else_is_left(node: Node, magnum: FakeMagnum) -> None:
    node.tell(magnum)
    for _ in range(2):  # a step may run again
        assert node.step().returncode == 0
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in node.root.glob("certs/*")}
    assert files == {"ca.crt": 0o644, "node.crt": 0o644, "node.key": 0o600}


def test_without_tls_nothing_is_asked_for(node: Node, magnum: FakeMagnum) -> None:
    node.tell(magnum, tls=False)
    assert node.step().returncode == 0
    assert (magnum.asked, (node.root / "certs").exists()) == ([], False)


def test_an_api_that_is_away_is_asked_again(node: Node, magnum: FakeMagnum) -> None:
    node.tell(magnum)
    magnum.silent = 1
    assert node.step().returncode == 0


@pytest.mark.parametrize("status", [400, 403, 500])
def test_the_last_line_says_who_refuses(node: Node, magnum: FakeMagnum, status: int) -> None:
    node.tell(magnum)
    magnum.status = status
    ended = node.step(CERTS_SECONDS="1", CERTS_REFUSED_SECONDS="1")
    assert ended.returncode != 0
    last = ended.stderr.strip().splitlines()[-1]
    assert f"/v1/certificates answers {status}" in last and "not so" in last
    assert SECRET not in ended.stderr + ended.stdout
    assert not (node.root / "certs/node.key").exists()


def test_a_node_without_a_credential_says_so(node: Node, magnum: FakeMagnum) -> None:
    node.tell(magnum)
    (node.root / "credential.json").write_text("{}")
    ended = node.step()
    assert "given no credential" in ended.stderr.splitlines()[-1]


def test_a_certificate_for_somebody_of_an_organization(node: Node, magnum: FakeMagnum) -> None:
    node.tell(magnum)
    path = f"{node.root}/certs/kubelet"
    ended = node.signed(path, "system:node:b1", "system:nodes", "", "etcd")
    assert ended.returncode == 0, ended.stderr
    subject = node.certificate("kubelet").subject
    assert subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "system:node:b1"
    assert subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "system:nodes"
    assert magnum.asked[-1][2]["ca_cert_type"] == "etcd"
    assert magnum.asked[-1][2]["bay_uuid"] == UUID


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.text(
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20
    )
)
def test_a_hostile_name_is_the_name_or_refused(node: Node, magnum: FakeMagnum, name: str) -> None:
    node.tell(magnum)
    ended = node.signed(f"{node.root}/certs/some", name, "", "")
    if ended.returncode == 0:
        (common,) = node.certificate("some").subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        assert common.value == name.strip()
    assert not list(node.root.glob("certs/*.key.new")) or ended.returncode != 0
