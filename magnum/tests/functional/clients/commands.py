"""The commands of one client as its users type them, and which of them a test has tried."""

import dataclasses
import re
from collections.abc import Iterable

from magnum.tests.functional.clients.environments import Ended, Shell

#: Commands that the old clients run for what the service lost in 3.0.0: pods, services, containers (contract, 2.12).
GONE = ("container-", "pod-", "rc-", "coe-service-")

#: The line of a shown cluster that tells, in the words of whoever was asked, why it is not well: a node that only
#: reports has no cluster that could answer.
HEALTH = r"\| health_status_reason .*"


class Commands:
    """A program with sub-commands; the first thing it is given is the command, such as ``cluster template list``.

    :param shell: whose programs, and who runs them.
    :param program: what stands before every command, such as ``magnum``.
    """

    def __init__(self, shell: Shell, *program: str) -> None:
        self.shell = shell
        self.tried: set[str] = set()
        self._program = program

    def as_user(self, shell: Shell) -> "Commands":
        """The same commands, run by somebody else; what they try counts for both."""
        other = Commands(shell, *self._program)
        other.tried = self.tried
        return other

    def with_variables(self, **more: str) -> "Commands":
        """The same commands with more variables set."""
        variables = {**self.shell.variables, **more}
        return self.as_user(dataclasses.replace(self.shell, variables=variables))

    def run(self, command: str, *words: str) -> Ended:
        """One command, however it ends."""
        self.tried.add(command)
        return self.shell.run(*self._program, *command.split(), *words)

    def __call__(self, command: str, *words: str, but: str | None = None) -> str:
        """What a command says that has to do its work; ``but`` as in ``Ended.well``."""
        return self.run(command, *words).well(but)

    def shown(self, command: str, *words: str) -> dict[str, str]:
        """The properties in the table that a command shows."""
        rows = table(self(command, *words, but=HEALTH))
        return {(row.get("property") or row["field"]): row["value"] for row in rows}

    def rows(self, command: str, *words: str) -> list[dict[str, str]]:
        """The lines of the table that a command shows."""
        return table(self(command, *words))


def magnum(shell: Shell) -> Commands:
    """The program ``magnum`` of python-magnumclient 2."""
    # The first ones knew projects as tenants.
    tenant = {"OS_TENANT_NAME": shell.variables["OS_PROJECT_NAME"]}
    return Commands(shell, "magnum").with_variables(**tenant)


def openstack(shell: Shell) -> Commands:
    """The commands ``openstack coe ...`` of python-magnumclient 4 and newer."""
    return Commands(shell, "openstack", "coe")


def offered(help_text: str) -> set[str]:
    """The commands that ``magnum help`` or ``openstack help coe`` lists."""
    return set(re.findall(r"^(?:    |  coe )([a-z][a-z -]*[a-z])(?=  |$)", help_text, re.MULTILINE))


def table(output: str) -> list[dict[str, str]]:
    """The rows of a table of plain signs, each by the names of its columns in small letters."""
    lines = [line for line in output.splitlines() if line.startswith("|")]
    assert lines, output
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    names = [name.lower() for name in cells[0]]
    return [dict(zip(names, row, strict=True)) for row in cells[1:]]


def of_nouns(commands: Iterable[str], *nouns: str) -> set[str]:
    """Those commands that begin so."""
    return {one for one in commands if one.startswith(nouns)}
