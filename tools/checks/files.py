"""Which files of the checkout are of which kind. Git decides what belongs to the checkout."""

import re
import subprocess
from pathlib import Path

_SHELL = re.compile(r"^#!.*\b(ba|da)?sh\b|^# shellcheck shell=", re.MULTILINE)
_PYTHON = re.compile(r"^#!.*\bpython3?\b")


def ours(checkout: Path) -> list[Path]:
    """Every file that is committed or could be, sorted; ignored files and links are left out."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    answer = subprocess.run(command, cwd=checkout, capture_output=True, check=True, text=True)
    paths = (checkout / name for name in sorted(set(answer.stdout.split("\0"))) if name)
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def is_shell(path: Path) -> bool:
    """Whether it is a shell script: by name, by its first line, or because it says so to shellcheck."""
    return path.suffix in (".sh", ".bash") or bool(_SHELL.search(_head(path)))


def is_python_script(path: Path) -> bool:
    """Whether it is a Python program without the `.py` that linters look for."""
    return path.suffix == "" and bool(_PYTHON.match(_head(path)))


def is_for_nodes(path: Path) -> bool:
    """Whether it is sent to nodes as it is: kept short, and for whatever Python is there, so without annotations."""
    return "templates" in path.parts and "drivers" in path.parts


def _head(path: Path) -> str:
    with path.open("rb") as opened:
        return opened.read(300).decode(errors="replace") if path.suffix == "" else ""
