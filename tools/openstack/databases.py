"""The databases of one cloud on a MariaDB or PostgreSQL server, each name with the cloud's own prefix.

The services log in as a database user of their own, who may touch databases with that prefix only. The
administrator is needed once, to create this user. Runs in an environment that has SQLAlchemy and both drivers.
"""

import os
import subprocess
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from tools.openstack.console import Trouble


@dataclass(frozen=True)
class Databases(ABC):
    """All databases of one cloud.

    :param admin: URL of the server with an administrator, as the user gave it.
    :param prefix: begins the name of every database, and of the user who owns them.
    :param password: of that user.
    """

    admin: sa.URL
    prefix: str
    password: str

    driver: ClassVar[str]
    server: ClassVar[str]

    @property
    def user(self) -> str:
        """The database user of this cloud."""
        return self.prefix.rstrip("_")

    def url(self, name: str) -> str:
        """SQLAlchemy URL of a database, with the password in it."""
        return self._own_url(self.prefix + name).render_as_string(hide_password=False)

    def engine(self, name: str) -> sa.Engine:
        """An engine that keeps no connection open."""
        return sa.create_engine(self._own_url(self.prefix + name), poolclass=sa.NullPool)

    def ensure_user(self) -> None:
        """Create the cloud's database user, unless it can log in already.

        :raises Trouble: when no way of being administrator works.
        """
        try:
            self._names(self._own_url(self._meeting_place()))
        except sa.exc.OperationalError:
            self._create_user()

    def create(self, name: str) -> bool:
        """Create a database if it is not there; says whether it was created."""
        own = self._own_url(self._meeting_place())
        full = self.prefix + name
        if full in self._names(own):
            return False
        _execute(own, [self._create_statement(full)])
        return True

    def drop_all(self) -> list[str]:
        """Drop every database with this cloud's prefix and the user; returns the names."""
        own = self._own_url(self._meeting_place())
        try:
            names = [name for name in self._names(own) if name.startswith(self.prefix)]
        except sa.exc.OperationalError:
            return []  # the user is gone, so nothing of this cloud is left
        _execute(own, [self._drop_statement(name) for name in names])
        self._as_admin([f"DROP USER {self._quoted_user()}"])
        return names

    def _own_url(self, database: str | None) -> sa.URL:
        return self.admin.set(
            drivername=self.driver, username=self.user, password=self.password, database=database
        )

    def _create_user(self) -> None:
        self._as_admin(self._user_statements())

    def _as_admin(self, statements: list[str]) -> None:
        url = self.admin.set(drivername=self.driver, database=self._meeting_place())
        try:
            _execute(url, statements)
        except sa.exc.OperationalError as error:
            if os.geteuid() != 0 or not self._as_root(statements):
                raise Trouble(
                    f"{self.server} on {self.admin.host}:{self.admin.port} does not let user "
                    f"{self.admin.username!r} in as administrator ({error.orig}); name one who may create "
                    f"users and databases with --{self.server.lower()}-url."
                ) from error

    @abstractmethod
    def _meeting_place(self) -> str | None:
        """A database that always exists, for statements that concern the whole server."""

    @abstractmethod
    def _names(self, url: sa.URL) -> list[str]:
        """All databases that the user of ``url`` can see."""

    @abstractmethod
    def _user_statements(self) -> list[str]: ...

    @abstractmethod
    def _as_root(self, statements: list[str]) -> bool:
        """The administrator's other door: the machine's root, through the local socket."""

    @abstractmethod
    def _quoted_user(self) -> str: ...

    @abstractmethod
    def _create_statement(self, name: str) -> str: ...

    @abstractmethod
    def _drop_statement(self, name: str) -> str: ...


class MariaDB(Databases):
    """On MariaDB or MySQL."""

    driver = "mysql+pymysql"
    server = "MySQL"
    socket = "/run/mysqld/mysqld.sock"

    def url(self, name: str) -> str:
        """With the character set of ``create``."""
        url = self._own_url(self.prefix + name).update_query_dict({"charset": "utf8mb4"})
        return url.render_as_string(hide_password=False)

    def _meeting_place(self) -> str | None:
        return None

    def _names(self, url: sa.URL) -> list[str]:
        return _query(url, "SHOW DATABASES")

    def _quoted_user(self) -> str:
        return f"'{self.user}'@'%'"

    def _user_statements(self) -> list[str]:
        pattern = self.prefix.replace("_", r"\_")
        return [
            f"CREATE OR REPLACE USER {self._quoted_user()} IDENTIFIED BY '{self.password}'",
            f"GRANT ALL ON `{pattern}%`.* TO {self._quoted_user()}",
        ]

    def _as_root(self, statements: list[str]) -> bool:
        url = sa.URL.create(self.driver, "root", query={"unix_socket": self.socket})
        try:
            _execute(url, statements)
        except sa.exc.OperationalError:
            return False
        return True

    def _create_statement(self, name: str) -> str:
        return f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4"

    def _drop_statement(self, name: str) -> str:
        return f"DROP DATABASE `{name}`"


class PostgreSQL(Databases):
    """On PostgreSQL."""

    driver = "postgresql+psycopg2"
    server = "PostgreSQL"

    def _meeting_place(self) -> str | None:
        return "postgres"

    def _names(self, url: sa.URL) -> list[str]:
        return _query(url, "SELECT datname FROM pg_database")

    def _quoted_user(self) -> str:
        return f'"{self.user}"'

    def _user_statements(self) -> list[str]:
        user, login = self._quoted_user(), f"LOGIN CREATEDB PASSWORD '{self.password}'"
        return [f"DROP ROLE IF EXISTS {user}", f"CREATE ROLE {user} {login}"]

    def _as_root(self, statements: list[str]) -> bool:
        done = subprocess.run(
            [
                "runuser",
                "-u",
                "postgres",
                "--",
                "psql",
                "-v",
                "ON_ERROR_STOP=1",
                "-p",
                str(self.admin.port),
            ],
            input=";\n".join(statements) + ";\n",
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode == 0

    def _create_statement(self, name: str) -> str:
        return f"CREATE DATABASE \"{name}\" ENCODING 'UTF8' TEMPLATE template0"

    def _drop_statement(self, name: str) -> str:
        return f'DROP DATABASE "{name}" WITH (FORCE)'


def _execute(url: sa.URL, statements: list[str]) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def _query(url: sa.URL, statement: str) -> list[str]:
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        return [str(row[0]) for row in connection.execute(sa.text(statement))]
