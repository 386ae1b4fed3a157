"""The API in process: the real application on a real SQLite database, with the token check replaced by headers."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from wsgiref.types import WSGIApplication

import pytest

from magnum.api import app
from magnum.conf import CONF
from magnum.db import migrations, session
from magnum.drivers import catalogue
from magnum.policies import enforcer
from magnum.tests import world as worlds
from magnum.tests.api import (
    EVERYTHING,
    MEMBER,
    Client,
    FixedDriver,
    Settings,
    SwarmDriver,
    trusting,
)


@pytest.fixture
def config() -> Iterator[Settings]:
    """The configuration: no files, and a cloud without services, so that nothing is asked."""
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
    settings = Settings()
    settings("cloud", absent_services=EVERYTHING)
    enforcer.decisions.cache_clear()
    yield settings
    settings.undo()
    enforcer.decisions.cache_clear()


@pytest.fixture
def drivers(monkeypatch: pytest.MonkeyPatch) -> catalogue.Catalogue:
    """The drivers that exist in these tests."""
    known = catalogue.Catalogue([SwarmDriver(), FixedDriver()])
    monkeypatch.setattr(catalogue, "catalogue", lambda: known)
    return known


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the newest schema, to be copied: to run the migrations takes its time."""
    path = tmp_path_factory.mktemp("schema") / "empty.sqlite"
    session.configure(f"sqlite:///{path}")
    migrations.upgrade(session.engine())
    with session.engine().connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    session.engine().dispose()
    return path


@pytest.fixture
def database(tmp_path: Path, empty_database: Path, config: Settings) -> Iterator[None]:
    """A database of its own for each test."""
    path = shutil.copy(empty_database, tmp_path / "magnum.sqlite")
    session.configure(f"sqlite:///{path}")
    yield
    session.engine().dispose()


@pytest.fixture
def wsgi(database: None, drivers: catalogue.Catalogue) -> WSGIApplication:
    """The application."""
    return app.make(auth=trusting)


Callers = Callable[..., Client]


@pytest.fixture
def caller(wsgi: WSGIApplication) -> Callers:
    """Make a caller with this project, user and these roles."""

    def make(project: str = "p1", user: str = "u1", roles: str = MEMBER, **more: str) -> Client:
        return Client(wsgi, Project_Id=project, User_Id=user, Roles=roles, **more)

    return make


@pytest.fixture
def demo(caller: Callers) -> Client:
    """A member of project p1."""
    return caller()


@pytest.fixture
def other(caller: Callers) -> Client:
    """A member of project p2."""
    return caller(project="p2", user="u2")


@pytest.fixture
def reader(caller: Callers) -> Client:
    """One who may only look in project p1."""
    return caller(user="u3", roles="reader")


@pytest.fixture
def admin(caller: Callers) -> Client:
    """The cloud's administrator, at home in project p0."""
    return caller(project="p0", user="u0", roles="admin,member,reader")


@pytest.fixture
def nobody(wsgi: WSGIApplication) -> Client:
    """Somebody without a token."""
    client = Client(wsgi)
    client.headers.clear()
    return client


@pytest.fixture(scope="module")
def world(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[worlds.World]:
    """A service of the module's own, in which every route has something to succeed on."""
    with worlds.made(tmp_path_factory.mktemp("world"), empty_database) as made:
        yield made
