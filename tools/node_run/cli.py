"""The command line of ``tools/nodes``."""

import argparse
import ipaddress
import os
import subprocess
import sys
import time
from pathlib import Path

from tools.node_run import image, kubernetes, places, plan, probe
from tools.node_run.host import host
from tools.node_run.node import Node, Nodes
from tools.node_run.plan import Interface, Spec
from tools.openstack import venvs
from tools.openstack.console import Progress, Trouble, run

ABOUT = """\
Real cluster nodes on this machine: systemd-nspawn containers with systemd, cloud-init and docker that boot from
user data as a server of Nova does, in network namespaces of their own. Needs root, a Debian and no internet.

Nodes find the host at 10.77.0.1. All checkouts on a machine share the nodes and the cache (~/.cache/magnum/nodes).
"""

EXAMPLES = """\
  tools/nodes image --kubernetes                      everything that takes long, once (6 to 15 minutes)
  tools/nodes boot n1 --user-data f --address 10.0.0.5 --wait
  tools/nodes sh n1                                   a shell in it
  tools/nodes sh n1 -- docker info                    one command
  tools/nodes console n1 --cloud-init                 what its user data printed
  tools/nodes kill n1                                 gone, with its disk
  tools/nodes down                                    all nodes, networks and traces of them
"""
BOOT_PATIENCE = 300


def main() -> None:
    """Run the command that ``sys.argv`` names."""
    run(lambda: _main(sys.argv[1:]))


def _main(arguments: list[str]) -> int:
    os.umask(0o022)
    command: list[str] = []
    if "--" in arguments:
        cut = arguments.index("--")
        arguments, command = arguments[:cut], arguments[cut + 1 :]
    options = _parser().parse_args(arguments)
    options.words = command
    venvs.check_python()
    status: int = options.work(options)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/nodes",
        description=ABOUT,
        epilog="examples:\n" + EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--state",
        metavar="DIR",
        help=f"folder of the running nodes (default: {places.STATE}, or MAGNUM_NODES_STATE)",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, about: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=about, description=about, parents=[common])
        made.set_defaults(work=globals()[f"_{name}"])
        return made

    command("check", "say what this machine lacks to boot nodes; status 1 if anything")
    built = command("image", "make the tree that nodes boot from, where it is missing")
    built.add_argument(
        "--kubernetes", action="store_true", help="with Kubernetes, built from source"
    )
    _add_boot(command("boot", "boot a node; one of that name that is there is replaced"))
    command("list", "show nodes and their addresses")
    shell = command("sh", "run a command in a node (behind --), or a shell")
    shell.add_argument("node", metavar="NODE", help="name, id, its beginning, or an address")
    killed = command("kill", "end nodes at once, and remove their disks")
    killed.add_argument("nodes", metavar="NODE", nargs="+")
    again = command("reboot", "shut a node down and boot it again, with the disk it has")
    again.add_argument("node", metavar="NODE")
    told = command("console", "show what a node printed")
    told.add_argument("node", metavar="NODE")
    told.add_argument(
        "--cloud-init", action="store_true", help="what its user data printed instead"
    )
    down = command("down", "end all nodes that were booted here and remove every trace of them")
    some = down.add_mutually_exclusive_group()
    some.add_argument("--network", metavar="NAME", help="only one network, with its nodes")
    some.add_argument("--all", action="store_true", help="the nodes of the cloud's servers too")
    command("follow", "boot a node for every server of the cloud in OS_*, until told to end")
    return parser


def _add_boot(boot: argparse.ArgumentParser) -> None:
    boot.add_argument("name", metavar="NAME")
    boot.add_argument(
        "--user-data", metavar="FILE", required=True, help="as Nova gets it; - = none"
    )
    boot.add_argument(
        "--address",
        metavar="IP",
        required=True,
        help="in 10.0.0.0/24 style if it says no more: IP/24",
    )
    boot.add_argument("--gateway", metavar="IP", help="default: the subnet's first address")
    boot.add_argument("--floating", metavar="IP", help="an address outside, such as 172.24.4.200")
    boot.add_argument(
        "--network",
        metavar="NAME",
        default=plan.STANDALONE,
        help=f"nodes of one network see each other (default: {plan.STANDALONE})",
    )
    boot.add_argument("--mtu", type=int, default=plan.MTU)
    boot.add_argument(
        "--wait",
        metavar="SECONDS",
        nargs="?",
        type=float,
        const=BOOT_PATIENCE,
        help=f"wait until cloud-init is done (at most {BOOT_PATIENCE} s); status 1 if it failed",
    )


def _check(options: argparse.Namespace) -> int:
    reasons = probe.missing(places.places(options.state))
    for reason in reasons:
        print(reason)
    if not reasons:
        print("this machine can boot nodes")
    return 1 if reasons else 0


def _image(options: argparse.Namespace) -> int:
    say = Progress()
    made = image.image(say, with_kubernetes=options.kubernetes or None)
    if options.kubernetes:
        say(f"Kubernetes {kubernetes.VERSION} lies in {kubernetes.folder() / 'bin'}")
    say(f"the nodes' image is there: {', '.join(map(str, made.layers))}")
    return 0


def _boot(options: argparse.Namespace) -> int:
    say = Progress()
    nodes = _nodes(options, say)
    text = b"" if options.user_data == "-" else Path(options.user_data).read_bytes()
    address = options.address if "/" in options.address else f"{options.address}/24"
    length = ipaddress.IPv4Interface(address).network.prefixlen
    gateway = f"{options.gateway}/{length}" if options.gateway else plan.first_host(address)
    network = nodes.fabric.ensure(options.network, (gateway,), options.mtu, routed=True)
    if options.floating:
        bare = address.partition("/")[0]
        nodes.fabric.translate(options.network, {**network.floating, options.floating: bare})
    card = Interface(options.network, address, gateway.partition("/")[0], mtu=options.mtu)
    node = nodes.boot(Spec(options.name, plan.hostname(options.name), text, (card,)))
    say(f"{options.name} boots")
    return 0 if options.wait is None else _wait(nodes, node, options.wait, say)


def _wait(nodes: Nodes, node: Node, patience: float, say: Progress) -> int:
    """Wait for cloud-init's end; what it printed is shown when it failed."""
    deadline = time.monotonic() + patience
    with say.waiting("cloud-init is at work"):
        status = nodes.settled(node, deadline)
    if status == "done":
        say(f"{node.spec.name}: cloud-init is done")
        return 0
    say(f"{node.spec.name}: cloud-init says {status}; the end of what it printed:")
    print(_cloud_init(nodes, node))
    return 1


def _list(options: argparse.Namespace) -> int:
    nodes = _nodes(options)
    networks = nodes.fabric.networks()
    print(f"{'name':30} {'state':8} {'address':16} {'floating':16} {'network':12} key")
    for key, node in nodes.all().items():
        for card in node.spec.interfaces:
            there = networks.get(card.network)
            outer = (
                [out for out, fixed in there.floating.items() if fixed == card.ip] if there else []
            )
            state = "runs" if node.runs else "is off"
            row = f"{node.spec.name:30} {state:8} {card.ip:16} {(outer or ['-'])[0]:16}"
            print(f"{row} {card.network[:12]:12} {key}")
    return 0


def _sh(options: argparse.Namespace) -> int:
    nodes = _nodes(options)
    words = nodes.shell(nodes.find(options.node), options.words or ["bash", "-l"])
    return subprocess.run(words, check=False).returncode


def _kill(options: argparse.Namespace) -> int:
    nodes = _nodes(options)
    for name in options.nodes:
        nodes.remove(nodes.find(name).spec.key)
    return 0


def _reboot(options: argparse.Namespace) -> int:
    nodes = _nodes(options, Progress())
    nodes.reboot(nodes.find(options.node).spec)
    return 0


def _console(options: argparse.Namespace) -> int:
    nodes = _nodes(options)
    node = nodes.find(options.node)
    print(_cloud_init(nodes, node) if options.cloud_init else nodes.console(node.spec.key, 10000))
    return 0


def _cloud_init(nodes: Nodes, node: Node) -> str:
    return nodes.call(node, "cat", "/var/log/cloud-init-output.log").stdout


def _down(options: argparse.Namespace) -> int:
    say = Progress()
    nodes = _nodes(options)
    whose = None if options.all or options.network else ""
    ended = nodes.down(options.network, owner=whose)
    say(f"{ended} nodes are gone")
    for who in nodes.fabric.held():
        say(f"the host keeps its bridge for: {who}")
    return 0


def _follow(options: argparse.Namespace) -> int:
    requirements = places.CHECKOUT / "tools/openstack/cloud.txt"
    python = venvs.cached(requirements, Progress()) / "bin" / "python"
    if options.state:
        os.environ[places.VARIABLE] = options.state
    os.execv(python, [str(python), "-P", "-m", "tools.node_run.follow"])


def _nodes(options: argparse.Namespace, say: Progress | None = None) -> Nodes:
    """The nodes; able to boot one when there is somebody to tell how far that is."""
    where = places.places(options.state)
    if say is None:
        return Nodes(where, host(quiet=True))
    reasons = probe.missing(where)
    if reasons:
        raise Trouble(f"this machine cannot boot nodes: {'; '.join(reasons)}.")
    return Nodes(where, host(), lambda: image.image(say))


if __name__ == "__main__":
    main()
