"""Clusters that do not do as they should: addresses on this machine where nobody answers, or answers nonsense."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: What is said where nonsense is answered, to anybody who connects.
_NONSENSE = b"\x15\x03\x01 this is neither TLS nor HTTP\r\n\r\n"
#: Names of the ways, for the texts of the suite.
REFUSING, SILENT, NONSENSE = "refuses connections", "never answers", "answers nonsense"
WAYS = (REFUSING, SILENT, NONSENSE)


@contextmanager
def cluster_that(way: str) -> Iterator[str]:
    """The ``host:port`` of a cluster's API that behaves in one of the ways."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        address = "{}:{}".format(*listening.getsockname())
        if way != REFUSING:
            listening.listen(64)  # connections are made by the kernel; nobody reads from them
        if way == NONSENSE:
            threading.Thread(target=_babble, args=(listening,), daemon=True).start()
        try:
            yield address
        finally:
            if way != REFUSING:
                listening.shutdown(socket.SHUT_RDWR)  # wakes who waits for the next caller


def _babble(listening: socket.socket) -> None:
    while True:
        try:
            caller, _ = listening.accept()
        except OSError:
            return
        with caller:
            try:
                caller.settimeout(1)
                caller.sendall(_NONSENSE)
                caller.recv(65536)
            except OSError:
                continue
