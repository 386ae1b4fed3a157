"""Horizon with the panels of magnum-ui: its environment, its static files and its server."""

import contextlib
import secrets
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from magnum.tests.functional.clients import environments
from magnum.tests.functional.cloud import client
from tools.node_run import debian
from tools.openstack.console import Progress
from tools.openstack.processes import Processes, Program, check

HERE = Path(__file__).parent
CHECKOUT = Path(__file__).parents[5]

#: The package in which everything lies that runs in Horizon's environment.
PACKAGE = __package__

_SERVER = "horizon"


@dataclass(frozen=True)
class Dashboard:
    """Horizon, ready to be served.

    :param venv: its environment, in which the panels are enabled.
    :param static: the folder of its static files, collected and compressed.
    """

    venv: Path
    static: Path

    @property
    def python(self) -> Path:
        """The interpreter of the environment."""
        return self.venv / "bin" / "python"

    def variables(self, region: str) -> dict[str, str]:
        """What its settings (``local/local_settings.py``) read, for users of one region."""
        return _variables(self.static, region)


def made() -> Dashboard:
    """Horizon from the package index, once for all checkouts: its static files take a minute."""
    venv = environments.venv("horizon")
    settings = (HERE / "local" / "local_settings.py").read_bytes()
    static = venv / f"static-{debian.fingerprint(settings)}"
    with debian.making(static, "Horizon's static files", Progress(quiet=True)) as draft:
        if draft is not None:
            _enable_panels(venv)
            for command in (("collectstatic", "--noinput"), ("compress", "--force")):
                django = [str(venv / "bin" / "python"), "-m", "django", *command]
                check(django, venv / "static.log", _variables(draft, ""))
    return Dashboard(venv, static)


@contextlib.contextmanager
def served(dashboard: Dashboard, region: str, folder: Path) -> Iterator[str]:
    """Serve it on loopback; gives the address. One process with threads, as the settings want it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    address = f"127.0.0.1:{port}"
    gunicorn = [str(dashboard.venv / "bin" / "gunicorn"), "--bind", address]
    gunicorn += ["--worker-class", "gthread", "--threads", "8", "--timeout", "300"]
    gunicorn += ["--no-control-socket", f"{PACKAGE}.wsgi:application"]
    processes = Processes(folder)
    try:
        processes.start(Program(_SERVER, tuple(gunicorn), dashboard.variables(region), port))
        processes.wait_for_http(_SERVER, f"http://{address}/auth/login/", timeout=300)
        yield f"http://{address}"
    finally:
        processes.stop(_SERVER)


def _enable_panels(venv: Path) -> None:
    """What magnum-ui's documentation asks an operator to do: copy its ``enabled`` files to Horizon's."""
    (packages,) = venv.glob("lib/python3.*/site-packages")
    for file in (packages / "magnum_ui" / "enabled").glob("_[0-9]*.py"):
        shutil.copy(file, packages / "openstack_dashboard" / "local" / "enabled")


def _variables(static: Path, region: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "openstack_dashboard.settings",
        "HORIZON_KEYSTONE": client.AUTH_URL,
        "HORIZON_REGION": region,
        "HORIZON_SECRET": secrets.token_hex(),
        "HORIZON_STATIC": str(static),
        "PYTHONPATH": f"{HERE}:{CHECKOUT}",
    }
