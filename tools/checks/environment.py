"""The virtual environment of the checks: in the checkout, brought up to date when what it is made of changes.

Builds on the part of `tools.openstack` that knows pip; needs nothing but the standard library.
"""

import hashlib
import os
import sys
from pathlib import Path

from tools.openstack import processes, venvs
from tools.openstack.console import Progress

#: What the environment is made of. A change of one of them brings it up to date.
DESCRIBED = (
    "setup.cfg",
    "setup.py",
    "pyproject.toml",
    "requirements.txt",
    "test-requirements.txt",
    "doc/requirements.txt",
)


def build(checkout: Path, say: Progress) -> Path:
    """Return the interpreter of the up-to-date environment, which is built first if need be.

    The checkout is installed into it editable, with everything that checks, tests and documentation need.

    :raises Trouble: when it cannot be built; the text says why and what to do.
    """
    folder = checkout / ".state" / "test" / "venv"
    marker = folder / ".built-from"
    busy = f"another tools/test is building {folder}; run this one again when it is done"
    with processes.exclusive(checkout / ".state" / "test" / "venv.lock", busy):
        stamp = fingerprint(checkout)
        if marker.exists() and marker.read_text() == stamp:
            return folder / "bin" / "python"
        say(f"building {folder} (about a minute, once)")
        if not venvs.interpreter_matches(folder):
            venvs.create(folder)
        marker.unlink(missing_ok=True)
        requirements = ["-r", "test-requirements.txt", "-r", "doc/requirements.txt"]
        here = Path.cwd()
        os.chdir(checkout)
        try:
            venvs.install(folder, ["-e", str(checkout), *requirements], say)
        finally:
            os.chdir(here)
        marker.write_text(stamp)
    return folder / "bin" / "python"


def fingerprint(checkout: Path) -> str:
    """A hash of what the environment is made of, where it lies and which Python made it."""
    digest = hashlib.sha256(f"{checkout} {sys.version}".encode())
    for name in DESCRIBED:
        digest.update(name.encode() + b"\0" + (checkout / name).read_bytes())
    return digest.hexdigest()


def of_tools(python: Path) -> dict[str, str]:
    """The variables with which a command of the environment runs: its scripts come first on the PATH."""
    scripts = str(python.parent)
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("OS_") and key != "PYTHONPATH"
    }
    return {
        **kept,
        "PATH": os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)]),
        "VIRTUAL_ENV": str(python.parent.parent),
        "PYTHONUNBUFFERED": "1",
    }
