"""Asking a running cluster: HTTP with JSON to its own API, over TLS with a certificate that its CA has signed.

It knows no engine. Every request has a timeout and all requests of one :class:`ClusterApi` together have a deadline,
whatever the other side does. Proxies of the environment are never used.
"""

import http.client
import io
import json
import ssl
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from magnum.drivers.contract import CloudUnavailable, KeyPair, Work

#: Seconds for one step of a request, such as connecting.
STEP = 5.0
#: Seconds for everything that one :class:`ClusterApi` is asked.
DEADLINE = 9.0
#: The longest answer that is read, in bytes.
LONGEST = 32 * 1024 * 1024


class ClusterUnavailable(CloudUnavailable):
    """The cluster's API does not answer, or not as such an API does. ``status`` is what it answered, if anything."""

    def __init__(self, text: str, operator_text: str = "", status: int | None = None) -> None:
        super().__init__(text, operator_text)
        self.status = status


class ClusterApi:
    """Requests to one cluster. ``keys`` is None for an API without TLS.

    ``address`` is a URL of any scheme, of which host and port count. ``seconds`` is the time for all requests from now
    on. A method raises ClusterUnavailable, and nothing else, where there is no good answer.
    """

    def __init__(self, address: str, keys: KeyPair | None, seconds: float = DEADLINE) -> None:
        self.address = address
        self._end = time.monotonic() + seconds
        try:
            parts = urlsplit(address)
            self._host, self._port = parts.hostname or "", parts.port
            self._context = None if keys is None else _context(keys)
        except (ValueError, OSError) as error:  # an SSLError is an OSError
            raise ClusterUnavailable(
                f"The cluster at {address} cannot be asked: {error}"
            ) from error
        if not self._host:
            raise ClusterUnavailable("The cluster has no address that it could be asked at.")

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self._end - time.monotonic())

    def get(self, path: str, **query: str) -> Any:
        """The JSON at a path."""
        return self.call("GET", f"{path}?{urlencode(query)}" if query else path)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """One request; the JSON of the answer, None where that is empty."""
        try:
            status, content = self._send(method, path, body, headers or {})
        except (OSError, http.client.HTTPException) as error:
            why = str(error) or type(error).__name__
            raise ClusterUnavailable(
                f"The cluster's API at {self.address} does not answer: {why}",
                f"{method} {path}: {error!r}",
            ) from error
        if not 200 <= status < 300:
            raise ClusterUnavailable(
                f"The cluster's API at {self.address} answers {status}.",
                f"{method} {path} answers {status}: {content[:300]!r}",
                status,
            )
        try:
            return json.loads(content) if content.strip() else None
        except ValueError as error:
            raise ClusterUnavailable(
                f"The cluster's API at {self.address} answers what is no JSON.",
                f"{method} {path}: {content[:100]!r}",
                status,
            ) from error

    def _send(
        self, method: str, path: str, body: Any, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        connection = self._connection()
        try:
            data = None if body is None else json.dumps(body)
            connection.request(
                method, path, data, {"Accept": "application/json", **_TYPE, **headers}
            )
            source: Any = _Source(connection.sock, self._timeout)
            answer = http.client.HTTPResponse(source, method=method)
            with answer:
                answer.begin()
                content = answer.read(LONGEST + 1)
            if len(content) > LONGEST:
                raise http.client.HTTPException("its answer does not end")
            return answer.status, content
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        timeout = self._timeout()
        if self._context is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=timeout, context=self._context
        )

    def _timeout(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return min(STEP, left)


_TYPE = {"Content-Type": "application/json"}


class _Source(io.RawIOBase):
    """A socket as something to read an answer from, in which every read has only the time that is left."""

    def __init__(self, sock: Any, timeout: Callable[[], float]) -> None:
        super().__init__()
        self._sock = sock
        self._timeout = timeout

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._timeout())
        return int(self._sock.recv_into(buffer))


def cluster_api(
    work: Work, name: str = "magnum", organization: str = "", seconds: float = DEADLINE
) -> ClusterApi:
    """The API of the bay's cluster, as a client of a name and an organization. Raises ClusterUnavailable."""
    address = work.bay.api_address
    if not address:
        raise ClusterUnavailable("The cluster has no API address yet.")
    keys = None if work.baymodel.tls_disabled else work.secrets.client(name, organization)
    return ClusterApi(address, keys, seconds)


def _context(keys: KeyPair) -> ssl.SSLContext:
    """Trusts the cluster's CA alone. The key is in a file for as long as it takes to be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=keys.authority)
    with tempfile.TemporaryDirectory(prefix="magnum-") as folder:  # only we may enter it
        path = Path(folder, "client.pem")
        path.touch(mode=0o600)
        path.write_text(f"{keys.certificate}\n{keys.key}\n", encoding="ascii")
        context.load_cert_chain(path)
    return context
