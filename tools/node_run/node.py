"""One node: its disk, its processes, its end.

A node is a systemd-nspawn container that boots systemd on an overlay of the image and a folder of its own. docker,
containerd, kubelet and etcd get folders of the real file system, because an overlay cannot lie on an overlay. What is
known of a node stands in ``node.json`` in its folder, so every command can find it, whoever booted it.
"""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.node_run import cgroups, plan, seed
from tools.node_run.debian import alone
from tools.node_run.fabric import Fabric
from tools.node_run.host import Host
from tools.node_run.image import Image
from tools.node_run.living import Process, first_of_node, living, told
from tools.node_run.places import Places
from tools.node_run.plan import Present, Spec
from tools.openstack.console import Trouble
from tools.openstack.processes import child_environment

_OWN_FOLDERS = ("docker", "containerd", "kubelet", "etcd")  # in /var/lib, not on the overlay
_POWER_OFF = signal.SIGRTMIN + 4  # what systemd takes for `poweroff`
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "TERM": os.environ.get("TERM", "dumb"),
}
_NSPAWN = {
    # kubelet 1.20 loses pods where cgroup v1 and v2 are mixed.
    "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "0",
    # The node may change what belongs to its network namespace, and nothing else of the kernel.
    "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network",
    "SYSTEMD_SECCOMP": "0",
}
# $1: folder of the node, $2: lower layers, then one control group each, then --, then the command.
_START = """\
folder=$1 layers=$2; shift 2
echo $$ > "$folder/supervisor.new" && mv "$folder/supervisor.new" "$folder/supervisor" || exit 1
while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 1; shift; done
shift
mount -t overlay overlay -o "lowerdir=$layers,upperdir=$folder/disk,workdir=$folder/work" "$folder/root" || exit 1
exec "$@"
"""


@dataclass(frozen=True)
class Node:
    """A node as it is noted.

    :param init: its systemd, as the host sees it.
    :param supervisor: the systemd-nspawn that it runs under.
    :param booted: when, in seconds since the epoch.
    """

    spec: Spec
    init: Process | None = None
    supervisor: Process | None = None
    booted: float = 0.0
    cgroups: tuple[str, ...] = field(default=())

    @property
    def runs(self) -> bool:
        """Whether its systemd lives."""
        return self.init is not None and self.init.lives

    @property
    def present(self) -> Present:
        """What a plan has to know of it."""
        return Present(self.spec.root, self.spec.run, self.runs)


class Nodes:
    """All nodes in one state folder.

    :param image: says what disks are made of; only booting needs it.
    """

    def __init__(
        self, places: Places, host: Host, image: Callable[[], Image] | None = None
    ) -> None:
        self.places = places
        self.fabric = Fabric(places.networks, host)
        self._host = host
        self._image = image

    # Looking.

    def all(self) -> dict[str, Node]:
        """The nodes that are there, running or not, by key."""
        found = {}
        for file in sorted(self.places.nodes.glob("*/node.json")):
            node = _read(file)
            if node is not None:
                found[node.spec.key] = node
        return found

    def find(self, what: str) -> Node:
        """The node of a key, a name, the beginning of a key, or an address (fixed or floating).

        :raises Trouble: when it is none, or several.
        """
        known = self.all()
        if what in known:
            return known[what]
        networks = self.fabric.networks()
        fixed = {(key, net.floating[what]) for key, net in networks.items() if what in net.floating}
        found = [
            node
            for node in known.values()
            if what == node.spec.name
            or node.spec.key.startswith(what)
            or any(
                what == card.ip or (card.network, card.ip) in fixed for card in node.spec.interfaces
            )
        ]
        if len(found) == 1:
            return found[0]
        if found:
            keys = ", ".join(node.spec.key for node in found)
            raise Trouble(f"{what} may be any of {keys}; name one of these.")
        raise Trouble(f"there is no node {what}; `tools/nodes list` shows those that are there.")

    # Booting.

    def boot(self, spec: Spec) -> Node:
        """Boot a node with a fresh disk; one of that key that is there is removed first.

        :raises Trouble: when it does not come up, with the end of its console.
        """
        with self._alone(spec.key):
            self._remove(spec.key)
            folder = self._folder(spec.key)
            for name in ("disk", "work", "root", *_OWN_FOLDERS):
                (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / "disk").chmod(0o755)
            seed.write(folder / "disk", spec)
            try:
                return self._start(spec)
            except Trouble:
                self._remove(spec.key)
                raise

    def reboot(self, spec: Spec, patience: float = 10.0) -> Node:
        """Boot it again with the disk it has. It gets ``patience`` seconds to shut down by itself.

        :raises Trouble: as ``boot`` does, and when there is no such node.
        """
        with self._alone(spec.key):
            self._halt(self._known(spec.key), patience)
            return self._start(spec)

    def _start(self, spec: Spec) -> Node:
        if self._image is None:
            raise Trouble("there is no image to boot from; `tools/nodes image` makes one.")
        folder = self._folder(spec.key)
        namespace = self.fabric.plug(spec.key, spec.interfaces)
        try:
            groups = cgroups.make(f"magnum-{plan.short(spec.key)}")
        except OSError as error:
            raise Trouble(f"no control group for {spec.name}: {error}.") from error
        node = Node(spec, cgroups=tuple(map(str, groups)))
        _write(folder / "node.json", node)
        layers = ":".join(map(str, self._image().layers))
        # --fork: it is nobody's child, for it outlives whoever boots it.
        command = ["setsid", "--fork", "unshare", "--mount", "--propagation", "private"]
        start = ["sh", "-c", _START, "sh", str(folder), layers, *node.cgroups, "--"]
        (folder / "supervisor").unlink(missing_ok=True)
        with (folder / "console.log").open("ab") as console:
            subprocess.run(
                [*command, *start, *self._nspawn(spec, namespace)],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                env=child_environment({**self._host.environment, **_NSPAWN}),
                cwd="/",
                check=True,
            )
        node = dataclasses.replace(node, supervisor=told(folder / "supervisor"), booted=time.time())
        _write(folder / "node.json", node)
        node = dataclasses.replace(node, init=self._await_init(node))
        _write(folder / "node.json", node)
        return node

    def _nspawn(self, spec: Spec, namespace: str) -> list[str]:
        folder = self._folder(spec.key)
        binds = [f"--bind={folder / name}:/var/lib/{name}" for name in _OWN_FOLDERS]
        return [
            "systemd-nspawn",
            "--quiet",
            "--register=no",
            "--keep-unit",
            f"--directory={folder / 'root'}",
            f"--machine={plan.hostname(spec.name)}",
            f"--uuid={uuid.uuid5(uuid.NAMESPACE_URL, spec.key + spec.root)}",
            f"--network-namespace-path=/run/netns/{namespace}",
            "--capability=all",
            "--resolv-conf=off",
            "--timezone=off",
            "--link-journal=no",
            *binds,
            "--bind=/dev/kmsg",
            # A terminal that nobody reads would fill, and then block the node's systemd.
            "--console=read-only",
            "--boot",
        ]

    def _await_init(self, node: Node, patience: float = 20.0) -> Process:
        found = first_of_node(node.supervisor, patience) if node.supervisor else None
        if found is None:
            console = self.console(node.spec.key)
            self._halt(node, 0.0)
            raise Trouble(f"{node.spec.name} did not boot; the end of its console:\n{console}")
        return found

    # Ending.

    def stop(self, key: str, patience: float = 10.0) -> None:
        """Shut a node down; its disk stays."""
        with self._alone(key):
            self._halt(self._known(key), patience)

    def remove(self, key: str) -> None:
        """End a node at once, and remove all there is of it."""
        with self._alone(key):
            self._remove(key)
        self._folder(key).with_suffix(".lock").unlink(missing_ok=True)

    def _remove(self, key: str) -> None:
        folder = self._folder(key)
        node = _read(folder / "node.json")
        if node is not None:
            self._halt(node, 0.0)
            self.fabric.unplug(key, node.spec.interfaces)
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            raise Trouble(f"{folder} cannot be removed; something in it is still in use.")

    def _halt(self, node: Node, patience: float) -> None:
        """End its processes (by themselves within ``patience`` seconds, else at once) and its control groups."""
        if node.init is not None:
            node.init.signal(_POWER_OFF if patience else signal.SIGKILL)
            if not node.init.ends(patience or 5.0):
                node.init.signal(signal.SIGKILL)
                node.init.ends(5.0)
        # Its death is the end of all that is in the node; nspawn then ends by itself.
        if node.supervisor is not None and not node.supervisor.ends(3.0):
            node.supervisor.signal(signal.SIGKILL)
            node.supervisor.ends(3.0)
        groups = [Path(group) for group in node.cgroups]
        for pid in cgroups.members(groups):  # what was started beside the node's systemd
            stray = living(pid)
            if stray is not None:
                stray.signal(signal.SIGKILL)
        left = cgroups.remove(groups)
        if left:
            raise Trouble(
                f"control groups of {node.spec.name} are still in use: {', '.join(map(str, left))}."
            )

    def down(self, network: str | None = None, owner: str | None = None) -> int:
        """Remove nodes and networks; returns how many nodes there were.

        When no network is left, and nobody holds it, the host's bridge goes too.

        :param network: only this one, with its nodes.
        :param owner: only those of this owner.
        """
        networks = {
            key
            for key, one in self.fabric.networks().items()
            if network in (None, key) and owner in (None, one.owner)
        }
        going = [
            node.spec.key
            for node in self.all().values()
            if owner in (None, node.spec.owner)
            and (network is None or any(card.network == network for card in node.spec.interfaces))
        ]
        for key in going:
            self.remove(key)
        for key in networks:
            self.fabric.drop(key)
        if not self.fabric.networks() and not self.all() and not self.fabric.held():
            self.fabric.drop_host()
            shutil.rmtree(self.places.state, ignore_errors=True)
        return len(going)

    # Talking to it.

    def shell(self, node: Node, command: list[str]) -> list[str]:
        """The words that run a command inside a running node.

        :raises Trouble: when it does not run.
        """
        if not node.runs or node.init is None:
            raise Trouble(f"{node.spec.name} does not run.")
        enter = ["nsenter", "--target", str(node.init.pid)]
        spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd"]
        variables = [f"{name}={value}" for name, value in _ENVIRONMENT.items()]
        return [*enter, *spaces, "--", "env", "-i", *variables, *command]

    def call(self, node: Node, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command inside a running node, and keep what it says."""
        words = self.shell(node, [*command])
        return subprocess.run(words, capture_output=True, text=True, check=False)

    def settled(self, node: Node, deadline: float) -> str:
        """How cloud-init ended: ``done``, ``error``, or ``late`` when it has not by ``deadline`` (monotonic).

        A node whose systemd ends meanwhile is ``off``.
        """
        while time.monotonic() < deadline:
            if not node.runs:
                return "off"
            told = self.call(node, "cat", "/run/cloud-init/result.json").stdout
            if told:
                return "error" if json.loads(told)["v1"]["errors"] else "done"
            time.sleep(0.2)
        return "late"

    def console(self, key: str, lines: int = 15) -> str:
        """The last lines that a node wrote to its console."""
        try:
            text = (self._folder(key) / "console.log").read_text(errors="replace")
        except FileNotFoundError:
            return "(no console)"
        return "\n".join(text.splitlines()[-lines:])

    # Parts.

    def _folder(self, key: str) -> Path:
        return self.places.node(plan.short(key))

    def _known(self, key: str) -> Node:
        node = _read(self._folder(key) / "node.json")
        if node is None:
            raise Trouble(f"there is no node {key}.")
        return node

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        with alone(self._folder(key).with_suffix(".lock")):
            yield


def _read(file: Path) -> Node | None:
    try:
        known: dict[str, Any] = json.loads(file.read_text())
    except FileNotFoundError:
        return None
    return Node(
        Spec.from_shown(known["spec"]),
        _process(known["init"]),
        _process(known["supervisor"]),
        known["booted"],
        tuple(known["cgroups"]),
    )


def _write(file: Path, node: Node) -> None:
    shown = {
        "spec": node.spec.shown(),
        "init": node.init and dataclasses.astuple(node.init),
        "supervisor": node.supervisor and dataclasses.astuple(node.supervisor),
        "booted": node.booted,
        "cgroups": node.cgroups,
    }
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(shown, indent=1) + "\n")
    draft.rename(file)


def _process(known: list[Any] | None) -> Process | None:
    return None if known is None else Process(*known)
