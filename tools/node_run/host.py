"""Running the machine's own programs: quietly, and with one sentence when they fail."""

import functools
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.node_run import debian
from tools.openstack.console import Progress, Trouble
from tools.openstack.processes import child_environment


@dataclass(frozen=True)
class Host:
    """The machine, with the programs that were unpacked for us."""

    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *words: str, given: str | None = None) -> str:
        """What a program prints on standard output.

        :param given: its standard input.
        :raises Trouble: with its own words when it fails.
        """
        done = self._done(words, given)
        if done.returncode != 0:
            reason = (done.stderr or done.stdout).strip() or f"status {done.returncode}"
            raise Trouble(f"`{' '.join(words)}` failed: {reason}")
        return done.stdout

    def works(self, *words: str) -> bool:
        """Run a program whose failure is an answer, not an error."""
        return self._done(words, None).returncode == 0

    def _done(
        self, words: tuple[str, ...], given: str | None
    ) -> "subprocess.CompletedProcess[str]":
        try:
            return subprocess.run(
                words,
                input=given if given is not None else "",
                capture_output=True,
                text=True,
                env=child_environment(self.environment),
                check=False,
            )
        except OSError as error:
            raise Trouble(f"`{words[0]}` cannot be run: {error.strerror}.") from error


@functools.cache
def host(quiet: bool = False) -> Host:
    """This machine; the programs it lacks are fetched first (once)."""
    return Host(debian.host_tools(Progress(quiet)).environment)
