"""``tools/quickstart``, the part that runs in any Python: options, the environment, stopping.

Needs only the standard library. What needs OpenStack's libraries is in ``quickstart_run.py``, to which this
module hands over once the virtual environment is there.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tools.openstack import venvs
from tools.openstack.console import Progress, Trouble
from tools.openstack.processes import Processes, exclusive, require_free_port
from tools.openstack.quickstart_place import API, CONDUCTOR, Place, Ports

CHECKOUT = Path(__file__).resolve().parents[2]
BEGAN = "MAGNUM_QUICKSTART_BEGAN"  # time.monotonic() at the start, for the process that goes on
BUSY = "another tools/quickstart is at work in this checkout; wait until it is done."

DESCRIPTION = """\
Watch a container cluster ("bay") being made, with nothing but Python, git and a package index.

Makes a virtual environment, starts a real Keystone and a real Heat on SQLite and this checkout's API and
conductor, all on loopback, and makes a bay through the REST API. There is no Nova and no Neutron: where
a template asks for servers and networks, Heat uses the stand-ins of tools/openstack/standins.py.
Everything lies in .state/quickstart. Run it again whenever you like: what runs is used; to have changed
code used, --down first."""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="tools/quickstart",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--driver",
        default="swarm_atomic_v1",
        metavar="NAME",
        help="the driver of the bay (default: swarm_atomic_v1); noop_v1 uses no cloud at all",
    )
    parser.add_argument(
        "--keep",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="leave everything running at the end (the default), or stop it",
    )
    parser.add_argument(
        "--port-offset",
        type=int,
        default=0,
        metavar="N",
        help="add N to every port (5100, 8100, 8104, 9611), if one of them is taken",
    )
    end = parser.add_mutually_exclusive_group()
    end.add_argument("--down", action="store_true", help="stop everything; keep the data")
    end.add_argument(
        "--clean",
        action="store_true",
        help="stop everything and remove .state/quickstart: data, logs, virtual environment",
    )
    options = parser.parse_args()
    if not 0 <= options.port_offset <= 50000:
        parser.error("--port-offset must be between 0 and 50000")
    return options


def main() -> int:
    """The command; returns its exit status."""
    options = arguments()
    place = Place(CHECKOUT)
    if options.down or options.clean:
        with exclusive(place.lock, BUSY):
            down(Processes(place.state))
        if options.clean:
            shutil.rmtree(place.state)
            print(f"removed {place.state}")
        return 0
    began = time.monotonic()
    venvs.check_python()
    _check_git(place.checkout)
    processes = Processes(place.state)
    check_ports(processes, Ports(options.port_offset))
    say = Progress(began=began)
    before = _stamp(place)
    venvs.of_checkout(place.checkout, say, place.venv, place.requirements)
    if _stamp(place) != before and processes.names():
        say("the environment has changed: stopping what runs")
        down(processes)
    return _hand_over(place, began)


def down(processes: Processes) -> None:
    """Stop every process of this quickstart: first what calls, then what is called."""
    stopped = processes.stop(API, CONDUCTOR, patience=30)  # the conductor finishes its step
    stopped += processes.stop(*processes.names())
    print(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")


def check_ports(processes: Processes, ports: Ports) -> None:
    """Raise ``Trouble`` when somebody else listens where one of our processes is to be started."""
    advice = (
        "stop it (another checkout's quickstart stops with its `tools/quickstart --down`), "
        "or take other ports with --port-offset"
    )
    for name, port in ports.by_process():
        if processes.pid(name) is None:
            require_free_port(port, name, advice)


def _stamp(place: Place) -> str | None:
    """What the environment was made from; None where there is none."""
    marker = place.venv / venvs.READY
    return marker.read_text() if marker.exists() else None


def _check_git(checkout: Path) -> None:
    """The package's version comes from git's history, so it cannot be installed without."""
    if shutil.which("git") is None:
        raise Trouble("git is needed and not on the PATH; install it.")
    command = ["git", "-C", str(checkout), "rev-parse", "--verify", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[:1]
        raise Trouble(
            f"{checkout} is not a usable git clone ({' '.join(reason)}); clone it with git."
        )


def _hand_over(place: Place, began: float) -> int:
    """Become ``quickstart_run.py`` in the virtual environment; never returns."""
    python = str(place.venv / "bin" / "python")
    variables = {**os.environ, BEGAN: str(began), "PYTHONPATH": str(place.checkout)}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    variables["PYTHONWARNINGS"] = "ignore"  # of other people's libraries
    sys.stdout.flush()
    command = [python, "-P", "-m", "tools.openstack.quickstart_run", *sys.argv[1:]]
    os.execve(python, command, variables)
