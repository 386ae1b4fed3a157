"""The tree a node boots from: Debian with systemd, cloud-init and docker, in layers that are cached one by one.

Lowest is what mmdebstrap makes of the package list (``base-<hash>``). Above it lie our own files (``tree/`` in this
package, and container images made from programs of the tree; ``files-<hash>``) and, if wanted, Kubernetes
(``kubernetes-<hash>``). A node mounts them as one overlay, with a folder of its own on top, so that a change of a
file of ours costs no new Debian.
"""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.node_run import archives, debian, kubernetes
from tools.node_run.places import LIBRARIES, READY, cache
from tools.openstack.console import Progress
from tools.openstack.processes import check

PACKAGES = (
    "bridge-utils",
    "busybox-static",
    "ca-certificates",
    "cloud-init",
    "conntrack",
    "containernetworking-plugins",
    "curl",
    "dbus",
    "docker.io",
    "ebtables",
    "etcd-client",
    "etcd-server",
    "ethtool",
    "iproute2",
    "iptables",
    "iputils-ping",
    "jq",
    "kmod",
    "less",
    "libnss-myhostname",
    "netcat-openbsd",
    "openssl",
    "procps",
    "psmisc",
    "python3",
    "python3-yaml",
    "socat",
    "systemd",
    "systemd-sysv",
    "util-linux",
)
#: Units that user data starts, as on an image where nothing runs by itself.
_DISABLED = ("etcd.service", "docker.service", "docker.socket", "containerd.service")
#: Units that a container has no use for, or that would wait for what never comes.
_MASKED = (
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "console-getty.service",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty@tty1.service",
    "systemd-networkd-wait-online.service",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
    "systemd-udevd.service",
)
_RECIPE = "1"  # to be raised when what follows makes something else
_FILES = Path(__file__).with_name("tree")
_GROUND = "node-ground.service"  # a unit among our files, which every node starts
IMAGES = "opt/images"  # in the tree: archives for `docker load`
BUSYBOX = "magnum/busybox:1"
REGISTRY = "k8s.gcr.io"  # where this kubeadm looks for its images
ETCD, PAUSE = "3.4.13-0", "3.2"  # the tags it asks for


@dataclass(frozen=True)
class Image:
    """What a node's root is mounted from.

    :param layers: folders, the topmost first.
    """

    layers: tuple[Path, ...]

    @property
    def base(self) -> Path:
        """The Debian tree, for programs that run on the host too (``usr/bin/docker``)."""
        return self.layers[-1]


def image(say: Progress, with_kubernetes: bool | None = None) -> Image:
    """The layers, made where they are missing.

    :param with_kubernetes: None = with it where it has been built already.
    :raises Trouble: when the mirror does not answer, or the machine is no Debian.
    """
    base = _base(say)
    layers = [_files(base, say), base]
    wanted = kubernetes.built() if with_kubernetes is None else with_kubernetes
    if wanted:
        layers.insert(0, _kubernetes(base, say))
    return Image(tuple(layers))


def _base(say: Progress) -> Path:
    made_of = debian.fingerprint(_RECIPE, debian.RELEASE, *PACKAGES, *_DISABLED, *_MASKED)
    folder = cache() / f"base-{made_of}"
    with debian.making(folder, "the nodes' Debian", say) as work:
        if work is not None:
            debian.require_debian()
            say("making the nodes' Debian (once; about a minute)")
            _bootstrap(work, debian.host_tools(say))
            _tweak(work)
            say("the nodes' Debian is made")
    return folder


def _bootstrap(target: Path, tools: debian.Tools) -> None:
    environment = {**tools.environment, "APT_CONFIG": "/dev/null", "TMPDIR": str(target.parent)}
    options = ["--mode=root", "--variant=apt", f"--include={','.join(PACKAGES)}"]
    quick = ["--aptopt=Apt::Install-Recommends false", "--aptopt=Acquire::Check-Valid-Until false"]
    slim = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale")]
    command = [
        "nice",
        "mmdebstrap",
        "--quiet",
        *options,
        *quick,
        *slim,
        debian.RELEASE,
        str(target),
    ]
    check([*command, *debian.sources()], cache() / "log" / "mmdebstrap.log", environment)


def _tweak(tree: Path) -> None:
    """Make a container's tree of it: units, identity, no names of the machine that made it."""
    log = cache() / "log" / "mmdebstrap.log"
    for unit in _DISABLED:
        check(["chroot", str(tree), "systemctl", "disable", "--quiet", unit], log)
    for unit in _MASKED:
        place = tree / "etc/systemd/system" / unit
        place.unlink(missing_ok=True)
        place.symlink_to("/dev/null")
    check(
        ["chroot", str(tree), "update-alternatives", "--set", "iptables", "/usr/sbin/iptables-nft"],
        log,
    )
    (tree / "etc/resolv.conf").unlink(missing_ok=True)
    (tree / "etc/resolv.conf").touch()
    (tree / "etc/machine-id").write_text("")
    (tree / "var/lib/dbus/machine-id").unlink(missing_ok=True)
    shutil.rmtree(tree / "var/cache/apt", ignore_errors=True)
    shutil.rmtree(tree / "var/lib/apt/lists", ignore_errors=True)


def _files(base: Path, say: Progress) -> Path:
    ours = [path for path in sorted(_FILES.rglob("*")) if path.is_file()]
    content = (part for path in ours for part in (str(path.relative_to(_FILES)), path.read_bytes()))
    folder = cache() / f"files-{debian.fingerprint(_RECIPE, base.name, *content)}"
    with debian.making(folder, "the nodes' own files", say) as work:
        if work is not None:
            shutil.copytree(_FILES, work, dirs_exist_ok=True)
            wants = work / "etc/systemd/system/sysinit.target.wants"
            wants.mkdir()
            (wants / _GROUND).symlink_to(f"../{_GROUND}")
            busybox = base / "bin/busybox"
            archives.write(
                work / IMAGES / "busybox.tar",
                BUSYBOX,
                {"bin/busybox": busybox},
                links={f"bin/{name}": "busybox" for name in _applets(busybox)},
                folders=("tmp", "etc", "root"),
                command=("sh",),
            )
            say("the nodes' own files are in place")
    return folder


def _applets(busybox: Path) -> list[str]:
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split() if name != "busybox"]


def _kubernetes(base: Path, say: Progress) -> Path:
    built = kubernetes.build(say)
    made_of = debian.fingerprint(_RECIPE, base.name, (built / READY).read_bytes())
    folder = cache() / f"kubernetes-{made_of}"
    with debian.making(folder, "the nodes' Kubernetes", say) as work:
        if work is not None:
            say("putting Kubernetes into the nodes' tree")
            programs = work / "usr/local/bin"
            programs.mkdir(parents=True)
            for name in kubernetes.PROGRAMS:
                _link(built / "bin" / name, programs / name)
            _kubeadm_images(built / "bin", base, work / IMAGES)
    return folder


def _kubeadm_images(programs: Path, base: Path, target: Path) -> None:
    """The images that kubeadm asks for, but CoreDNS, which Debian does not have."""
    shell = {"bin/busybox": base / "bin/busybox"}
    links = {f"bin/{name}": "busybox" for name in ("sh", "cat", "ls", "sleep", "wget")}
    tag = f"v{kubernetes.VERSION}"
    for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        files = {f"usr/local/bin/{name}": programs / name, **shell}
        archives.write(
            target / f"{name}.tar",
            f"{REGISTRY}/{name}:{tag}",
            files,
            links=links,
            folders=("tmp", "etc/ssl"),
        )
    network = ("usr/sbin/xtables-nft-multi", "usr/sbin/conntrack")
    tables = ("iptables", "iptables-save", "iptables-restore")
    archives.write(
        target / "kube-proxy.tar",
        f"{REGISTRY}/kube-proxy:{tag}",
        {
            "usr/local/bin/kube-proxy": programs / "kube-proxy",
            **shell,
            **dict(_linked(base, network)),
        },
        links={
            **links,
            **{f"usr/sbin/{kind}": "xtables-nft-multi" for kind in tables},
            **{f"usr/sbin/ip6{kind[2:]}": "xtables-nft-multi" for kind in tables},
        },
        folders=("tmp", "run", "var"),
    )
    etcd = dict(_linked(base, ("usr/bin/etcd", "usr/bin/etcdctl")))
    moved = {name.replace("usr/bin", "usr/local/bin"): path for name, path in etcd.items()}
    archives.write(target / "etcd.tar", f"{REGISTRY}/etcd:{ETCD}", {**moved, **shell}, links=links)
    pause = {"pause": programs / "pause"}
    archives.write(target / "pause.tar", f"{REGISTRY}/pause:{PAUSE}", pause, entrypoint=("/pause",))


def _linked(base: Path, programs: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """Programs of the tree, with every library that they are linked with or load later."""
    for name in programs:
        yield name, base / name
        shown = subprocess.run(
            ["chroot", base, "ldd", f"/{name}"], capture_output=True, text=True, check=False
        )
        for word in shown.stdout.split():
            if word.startswith("/"):
                yield word.lstrip("/"), base / word.lstrip("/")
    if any("xtables" in name for name in programs):
        for plugin in (base / LIBRARIES / "xtables").iterdir():
            yield str(plugin.relative_to(base)), plugin


def _link(source: Path, target: Path) -> None:
    """A second name on the same file system, a copy elsewhere."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)
