"""Virtual environments: cached ones from a requirement file, and the one that runs this checkout.

Needs nothing but the standard library: it is what makes everything else importable.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.openstack.console import Progress, Trouble
from tools.openstack.processes import child_environment

OLDEST = (3, 11)
NEWEST = (3, 13)
EXTRAS = "mysql,postgresql,wsgi"  # of setup.cfg: database drivers and the WSGI server
READY = ".ready"  # written last: a folder without it is a half-made environment

_NO_NETWORK = re.compile(
    r"name resolution|Name or service not known|NewConnectionError|Max retries exceeded|"
    r"Network is unreachable|Connection refused|timed out|ProxyError|from versions: none",
    re.IGNORECASE,
)


def check_python() -> None:
    """Raise ``Trouble`` unless this interpreter is one that the project supports."""
    version = sys.version_info[:2]
    if not OLDEST <= version <= NEWEST:
        raise Trouble(
            f"this is Python {version[0]}.{version[1]}, but Python 3.{OLDEST[1]} to 3.{NEWEST[1]} is needed; "
            f"run the command with one of those, for instance `python3.{NEWEST[1]} {sys.argv[0]}`."
        )


def cache_folder() -> Path:
    """Where expensive things that every checkout can share are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "magnum"


def cached_path(requirements: Path) -> Path:
    """The folder of the environment of a requirement file, whether it exists or not."""
    return cache_folder() / f"venv-{_fingerprint([requirements])}"


def cached(requirements: Path, say: Progress) -> Path:
    """The environment that holds exactly ``requirements``, built when it is not there yet.

    It is built in place, and marked as ready at the end, rather than renamed: console scripts carry the
    absolute path of their interpreter. A lock keeps two builders apart.

    :raises Trouble: when it cannot be built: no network, no such version, no ``venv`` module.
    """
    folder = cached_path(requirements)
    if (folder / READY).exists():
        return folder
    with _lock(folder.with_suffix(".lock"), say):
        if not (folder / READY).exists():
            say(f"building the virtual environment {folder} (once; some minutes)")
            create(folder)
            install(folder, ["-r", str(requirements)], say)
            (folder / READY).touch()
    return folder


def checkout_path(checkout: Path) -> Path:
    """The folder of the environment in which a checkout is installed, whether it exists or not."""
    return checkout / ".state" / "venv"


def is_current(checkout: Path) -> bool:
    """Whether the checkout's own environment holds what the files that describe the package ask for."""
    folder = checkout_path(checkout)
    marker = folder / READY
    return marker.exists() and marker.read_text() == _stamp(folder, _descriptions(checkout))


def of_checkout(
    checkout: Path, say: Progress, folder: Path | None = None, requirements: Path | None = None
) -> Path:
    """The environment in which this checkout is installed editable, with all that running it needs.

    It is brought up to date when the files that describe the package change (a new dependency, a new
    console script); code needs no new installation.

    :param folder: where it lies; ``.state/venv`` in the checkout unless said otherwise.
    :param requirements: file that pins more packages, and all that they and the checkout need (``pbr`` and
        ``setuptools`` too); trusting it saves pip's search for versions that fit and a second environment
        for the build.
    :raises Trouble: as ``cached`` does.
    """
    described = _descriptions(checkout)
    steps = [["-e", f"{checkout}[{EXTRAS}]"]]
    if requirements is not None:
        described.append(requirements)
        steps = [
            ["--no-deps", "-r", str(requirements)],
            ["--no-build-isolation", "-c", str(requirements), "-e", str(checkout)],
        ]
    folder = folder or checkout_path(checkout)
    stamp = _stamp(folder, described)
    marker = folder / READY
    with _lock(folder.with_suffix(".lock"), say):
        before = marker.read_text().split(" ", 1) if marker.exists() else []
        if before == stamp.split(" ", 1):
            return folder
        say(f"installing this checkout into {folder}")
        if len(before) != 2 or before[1] != str(folder) or not interpreter_matches(folder):
            create(folder)
        marker.write_text(f"unfinished {folder}")
        for step in steps:
            install(folder, step, say)
        marker.write_text(stamp)
    return folder


def _descriptions(checkout: Path) -> list[Path]:
    """The files that describe the package."""
    return [checkout / name for name in ("setup.cfg", "setup.py", "requirements.txt")]


def _stamp(folder: Path, described: Iterable[Path]) -> str:
    """What the marker of a finished environment says: made from these files, and in this place."""
    return f"{_fingerprint(described)} {folder}"


def interpreter_matches(folder: Path) -> bool:
    """Whether the environment was made with this very version of Python."""
    try:
        text = (folder / "pyvenv.cfg").read_text()
    except FileNotFoundError:
        return False
    return f"version = {sys.version.split()[0]}" in text


def create(folder: Path) -> None:
    """Make an empty environment, in the place of whatever was there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    venv = [sys.executable, "-m", "venv", str(folder)]
    done = subprocess.run(venv, capture_output=True, text=True, check=False)
    if done.returncode != 0 and not _create_with_own_pip(venv, folder):
        reason = (done.stdout + done.stderr).strip().splitlines()
        raise Trouble(
            f"`{sys.executable} -m venv` failed ({reason[0] if reason else 'no reason given'}); "
            "on Debian and Ubuntu, `apt-get install python3-venv` provides it."
        )


def _create_with_own_pip(venv: list[str], folder: Path) -> bool:
    """Where the distribution left ``ensurepip`` out, this interpreter's own pip can do its work."""
    pip = [sys.executable, "-m", "pip", "--python", str(folder), "install", "pip"]
    return all(
        subprocess.run(command, capture_output=True, check=False).returncode == 0
        for command in ([*venv, "--without-pip"], pip)
    )


def install(folder: Path, arguments: list[str], say: Progress) -> None:
    """``pip install`` into the environment, with a progress line every few seconds.

    :raises Trouble: one sentence with pip's reason, and where its whole output lies.
    """
    log = folder.with_name(folder.name + "-pip.log")
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", *arguments]
    options = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    options.append("--no-compile")  # most modules are never imported; the others are then compiled
    with log.open("w") as output:
        pip = subprocess.Popen(
            [*command, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=child_environment({}),
            text=True,
        )
        assert pip.stdout is not None
        with pip.stdout, say.waiting("pip is at work"):
            _follow(pip.stdout, output.write, say)
            status = pip.wait()
    if status != 0:
        raise Trouble(f"{_reason(log.read_text())} The whole output of pip is in {log}.")


def _follow(lines: Iterable[str], write: Callable[[str], object], say: Progress) -> None:
    """Copy pip's output to its log and say now and then how far it is."""
    collected = 0
    spoken = time.monotonic()
    for line in lines:
        write(line)
        collected += line.startswith("Collecting ")
        installing = line.startswith("Installing collected packages")
        if installing or time.monotonic() - spoken > 5:
            spoken = time.monotonic()
            say("  pip: installing" if installing else f"  pip: {collected} packages found")


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines()]  # those of a build are indented
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    last = errors[-1] if errors else "pip failed without an error line"
    if _NO_NETWORK.search(output):
        return (
            "No package index could be reached, so nothing was installed: check the network, or name "
            f"an index with PIP_INDEX_URL ({last})."
        )
    return f"pip could not install what is needed ({last})."


def _fingerprint(files: Iterable[Path]) -> str:
    """A short hash of the files' content and of the Python version."""
    digest = hashlib.sha256(sys.version.split()[0].encode())
    for path in files:
        digest.update(path.name.encode())
        digest.update(path.read_bytes() if path.exists() else b"-")
    return digest.hexdigest()[:12]


@contextmanager
def _lock(path: Path, say: Progress) -> Iterator[None]:
    """Hold the lock file, waiting (and saying so) while another process does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say(f"another process is building {path.stem}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
