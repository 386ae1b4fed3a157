"""Debian's packages without installing anything: a private apt, downloads, and unpacking into a folder.

Nothing here touches the machine's own packages, so no server of it is upgraded, started or stopped. All files come
from the mirror that the machine itself uses, where it uses Debian of the nodes' release; else from Debian's own.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.node_run.places import LIBRARIES, READY, cache
from tools.openstack.console import Progress, Trouble
from tools.openstack.processes import check

RELEASE = "bookworm"
_DEBIAN, _SECURITY = "http://deb.debian.org/debian", "http://deb.debian.org/debian-security"
_LISTS_LAST = 24 * 3600  # seconds
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

#: What the machine itself needs, with the libraries that a small machine may lack.
HOST_TOOLS = (
    "systemd-container",
    "libsystemd-shared",
    "mmdebstrap",
    "iptables",
    "libxtables12",
    "libip4tc2",
    "libip6tc2",
    "libnftnl11",
    "libmnl0",
    "libnetfilter-conntrack3",
    "libnfnetlink0",
)


@dataclass(frozen=True)
class Tools:
    """Programs that were unpacked, not installed.

    :param root: the folder they were unpacked into.
    """

    root: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a child needs to find them, and they their libraries."""
        libraries = self.root / LIBRARIES
        paths = [
            self.root / "usr/sbin",
            self.root / "usr/bin",
            self.root / "sbin",
            self.root / "bin",
        ]
        found = [libraries, libraries / "systemd", self.root / "lib" / Path(LIBRARIES).name]
        return {
            "PATH": os.pathsep.join([*map(str, paths), "/usr/sbin", "/usr/bin", "/sbin", "/bin"]),
            "LD_LIBRARY_PATH": os.pathsep.join(map(str, found)),
            "XTABLES_LIBDIR": str(libraries / "xtables"),
        }


def require_debian() -> None:
    """Raise ``Trouble`` where there is no apt, or where we are not root."""
    missing = [name for name in ("apt-get", "dpkg") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        raise Trouble(
            "making the nodes' image needs root on a Debian (apt-get and dpkg), and this is "
            f"{'not one' if missing else 'another user'}; a CI job in a privileged Debian container will do."
        )


def host_tools(say: Progress) -> Tools:
    """The programs that run on the machine itself, unpacked into the cache when they are not there."""
    root = cache() / f"tools-{fingerprint(RELEASE, *HOST_TOOLS)}"
    with making(root, "the machine's tools", say) as work:
        if work is not None:
            say("fetching systemd-nspawn, mmdebstrap and iptables (unpacked, not installed)")
            unpack(HOST_TOOLS, work)
    return Tools(root)


def unpack(packages: Iterable[str], target: Path) -> None:
    """Download packages, without what they depend on, and unpack them into a folder.

    :raises Trouble: when the mirror does not have one of them, or does not answer.
    """
    require_debian()
    store = target.with_name(f"{target.name}.debs")
    shutil.rmtree(store, ignore_errors=True)
    store.mkdir(parents=True)
    environment = apt_environment()
    names = " ".join(packages)
    # apt-get downloads into the current folder; `sh` saves this process from changing its own.
    check(["sh", "-c", f'cd "{store}" && apt-get -q download {names}'], _log(), environment)
    target.mkdir(parents=True, exist_ok=True)
    for package in sorted(store.glob("*.deb")):
        check(["dpkg", "-x", str(package), str(target)], _log())
    shutil.rmtree(store)


def source(package: str, target: Path) -> Path:
    """Download a source package and unpack it; returns the folder of its tree.

    :raises Trouble: when that fails, or dpkg-dev is not installed.
    """
    require_debian()
    if shutil.which("dpkg-source") is None:
        raise Trouble("dpkg-source is missing; `apt-get install dpkg-dev` provides it.")
    target.mkdir(parents=True, exist_ok=True)
    tree = target / "tree"
    if not tree.exists():
        fetch = f'cd "{target}" && apt-get -q source --download-only {package}'
        check(["sh", "-c", fetch], _log(), apt_environment())
        (description,) = target.glob("*.dsc")
        draft = target / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        check(["dpkg-source", "--no-check", "-x", str(description), str(draft)], _log())
        draft.rename(tree)
    return tree


def sources(kind: str = "deb") -> list[str]:
    """Lines for a ``sources.list`` of the nodes' release; ``kind`` may be ``deb-src``."""
    debian, security = _mirrors()
    suites = ((debian, RELEASE), (debian, f"{RELEASE}-updates"), (security, f"{RELEASE}-security"))
    signed = f"[signed-by={_KEYRING}] " if _KEYRING.exists() else ""
    return [f"{kind} {signed}{uri} {suite} main" for uri, suite in suites]


def apt_environment() -> dict[str, str]:
    """The environment in which apt works on a private state with lists of the nodes' release."""
    home = cache() / "apt"
    settings = home / "apt.conf"
    listed = "".join(f"{line}\n" for kind in ("deb", "deb-src") for line in sources(kind))
    with alone(home.with_suffix(".lock")):
        place = home / "sources.list"
        if not _is_fresh(home / READY) or place.read_text() != listed:
            for folder in ("state/lists/partial", "cache/archives/partial"):
                (home / folder).mkdir(parents=True, exist_ok=True)
            place.write_text(listed)
            settings.write_text(
                f'Dir::State "{home}/state";\nDir::State::status "/dev/null";\nDir::Cache "{home}/cache";\n'
                f'Dir::Etc::sourcelist "{place}";\nDir::Etc::sourceparts "-";\n'
                'APT::Sandbox::User "root";\nAcquire::Check-Valid-Until "false";\n'
            )
            check(["apt-get", "-q", "update"], _log(), {"APT_CONFIG": str(settings)})
            (home / READY).touch()
    return {"APT_CONFIG": str(settings)}


def fingerprint(*parts: str | bytes) -> str:
    """A short hash of what a cached thing is made of."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update((part.encode() if isinstance(part, str) else part) + b"\0")
    return digest.hexdigest()[:12]


@contextmanager
def making(folder: Path, what: str, say: Progress) -> Iterator[Path | None]:
    """Make a cached folder once: gives a draft to fill, which is then renamed, or None when it is there.

    Another process that makes the same is waited for.
    """
    if (folder / READY).exists():
        yield None
        return
    with alone(folder.with_name(f"{folder.name}.lock"), lambda: say(f"waiting for {what}")):
        if (folder / READY).exists():
            yield None
            return
        draft = folder.with_name(f"{folder.name}.draft")
        for old in (draft, folder):
            shutil.rmtree(old, ignore_errors=True)
        draft.mkdir(parents=True)
        yield draft
        (draft / READY).touch()
        draft.rename(folder)


@contextmanager
def alone(path: Path, busy: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Hold the lock file ``path``; calls ``busy`` before it waits for another process that does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            busy()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_fresh(marker: Path) -> bool:
    """Whether the lists are of these days; a mirror forgets packages that were replaced."""
    return marker.exists() and time.time() - marker.stat().st_mtime < _LISTS_LAST


def _log() -> Path:
    return cache() / "log" / "apt.log"


def _mirrors() -> tuple[str, str]:
    """Debian's main and security archive, as this machine reaches them."""
    told = os.environ.get("MAGNUM_DEBIAN_MIRROR")
    if told:
        return told, f"{told.rstrip('/')}-security"
    query = [
        "apt-get",
        "indextargets",
        "--format",
        "$(REPO_URI) $(CODENAME)",
        "Created-By: Packages",
    ]
    done = subprocess.run(query, capture_output=True, text=True, check=False)
    known = dict(line.split()[::-1] for line in done.stdout.splitlines() if len(line.split()) == 2)
    return known.get(RELEASE, _DEBIAN), known.get(f"{RELEASE}-security", _SECURITY)
