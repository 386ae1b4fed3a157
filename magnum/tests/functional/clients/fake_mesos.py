"""A stand-in for the master of a Mesos, which cannot be had: it demands a certificate of the bay's CA, and no more."""

import contextlib
import http.server
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path


class FakeMesosMaster(http.server.BaseHTTPRequestHandler):
    """Answers as ``/version`` of a Mesos master does."""

    def do_GET(self) -> None:
        """The same answer to everything."""
        body = b'{"version": "1.0.0"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def fake_mesos_master(certificate: Path, key: Path, authority: Path) -> Iterator[int]:
    """One with this certificate, for holders of a certificate of this CA; gives its loopback port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    # The handshake belongs to the request's thread, where a refused one is of no more account.
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeMesosMaster)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
