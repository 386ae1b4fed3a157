"""One API process of whatever version is imported, with the token check replaced by headers.

``python serve.py CONFIG PORT_FILE``: takes a free port of the loopback interface and writes it into the file. It is
run with the code of the release before too, so it uses nothing that came later.
"""

import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

from magnum.api import app
from magnum.tests.api import trusting


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def main(config: str, port_file: str) -> None:
    """Serve until killed."""
    app.prepare([config])
    server = make_server("127.0.0.1", 0, app.make(auth=trusting), _Server)
    draft = Path(port_file).with_suffix(".new")
    draft.write_text(str(server.server_port))
    draft.replace(port_file)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
