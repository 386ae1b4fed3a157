"""A program in another environment that answers questions: ``answering.py`` is its side."""

import contextlib
import json
import select
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.openstack.processes import child_environment

#: Seconds for one answer, and for the program's end; it is only there to end one that hangs.
PATIENCE = 300.0


class Refused(Exception):
    """What was asked for could not be done; the text says why, and what the program wrote into its log."""


class Child:
    """One such program, while it runs."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process, self._log = process, log

    def ask(self, what: str, **arguments: Any) -> Any:
        """One question; gives the answer, and raises Refused when there is none."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        question = json.dumps({"what": what, "arguments": arguments})
        self._process.stdin.write(f"{question}\n".encode())
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        if not ready:
            self._process.kill()
            raise self._refused(f"no answer to {what} within {PATIENCE:.0f} s")
        line = self._process.stdout.readline()
        if not line:
            raise self._refused(f"the program ended when it was asked to {what}")
        reply = json.loads(line)
        if "refused" in reply:
            raise self._refused(reply["refused"])
        return reply["answer"]

    def _refused(self, reason: str) -> Refused:
        log = self._log.read_text(errors="replace")[-5000:]
        return Refused(f"{reason}\nThe end of its log:\n{log}")


@contextlib.contextmanager
def child(python: Path, module: str, variables: Mapping[str, str], log: Path) -> Iterator[Child]:
    """Start a module, all that it prints into its log. At the end it sees that nobody asks any more, and ends."""
    with (
        log.open("ab") as opened,
        subprocess.Popen(
            [str(python), "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=opened,
            env=child_environment(variables),
        ) as process,
    ):
        assert process.stdin is not None
        try:
            yield Child(process, log)
            process.stdin.close()
            process.wait(PATIENCE)
        finally:
            process.kill()
