"""``python -m tools.standin``: run the stand-in until it is told to end."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from tools.standin.cloud import Cloud
from tools.standin.identity import Identity
from tools.standin.notifier import Bus
from tools.standin.rules import Rules
from tools.standin.server import Server
from tools.standin.stacks import Stacks
from tools.standin.wire import SERVICES


def main(arguments: list[str]) -> None:
    """Serve on a port until SIGTERM."""
    options = _parser().parse_args(arguments)
    bus = Bus(options.notify, options.topic, options.seed) if options.notify else None
    cloud = Cloud(
        stacks=Stacks(options.seconds_per_stack, bus.tell if bus else lambda stack: None),
        rules=Rules(options.seed),
        identity=Identity(options.services.split(","), options.token_life),
        bus=bus,
    )
    server = Server(cloud, options.port)
    port = server.server_address[1]
    if options.port_file:
        # In one rename, so that a reader never sees half a number.
        draft = options.port_file.with_suffix(".new")
        draft.write_text(str(port))
        draft.replace(options.port_file)
    print(f"the stand-in answers on http://127.0.0.1:{port}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.standin",
        description="A recording stand-in for Keystone, Heat, Nova, Neutron, Cinder and Octavia. Each lies below a "
        "path of its own (/identity, /orchestration, ...); tests tell it what to do below /control.",
    )
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0 takes a free one")
    parser.add_argument("--port-file", type=Path, help="file that the port is written to")
    parser.add_argument(
        "--seconds-per-stack", type=float, default=0.2, help="how long an action of a stack takes"
    )
    parser.add_argument("--notify", help="broker for Heat's notifications, as rabbit://...")
    parser.add_argument("--topic", default="notifications", help="their topic")
    parser.add_argument("--seed", type=int, default=0, help="of all that is left to chance")
    parser.add_argument("--token-life", type=float, default=3600.0, help="in seconds")
    parser.add_argument(
        "--services", default=",".join(SERVICES), help="types that the catalogue names"
    )
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
