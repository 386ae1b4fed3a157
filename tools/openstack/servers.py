"""The servers under the cloud: a broker and a database server, used where they run, else started here.

What is started is a private instance with its data in the cloud's state folder, so that stopping and wiping it
touches nobody else's. Missing programs are installed from Debian's packages where that is allowed.
"""

import glob
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tools.openstack.console import Progress, Trouble
from tools.openstack.processes import LOOPBACK, Processes, Program, check, port_answers

RABBITMQ, MARIADB, POSTGRESQL, EPMD = "rabbitmq", "mariadb", "postgresql", "epmd"
NAMES = (RABBITMQ, MARIADB, POSTGRESQL, EPMD)  # in the order in which they may be stopped
_DEBIAN_PATHS = ("/usr/lib/rabbitmq/bin", "/usr/lib/postgresql/*/bin", "/usr/sbin", "/usr/bin")


@dataclass(frozen=True)
class Ground:
    """Where and how servers are started.

    :param data: folder under which each server keeps its data.
    :param suffix: what tells this cloud's instances from others on the machine.
    """

    data: Path
    suffix: str
    processes: Processes
    say: Progress


def ensure_rabbitmq(ground: Ground, url: str) -> None:
    """A RabbitMQ on the address of ``url`` (``amqp://...``)."""
    _ensure(ground, RABBITMQ, url, _start_rabbitmq, "--rabbitmq-url")


def ensure_mariadb(ground: Ground, url: str) -> None:
    """A MariaDB on the address of ``url`` (``mysql://...``)."""
    _ensure(ground, MARIADB, url, _start_mariadb, "--mysql-url")


def ensure_postgresql(ground: Ground, url: str) -> None:
    """A PostgreSQL on the address of ``url`` (``postgresql://...``)."""
    _ensure(ground, POSTGRESQL, url, _start_postgresql, "--postgresql-url")


def rabbitmqctl(ground: Ground, *arguments: str) -> bool:
    """Run ``rabbitmqctl`` on our instance, or on the machine's own; says whether that worked."""
    ours = ground.processes.pid(RABBITMQ) is not None
    name = shutil.which("rabbitmqctl") if not ours else _find("rabbitmqctl")
    if name is None:
        return False
    done = subprocess.run(
        [name, "-q", *(("-n", _node(ground)) if ours else ()), *arguments],
        env={**os.environ, **(_rabbitmq_environment(ground) if ours else {})},
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def _ensure(
    ground: Ground,
    name: str,
    url: str,
    start: Callable[[Ground, int], None],
    option: str,
) -> None:
    address = urlsplit(url)
    port = address.port
    if address.hostname is None or port is None:
        raise Trouble(
            f"{option} needs a host and a port, as in {option} {address.scheme}://root@127.0.0.1:1234."
        )
    if port_answers(port, address.hostname):
        return
    if address.hostname not in (LOOPBACK, "localhost"):
        raise Trouble(f"nothing answers on {address.hostname}:{port}; see {option}.")
    ground.say(f"starting {name} on port {port}")
    start(ground, port)
    ground.processes.wait_for_port(name, port)


def _start_mariadb(ground: Ground, port: int) -> None:
    server = _require(ground, "mariadbd", "mariadb-server", port)
    if server is None:
        return
    data = ground.data / MARIADB
    options = ["--no-defaults", f"--datadir={data}", f"--user={_me()}"]
    if not (data / "mysql").exists():
        data.mkdir(parents=True, exist_ok=True)
        install = _find("mariadb-install-db") or "mariadb-install-db"
        access = ["--auth-root-authentication-method=normal", "--skip-test-db"]
        check([install, *options, *access], ground.processes.log(MARIADB))
    command = (
        server,
        *options,
        f"--socket={data}/socket",
        f"--pid-file={data}/pid",
        f"--port={port}",
        f"--bind-address={LOOPBACK}",
        "--max-connections=500",
        "--skip-log-bin",
        "--innodb-flush-log-at-trx-commit=0",  # a power cut may cost a test cloud its last second
    )
    ground.processes.start(Program(MARIADB, command, port=port))


def _start_postgresql(ground: Ground, port: int) -> None:
    server = _require(ground, "postgres", "postgresql", port)
    if server is None:
        return
    data = postgresql_data(ground)
    become: tuple[str, ...] = ()
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        become = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups")
    if not (data / "PG_VERSION").exists():
        initdb = str(Path(server).with_name("initdb"))
        options = ("-D", str(data), "-U", "root", "-A", "trust", "-E", "UTF8", "--no-sync")
        check([*become, initdb, *options], ground.processes.log(POSTGRESQL))
    settings = {
        "listen_addresses": LOOPBACK,
        "unix_socket_directories": str(data),
        "max_connections": "400",
        "fsync": "off",
        "synchronous_commit": "off",
    }
    flags = tuple(f"--{name}={value}" for name, value in settings.items())
    command = (*become, server, "-D", str(data), "-p", str(port), *flags)
    ground.processes.start(Program(POSTGRESQL, command, port=port))


def postgresql_data(ground: Ground) -> Path:
    """Its data folder: in the state folder, except for root.

    Root's PostgreSQL runs as user ``postgres``, who often cannot enter the state folder.
    """
    if os.geteuid() != 0:
        return ground.data / POSTGRESQL
    return Path(f"/var/lib/postgresql/magnum-{ground.suffix}")


def _start_rabbitmq(ground: Ground, port: int) -> None:
    server = _require(ground, "rabbitmq-server", "rabbitmq-server", port)
    if server is None:
        return
    if not port_answers(4369):  # Erlang's port mapper; as a child of ours it goes when we go
        epmd = (_find("epmd") or "epmd", "-address", LOOPBACK)
        ground.processes.start(Program(EPMD, epmd, port=4369))
        ground.processes.wait_for_port(EPMD, 4369)
    home = _rabbitmq_environment(ground)
    # The machine's own configuration may name another address for its listener, and would win.
    settings = ground.data / RABBITMQ / "rabbitmq.conf"
    settings.write_text(f"listeners.tcp.default = {LOOPBACK}:{port}\n")
    environment = {
        **home,
        "RABBITMQ_CONFIG_FILE": str(settings),
        "RABBITMQ_NODENAME": _node(ground),
        "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(port + 20000),
        "RABBITMQ_MNESIA_BASE": str(ground.data / RABBITMQ / "data"),
        "RABBITMQ_LOG_BASE": str(ground.data / RABBITMQ / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(ground.data / RABBITMQ / "plugins"),
    }
    ground.processes.start(Program(RABBITMQ, (server,), environment, port))


def _rabbitmq_environment(ground: Ground) -> dict[str, str]:
    home = ground.data / RABBITMQ
    home.mkdir(parents=True, exist_ok=True)
    return {"HOME": str(home), "RABBITMQ_CONF_ENV_FILE": "/dev/null"}


def _node(ground: Ground) -> str:
    return f"magnum-{ground.suffix}@localhost"


def _require(ground: Ground, program: str, package: str, port: int) -> str | None:
    """Path of a server's program, installed if need be; None when installing also started it."""
    found = _find(program)
    if found is None:
        _install(ground, package)
        if port_answers(port):
            return None
        found = _find(program)
    if found is None:
        raise Trouble(f"the package {package} was installed, but {program} is not there.")
    return found


def _install(ground: Ground, package: str) -> None:
    if not Path("/etc/debian_version").exists() or os.geteuid() != 0:
        raise Trouble(
            f"{package} is neither running nor installed; install it with your package manager "
            f"(on Debian and Ubuntu: `sudo apt-get install {package}`) and run this again."
        )
    ground.say(f"installing the Debian package {package}")
    log = ground.processes.log("apt-get")
    quiet = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # 1: do not start services
    check(["apt-get", "update", "-q"], log, quiet)
    check(["apt-get", "install", "-q", "-y", "--no-install-recommends", package], log, quiet)


def _find(program: str) -> str | None:
    """A program in Debian's places for it, then on PATH.

    Debian's wrappers on PATH insist on the system's own instance (rabbitmq-server) or are not there (postgres).
    """
    for folder in _DEBIAN_PATHS:
        for path in sorted(glob.glob(f"{folder}/{program}"), reverse=True):
            return path
    return shutil.which(program)


def _me() -> str:
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name
