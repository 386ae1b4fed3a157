"""Serve one OpenStack WSGI application on loopback, in one process with threads.

``python -P tools/openstack/wsgi.py PORT[@ADDRESS] TARGET PROGRAM [ARGUMENT ...]``; with an address it listens
there too, beside loopback. TARGET is ``module:attribute`` or ``paste:/path/to/paste.ini``. PROGRAM and the
arguments become ``sys.argv``: OpenStack applications parse it when they are imported and stumble over any other
server's options. A script for the environments that hold OpenStack; it imports nothing of ours, and ``-P`` keeps
this folder, whose ``keystone.py`` is not Keystone, off the module path.
"""

import importlib
import sys
from typing import Any


def serve(application: Any, port: int, name: str, *addresses: str) -> None:
    """Serve ``application`` on a loopback port, and on that port of ``addresses``, until the process is told to end.

    Waitress stops accepting at 100 open connections, and Heat, Nova and the SDKs keep theirs open, so the
    limit is far above what one machine can use and idle connections are closed after a minute.
    """
    waitress: Any = importlib.import_module("waitress")
    waitress.serve(
        application,
        listen=" ".join(f"{address}:{port}" for address in ("127.0.0.1", *addresses)),
        ident=name,
        threads=8,
        connection_limit=2000,
        channel_timeout=60,
        cleanup_interval=10,
        asyncore_use_poll=True,
    )


def load(target: str) -> Any:
    """The WSGI application that ``target`` names."""
    kind, _, name = target.partition(":")
    if kind == "paste":
        deploy: Any = importlib.import_module("paste.deploy")
        return deploy.loadapp(f"config:{name}")
    return getattr(importlib.import_module(kind), name)


def main() -> None:
    """Run as a script."""
    place, target, program, *arguments = sys.argv[1:]
    sys.argv = [program, *arguments]
    port, _, address = place.partition("@")
    serve(load(target), int(port), program, *filter(None, [address]))


if __name__ == "__main__":
    main()
