"""Where a client runs: its virtual environment, what the shell of its user has set, and what its programs answer."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from magnum.tests.functional.cloud import client
from tools.openstack import config, venvs
from tools.openstack.console import Progress
from tools.openstack.people import person
from tools.openstack.processes import child_environment

REQUIREMENTS = Path(__file__).parent / "requirements"

#: Seconds for one command; it is only there to end one that hangs.
PATIENCE = 300.0

#: What says nothing, though any four letters may be in it: keys, certificates, and files of settings that hold them.
_NOISE = re.compile(r"-----BEGIN [^-]*-----.*?-----END [^-]*-----|[A-Za-z0-9+/=]{60,}", re.DOTALL)

#: What a program that has done its work does not say.
FAILURE = re.compile(
    r"error|traceback|exception|fail|not found|unexpected|unable|invalid|denied|usage:", re.I
)


@dataclass(frozen=True)
class Account:
    """A user of the default domain, in a project."""

    name: str
    password: str
    project: str

    @classmethod
    def of_person(cls, name: str, passwords: config.Passwords) -> "Account":
        """One of the people of the cloud: admin, demo, other, reader."""
        who = person(name)
        return cls(who.name, passwords[who.name], who.project)

    @classmethod
    def of_tenant(cls, tenant: client.Tenant) -> "Account":
        """The member of a test's own project."""
        return cls(tenant.name, tenant.password, tenant.name)

    def variables(self, region: str) -> dict[str, str]:
        """What an openrc file of this user sets, for one region."""
        return {
            "OS_AUTH_TYPE": "password",
            "OS_AUTH_URL": client.AUTH_URL,
            "OS_IDENTITY_API_VERSION": "3",
            "OS_INTERFACE": "public",
            "OS_PASSWORD": self.password,
            "OS_PROJECT_DOMAIN_NAME": "Default",
            "OS_PROJECT_NAME": self.project,
            "OS_REGION_NAME": region,
            "OS_USERNAME": self.name,
            "OS_USER_DOMAIN_NAME": "Default",
        }


@dataclass(frozen=True)
class Ended:
    """How a program ended. ``output`` is both of its streams, as a terminal shows them."""

    command: tuple[str, ...]
    code: int
    output: str

    def well(self, but: str | None = None) -> str:
        """The output, of a program that must have done its work and says nothing of a failure.

        :param but: pattern of words that stand in the output rightly, such as a field's name.
        """
        assert self.code == 0, self
        said = _NOISE.sub("", self.output)
        said = re.sub(but, "", said) if but else said
        found = FAILURE.search(said)
        assert found is None, (found, self.command, self.output)
        return self.output

    def refused(self, reason: str) -> str:
        """The output, of a program that must have failed for a reason that it names (a pattern)."""
        assert self.code != 0, self
        assert re.search(reason, self.output), self
        assert "Traceback" not in self.output, self
        return self.output


@dataclass(frozen=True)
class Shell:
    """What somebody has in front of them: the programs of one environment, and an account set in the variables.

    :param venv: the virtual environment; its programs come first.
    :param variables: ``OS_*`` and whatever else is set.
    :param folder: home and working folder, so that nothing of this machine's user is read or written.
    """

    venv: Path
    variables: Mapping[str, str]
    folder: Path

    def run(
        self,
        *command: str,
        given: str | None = None,
        more: Mapping[str, str] | None = None,
        patience: float = PATIENCE,
    ) -> Ended:
        """Run one of the environment's programs to its end.

        :param given: what it reads from its standard input.
        :param more: more variables.
        :param patience: seconds after which it is taken to hang.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        ended = subprocess.run(
            [str(self.venv / "bin" / command[0]), *command[1:]],
            input=given or "",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env=child_environment(
                {
                    "HOME": str(self.folder),
                    "SHELL": "/bin/bash",
                    "COLUMNS": "200",
                    **self.variables,
                    **(more or {}),
                }
            ),
            timeout=patience,
            check=False,
        )
        return Ended(command, ended.returncode, ended.stdout)


def venv(name: str) -> Path:
    """The environment of ``requirements/<name>.txt``; all checkouts share it."""
    return venvs.cached(REQUIREMENTS / f"{name}.txt", Progress(quiet=True))
