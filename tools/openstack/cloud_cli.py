"""The command line of ``tools/cloud``: options, the right Python, and what is printed.

Runs twice: first in any Python, where it makes sure of the services' environment, then in that environment.
"""

import argparse
import os
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.openstack import choices, config, people, venvs
from tools.openstack.choices import AUTH_URL, Choices
from tools.openstack.console import Progress, Trouble, run
from tools.openstack.processes import exclusive

if TYPE_CHECKING:
    from tools.openstack.cloud import Row

CHECKOUT = Path(__file__).resolve().parent.parent.parent
REQUIREMENTS = CHECKOUT / "tools" / "openstack" / "cloud.txt"

ABOUT = """\
A whole OpenStack on this machine, with this checkout's Magnum in it: RabbitMQ, MariaDB (or PostgreSQL),
Keystone, Heat, Placement, Nova (fake virt driver), Neutron (no agents), Glance. Real services from
published packages; only the machines are fake, and a process named fake-nodes reports in their name. With
--nodes (root on Debian) every server is a container that boots its user data: see tools/nodes --help.

Users: admin, demo, other, reader.          Ports on 127.0.0.1: keystone 5000, heat 8004, heat-cfn 8000,
Flavors: m1.tiny, m1.small, m1.medium.      nova 8774, placement 8778, glance 9292, neutron 9696,
Images: fedora-atomic, fedora, coreos,      cinder 8776, barbican 9311, octavia 9876, magnum 9511.
fedora-coreos, ubuntu, centos.              Two clouds cannot run at the same time.
External network: public.
Keypair of demo: demo-key.
"""

EXAMPLES = """\
  tools/cloud up                            the first time some minutes, later well under a minute
  . <(tools/cloud openrc demo)              then: openstack coe ..., heat ..., the functional tests
  tools/cloud restart magnum                after a change of code
  tools/cloud down                          everything stops, data stays
"""


def main() -> None:
    """Run the command that ``sys.argv`` names."""
    run(lambda: _main(sys.argv[1:]))


def _main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    venvs.check_python()
    state = Path(options.state).resolve()
    known = choices.load(state)
    if options.command != "up" and known is None:
        raise Trouble(
            f"there is no cloud in {state}; `tools/cloud up` makes one (--state DIR names another)."
        )
    if options.command == "openrc":
        return _openrc(state, options.user)
    say = Progress(quiet=options.command == "status")
    _enter_environment(say)
    chosen = (known or Choices()).changed_by(_given(options))
    from tools.openstack.cloud import Cloud  # importable only now

    cloud = Cloud(state, CHECKOUT, Path(sys.prefix), chosen, say)
    if options.command == "status":
        return _print_status(cloud.status())
    with exclusive(state / "lock", f"another tools/cloud works on {state}; wait for it."):
        if options.command == "up":
            cloud.up()
            say("`tools/cloud openrc demo` prints the environment of user demo")
        elif options.command == "restart":
            cloud.restart(options.name)
        else:
            cloud.down(options.wipe)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/cloud",
        description=ABOUT,
        epilog="examples:\n" + EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--state",
        metavar="DIR",
        default=str(CHECKOUT / ".state" / "cloud"),
        help="folder with everything this cloud keeps (default: .state/cloud in the checkout)",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, about: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=about, description=about, parents=[common])

    up = command("up", "start everything that does not run; may be repeated")
    _add_up_options(up)
    down = command("down", "stop what was started here")
    down.add_argument("--wipe", action="store_true", help="also drop databases and state folder")
    command("status", "show processes, ports, and whether they answer")
    openrc = command("openrc", "print the environment of a user, to be sourced")
    users = "; ".join(f"{person.name} ({person.about})" for person in people.PEOPLE)
    openrc.add_argument("user", metavar="USER", help=users)
    restart = command("restart", "restart Magnum with the code as it is now")
    restart.add_argument(
        "name", nargs="?", default="magnum", help="magnum (default), or a process that status shows"
    )
    return parser


def _add_up_options(up: argparse.ArgumentParser) -> None:
    up.epilog = "Options are remembered: later calls need not repeat them."
    up.add_argument(
        "--db",
        choices=(choices.MYSQL, choices.POSTGRESQL),
        help="database of our own service (default: mysql, which MariaDB is); the OpenStack services are "
        "always on MariaDB, because Neutron's migrations run nowhere else",
    )
    up.add_argument(
        "--with",
        dest="extras",
        metavar="NAMES",
        type=_extras,
        help="optional services: cinder, barbican, octavia, joined with commas; what was added once "
        "stays until `down --wipe`",
    )
    _add_switch(up, "fast", "--fast", "--stock", "Heat's engine with short pauses, or as published")
    _add_switch(up, "magnum", "--with-magnum", "--without-magnum", "run our own service, or not")
    _add_switch(
        up,
        "broker",
        "--with-broker",
        "--without-broker",
        "tell our own service of RabbitMQ, or not",
    )
    machines = up.add_mutually_exclusive_group()
    machines.add_argument(
        "--fake-nodes",
        dest="nodes",
        action="store_false",
        default=None,
        help="(default) nothing boots; reports are sent in the servers' names",
    )
    machines.add_argument(
        "--nodes",
        action="store_true",
        help="boot a real node for each server; the catalogue then names 10.77.0.1, where nodes reach it",
    )
    default = Choices()
    servers = up.add_argument_group(
        "servers",
        "Used where they answer; on this machine, started (and installed) where they do not.",
    )
    servers.add_argument("--rabbitmq-url", metavar="URL", help=f"default: {default.rabbitmq_url}")
    for name in ("mysql", "postgresql"):
        url = getattr(default, f"{name}_url")
        servers.add_argument(
            f"--{name}-url", metavar="URL", help=f"with an administrator; default: {url}"
        )


def _add_switch(up: argparse.ArgumentParser, name: str, yes: str, no: str, about: str) -> None:
    """Two options that exclude each other; the first is what a new cloud has."""
    pair = up.add_mutually_exclusive_group()
    pair.add_argument(yes, dest=name, action="store_true", default=None, help=f"(default) {about}")
    pair.add_argument(no, dest=name, action="store_false", help=f"see {yes}")


def _extras(text: str) -> tuple[str, ...]:
    names = {name.strip() for name in text.split(",") if name.strip()}
    unknown = names.difference(choices.OPTIONAL)
    if unknown:
        raise argparse.ArgumentTypeError(
            f"{', '.join(sorted(unknown))}: only {', '.join(choices.OPTIONAL)} can be added"
        )
    return tuple(name for name in choices.OPTIONAL if name in names)


def _given(options: argparse.Namespace) -> dict[str, Any]:
    """The options of ``up`` in the words of ``Choices``; None = not given."""
    return {field.name: getattr(options, field.name, None) for field in fields(Choices)}


def _enter_environment(say: Progress) -> None:
    """Go on in the Python of the services' environment, which is made first if need be."""
    venv = venvs.cached(REQUIREMENTS, say)
    if Path(sys.prefix).resolve() != venv.resolve():
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        python = str(venv / "bin" / "python")
        os.execv(python, [python, "-P", "-m", "tools.openstack.cloud_cli", *sys.argv[1:]])


def _openrc(state: Path, user: str) -> int:
    who = people.person(user)
    password = config.Passwords(state / "passwords.json")[who.name]
    text = config.openrc(
        auth_url=AUTH_URL, username=who.name, password=password, project=who.project
    )
    print(text, end="")
    return 0


def _print_status(rows: "list[Row]") -> int:
    print(f"{'process':20} {'pid':>8} {'port':>6}  state")
    for row in rows:
        state = "does not run" if row.pid is None else "runs"
        if row.pid is not None and row.port is not None:
            state = f"answers {row.answer}" if row.answer else "does not answer"
        print(f"{row.name:20} {row.pid or '-':>8} {row.port or '-':>6}  {state}")
    return 0 if all(row.well for row in rows) else 1


if __name__ == "__main__":
    main()
