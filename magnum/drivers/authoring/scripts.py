"""Shell scripts in a driver's directory, looked at by shellcheck where that is installed."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from magnum.drivers.authoring.findings import Finding

_SHELLS = ("sh", "bash", "dash", "ksh")
#: Seconds that shellcheck may take.
TIMEOUT = 60.0


def shellcheck() -> str | None:
    """The command, from the PATH or from the environment that this Python is in; None where there is none."""
    return shutil.which("shellcheck") or shutil.which(
        "shellcheck", path=str(Path(sys.executable).parent)
    )


def find(folder: Path) -> list[Path]:
    """Every shell script: by its ending, or by its first line."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and _is_shell(path)]


def _is_shell(path: Path) -> bool:
    if path.suffix in (".sh", ".bash"):
        return True
    with path.open("rb") as opened:
        first = opened.readline(200).decode(errors="replace")
    words = first.removeprefix("#!").replace("/", " ").split()
    return first.startswith("#!") and any(word in _SHELLS for word in words)


def scripts(folder: Path) -> Iterator[Finding]:
    """What shellcheck says, from warnings upwards; nothing where it is not installed."""
    command, found = shellcheck(), find(folder)
    if command is None or not found:
        return
    options = ["--format=json", "--severity=warning", "--external-sources"]
    options += ["--source-path=SCRIPTDIR", f"--source-path={folder}"]
    done = subprocess.run(
        [command, *options, *map(str, found)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    try:
        comments = json.loads(done.stdout)
    except ValueError:
        yield Finding(
            "templates", 0, f"shellcheck stumbled: {done.stderr.strip()}", "Run it by hand."
        )
        return
    for comment in comments:
        file = str(Path(comment["file"]).relative_to(folder))
        advice = f"See https://www.shellcheck.net/wiki/SC{comment['code']}."
        yield Finding(file, comment["line"], comment["message"], advice)
