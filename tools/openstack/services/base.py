"""What a service of the cloud is, and the facts of the cloud that every service's configuration needs."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tools.openstack import config, keystone
from tools.openstack.choices import AUTH_URL as AUTH_URL
from tools.openstack.config import Section, Sections, Value
from tools.openstack.databases import Databases
from tools.openstack.processes import LOOPBACK, Program

HOST = "cloud"  # the name of the one compute and volume host
SCRIPTS = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Site:
    """The facts of one cloud.

    :param state: its folder.
    :param venv: the environment that holds the services.
    :param transport_url: of RabbitMQ, for oslo.messaging.
    :param fast: whether Heat's engine runs with short pauses.
    :param extras: the optional services that are wanted, by name.
    :param address: where users, and nodes, find the services; each listens there beside loopback.
    """

    state: Path
    venv: Path
    passwords: config.Passwords
    databases: Databases
    transport_url: str
    fast: bool
    extras: frozenset[str]
    address: str = LOOPBACK

    @property
    def public_auth_url(self) -> str:
        """Keystone, as users and nodes are told of it."""
        return self.public(AUTH_URL)

    def public(self, url: str) -> str:
        """A URL of a service on loopback, as users and nodes are told of it."""
        return url.replace(f"//{LOOPBACK}:", f"//{self.address}:")

    @property
    def etc(self) -> Path:
        """Where the configuration files are."""
        return self.state / "etc"

    def data(self, *parts: str) -> Path:
        """A folder for a service's working files; it exists afterwards."""
        folder = self.state.joinpath("data", *parts)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def shipped(self, *parts: str) -> Path:
        """A file that a package brought along (paste pipelines and the like)."""
        return self.venv.joinpath("etc", *parts)

    def script(self, name: str) -> str:
        """A console script of the environment."""
        return str(self.venv / "bin" / name)


class Service(ABC):
    """One OpenStack service of the cloud."""

    name: ClassVar[str]
    user: ClassVar[str | None] = None  # its Keystone user, where it has one
    databases: ClassVar[tuple[str, ...]]
    catalogue: ClassVar[tuple[keystone.Service, ...]] = ()
    port: ClassVar[int]

    def __init__(self, site: Site) -> None:
        self.site = site

    @property
    def config_file(self) -> Path:
        """Its main configuration file, in a folder of its own."""
        return self.site.etc / self.name / f"{self.name}.conf"

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables for all its processes and commands."""
        return {}

    @property
    def migration_environment(self) -> Mapping[str, str]:
        """Variables for the commands of ``migrations``."""
        return self.environment

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}/"

    def configure(self) -> bool:
        """Write its configuration; says whether it is another one than before."""
        return config.write(self.config_file, self.sections())

    @abstractmethod
    def sections(self) -> Sections:
        """Its configuration."""

    @abstractmethod
    def migrations(self) -> list[tuple[str, ...]]:
        """The commands that bring its databases to the newest version."""

    def after_migrations(self) -> None:  # noqa: B027 - most services need nothing
        """Whatever else its databases need once."""

    @abstractmethod
    def programs(self) -> tuple[Program, ...]:
        """Its processes."""

    def late_programs(self) -> tuple[Program, ...]:
        """Those that only start well when every API of the cloud answers."""
        return ()

    def last_programs(self) -> tuple[Program, ...]:
        """Those that only start well when the late ones are at work."""
        return ()

    def last_may_start(self) -> bool:
        """Whether the late ones are at work."""
        return True

    def all_programs(self) -> tuple[Program, ...]:
        """Every process, in the order of starting."""
        return (*self.programs(), *self.late_programs(), *self.last_programs())

    def console_program(self, name: str) -> Program:
        """A process that is a console script with this service's configuration file."""
        command = (self.site.script(name), "--config-file", str(self.config_file))
        return Program(name, command, self.environment)

    def wsgi_program(self, name: str, port: int, target: str, *arguments: str) -> Program:
        """A process that serves a WSGI application (see ``tools/openstack/wsgi.py``)."""
        python = (self.site.script("python"), "-P", str(SCRIPTS / "wsgi.py"))
        place = f"{port}@{self.site.address}" if self.site.address != LOOPBACK else str(port)
        return Program(name, (*python, place, target, name, *arguments), self.environment, port)

    # Sections that several services have.

    def database_section(self, name: str | None = None, pool: int = 3) -> Section:
        """Where its database is.

        :param pool: connections that stay open: few, because a dozen processes share one server. A service that often
            needs more at once would open and close one for nearly each statement.
        """
        return {
            "connection": self.site.databases.url(name or self.databases[0]),
            "max_pool_size": pool,
            "max_overflow": 30,
        }

    def identity_section(self, **more: Value) -> Section:
        """Its own identity, for calls to other services."""
        return {**config.identity(AUTH_URL, self._user, self._password), **more}

    def token_section(self) -> Section:
        """``[keystone_authtoken]``."""
        return config.token_check(AUTH_URL, self._user, self._password)

    @property
    def _user(self) -> str:
        return self.user or self.name

    @property
    def _password(self) -> str:
        return self.site.passwords[self._user]


def silent() -> Sections:
    """For services whose notifications nobody reads."""
    return {"oslo_messaging_notifications": {"driver": "noop"}}
