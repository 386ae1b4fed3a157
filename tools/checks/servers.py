"""The servers that functional tests need: PostgreSQL, MariaDB and RabbitMQ.

A server that is there is used as it is and never stopped. Where none lets us in, one of our own is started
for this run, as an unprivileged user where that is possible, with its data in a temporary folder; it needs
neither systemd nor a configured machine. Where even the programs are missing, they are installed if we are
root on a Debian.
"""

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.checks import environment
from tools.openstack.console import Progress, Trouble
from tools.openstack.processes import Processes, Program, check

LOOPBACK = "127.0.0.1"
NO_INSTALL = "MAGNUM_TEST_NO_INSTALL"


@dataclass(frozen=True)
class Kind:
    """One kind of server.

    :param name: for people.
    :param variable: environment variable that names a server of this kind, for the tests and for us.
    :param urls: where to look when that variable is not set.
    :param package: the Debian package.
    :param port: the port it likes best.
    :param program: finds the server's program, or None.
    :param start: starts a server of our own: processes, folder for data, port, program; returns its URL.
    """

    name: str
    variable: str
    urls: tuple[str, ...]
    package: str
    port: int
    program: Callable[[], str | None]
    start: Callable[[Processes, Path, int, str], str]


@dataclass(frozen=True)
class Servers:
    """What was found or started: variables for the tests, and what is missing with the reason."""

    variables: dict[str, str]
    missing: dict[str, str]


@contextmanager
def running(
    kinds: tuple[Kind, ...], python: Path, checkout: Path, say: Progress, state: Path
) -> Iterator[Servers]:
    """Have one server of each kind; those that were started for it are gone afterwards.

    :param python: interpreter of the environment of the checks; it has the database drivers.
    :param state: folder for logs and for what has to be stopped later.
    :raises Trouble: when a server that a variable names does not let us in.
    """
    variables: dict[str, str] = {}
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        for kind in kinds:
            url = _existing(kind, python, checkout)
            if url is None and kind.program() is None:
                _install(kind, state / "log" / "apt.log", say)
                url = _existing(kind, python, checkout)  # the package may have started one
            if url is not None:
                say(f"{kind.name}: using {url}")
            elif kind.program() is None:
                missing[kind.name] = _advice(kind)
            else:
                say(f"{kind.name}: starting one for this run")
                url = stack.enter_context(_own(kind, state, python, checkout))
                say(f"{kind.name}: using {url}")
            if url is not None:
                variables[kind.variable] = url
        yield Servers(variables, missing)


def _existing(kind: Kind, python: Path, checkout: Path) -> str | None:
    """URL of a server that is there and lets us in."""
    named = os.environ.get(kind.variable)
    urls = [named] if named else list(kind.urls)
    url, reason = _probe(python, checkout, urls)
    if url is None and named:
        raise Trouble(
            f"{kind.variable} names a {kind.name} that does not let us in ({reason}); correct it, or "
            "unset it to have one started."
        )
    return url


def _probe(python: Path, checkout: Path, urls: list[str]) -> tuple[str | None, str]:
    answer = subprocess.run(
        [str(python), "-m", "tools.checks.probe", *urls],
        cwd=checkout,
        env=environment.of_tools(python),
        capture_output=True,
        text=True,
        check=False,
    )
    return (answer.stdout.strip() or None), answer.stderr.strip()


def _install(kind: Kind, log: Path, say: Progress) -> None:
    """Install the server's package, if this is a machine on which we may."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None or os.environ.get(NO_INSTALL):
        return
    say(f"{kind.name}: installing the package {kind.package}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    options = ("-q", "-y", "-o", "DPkg::Lock::Timeout=300")
    check(("apt-get", "update", *options), log, quiet)
    check(("apt-get", "install", *options, "--no-install-recommends", kind.package), log, quiet)


def _advice(kind: Kind) -> str:
    return f"no {kind.name} on this machine; install {kind.package}, or name a server in {kind.variable}"


@contextmanager
def _own(kind: Kind, state: Path, python: Path, checkout: Path) -> Iterator[str]:
    """Run a server of our own: a fresh one, gone with its data afterwards."""
    program = kind.program()
    assert program is not None
    processes = Processes(state)
    _stop(processes, kind)  # left behind by a run that was killed
    # Not below the checkout: another user must be able to reach it, and a socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="magnum-test-"))
    folder.chmod(0o755)
    try:
        url = kind.start(processes, folder, _port(kind.port), program)
        refused = _probe(python, checkout, [url])[1]
        if refused:
            raise Trouble(f"the {kind.name} started for this run does not let us in: {refused}")
        yield url
    finally:
        _stop(processes, kind)
        shutil.rmtree(folder, ignore_errors=True)


def _stop(processes: Processes, kind: Kind) -> None:
    names = [name for name in processes.names() if name.startswith(kind.package)]
    processes.stop(*names, patience=30.0)


def _port(wanted: int) -> int:
    """The wanted loopback port, or any free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Trouble("no free port on the loopback interface; stop some programs and run this again.")


def _as_user(name: str, folder: Path) -> tuple[str, ...]:
    """Words to put before a command so that it does not run as root, and hand it the folder."""
    if os.geteuid() != 0:
        return ()
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--")


def _find(*names: str) -> str | None:
    """The first of these programs: a name on the PATH or in sbin, or a pattern of paths."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    for name in names:
        found = sorted(glob.glob(name))[-1:] if "/" in name else [shutil.which(name, path=path)]
        if found and found[0]:
            return found[0]
    return None


# --- PostgreSQL ---------------------------------------------------------------------------------------


def _start_postgresql(processes: Processes, folder: Path, port: int, program: str) -> str:
    user = _as_user("postgres", folder)
    data = str(folder / "data")
    initdb = str(Path(program).with_name("initdb"))
    log = processes.log("postgresql")
    check((*user, initdb, "-D", data, "-U", "root", "-A", "trust", "-E", "UTF8", "--no-sync"), log)
    # A crash may lose everything: it is gone after the tests anyway.
    fast = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
    where = (
        "-D",
        data,
        "-h",
        LOOPBACK,
        "-p",
        str(port),
        "-k",
        str(folder),
        "-c",
        "max_connections=200",
    )
    processes.start(Program("postgresql", (*user, program, *where, *fast), port=port))
    processes.wait_for_port("postgresql", port)
    return f"postgresql+psycopg2://root@{LOOPBACK}:{port}/postgres"


# --- MariaDB ------------------------------------------------------------------------------------------


def _start_mariadb(processes: Processes, folder: Path, port: int, program: str) -> str:
    user = _as_user("mysql", folder)
    data = folder / "data"
    install = _find("mariadb-install-db", "mysql_install_db")
    if install is None:
        raise Trouble(
            "mariadb-install-db is missing beside mariadbd; install the package mariadb-server."
        )
    log = processes.log("mariadb-server")
    normal = ("--auth-root-authentication-method=normal", "--skip-test-db")
    check((*user, install, "--no-defaults", f"--datadir={data}", *normal), log)
    where = (
        f"--datadir={data}",
        f"--socket={folder / 'socket'}",
        f"--pid-file={folder / 'pid'}",
        f"--bind-address={LOOPBACK}",
        f"--port={port}",
    )
    fast = ("--innodb-flush-log-at-trx-commit=0", "--max-connections=500")
    command = (*user, program, "--no-defaults", *where, *fast)
    processes.start(Program("mariadb-server", command, port=port))
    processes.wait_for_port("mariadb-server", port)
    return f"mysql+pymysql://root@{LOOPBACK}:{port}/?charset=utf8mb4"


# --- RabbitMQ -----------------------------------------------------------------------------------------


def _start_rabbit(processes: Processes, folder: Path, port: int, program: str) -> str:
    user = _as_user("rabbitmq", folder)
    mapper = _find("epmd", "/usr/lib/erlang/erts-*/bin/epmd")
    if mapper is None:
        raise Trouble("epmd is missing beside rabbitmq-server; install the package erlang-base.")
    # Without a port mapper the node starts one that outlives it, and is not ours to stop.
    mapper_port = _port(0)
    where = ("-address", LOOPBACK, "-port", str(mapper_port))
    processes.start(Program("rabbitmq-server-epmd", (*user, mapper, *where), {}, mapper_port))
    processes.wait_for_port("rabbitmq-server-epmd", mapper_port)
    (settings := folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.default = {LOOPBACK}:{port}\n"
    )
    (plugins := folder / "plugins").write_text("[].\n")
    variables = {
        "HOME": str(folder),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "ERL_EPMD_PORT": str(mapper_port),
        "RABBITMQ_NODENAME": f"magnum-test-{port}@localhost",
        "RABBITMQ_DIST_PORT": str(_port(0)),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        # Not those of the machine:
        "RABBITMQ_CONFIG_FILE": str(settings),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
    }
    processes.start(Program("rabbitmq-server", (*user, program), variables, port))
    processes.wait_for_port("rabbitmq-server", port, timeout=90.0)
    return f"rabbit://guest:guest@{LOOPBACK}:{port}/"


POSTGRESQL = Kind(
    "PostgreSQL",
    "MAGNUM_TEST_POSTGRESQL",
    (
        f"postgresql+psycopg2://root@{LOOPBACK}:5432/postgres",
        f"postgresql+psycopg2://postgres@{LOOPBACK}:5432/postgres",
    ),
    "postgresql",
    5432,
    lambda: _find("/usr/lib/postgresql/*/bin/postgres", "postgres"),
    _start_postgresql,
)
MARIADB = Kind(
    "MariaDB",
    "MAGNUM_TEST_MYSQL",
    (f"mysql+pymysql://root@{LOOPBACK}:3306/?charset=utf8mb4",),
    "mariadb-server",
    3306,
    lambda: _find("mariadbd"),
    _start_mariadb,
)
RABBITMQ = Kind(
    "RabbitMQ",
    "MAGNUM_TEST_RABBIT",
    (f"rabbit://guest:guest@{LOOPBACK}:5672/",),
    "rabbitmq-server",
    5672,
    # Debian's wrapper changes the user and the environment by itself; the program behind it does not.
    lambda: _find("/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server"),
    _start_rabbit,
)
ALL = (POSTGRESQL, MARIADB, RABBITMQ)
