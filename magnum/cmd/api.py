"""``magnum-api``: the API on the standard library's server, for development."""

import argparse
import sys
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref import simple_server

from oslo_config import cfg
from oslo_db import exception as db_exception

from magnum import version
from magnum.api import app
from magnum.conf import CONF

_PRODUCTION = """\
This server is for development. In production let a WSGI server run the callable magnum.wsgi.api:application, such as
  OS_MAGNUM_CONFIG_FILES=/etc/magnum/magnum.conf gunicorn --workers 2 --threads 8 --worker-class gthread \\
    --keep-alive 75 --bind 127.0.0.1:9511 magnum.wsgi.api:application"""


class _Server(ThreadingMixIn, simple_server.WSGIServer):
    """A thread for each connection."""

    daemon_threads = True
    request_queue_size = 128


class _Handler(simple_server.WSGIRequestHandler):
    """Log one line for each request on stderr, without asking the name service who it is."""

    def address_string(self) -> str:
        return str(self.client_address[0])

    def log_message(self, format: str, *args: Any) -> None:
        sys.stderr.write(f"{self.address_string()} {format % args}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="magnum-api",
        description="Serve Magnum's REST API on [api] host and port.",
        epilog=_PRODUCTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--config-file",
        action="append",
        metavar="PATH",
        help="configuration file; may be given several times (default: the usual places, "
        "such as /etc/magnum/magnum.conf)",
    )
    parser.add_argument("--debug", action="store_true", help="log more")
    parser.add_argument("--version", action="version", version=version.version_string())
    return parser


def main() -> int:
    """Run the command. Returns the exit code."""
    arguments = _parser().parse_args()
    try:
        app.prepare(arguments.config_file, ["--debug"] if arguments.debug else [])
        application = app.make()
    except (cfg.Error, ValueError) as error:
        print(f"Cannot use the configuration: {error}", file=sys.stderr)
        return 1
    except db_exception.DBError as error:
        print(f"Cannot use [database] connection: {error}", file=sys.stderr)
        return 1
    host, port = CONF.api.host, CONF.api.port
    try:
        server = simple_server.make_server(host, port, application, _Server, _Handler)
    except OSError as error:
        print(
            f"Cannot listen on {host}:{port}: {error.strerror}. Change [api] host or port.",
            file=sys.stderr,
        )
        return 1
    print(f"Serving on http://{host}:{port}/v1\n{_PRODUCTION}", file=sys.stderr, flush=True)
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("Stopped.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
