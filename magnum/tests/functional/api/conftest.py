"""The API in front of each kind of database."""

from collections.abc import Callable, Iterator

import pytest

from magnum.api import app
from magnum.conf import CONF
from magnum.db import session
from magnum.drivers import catalogue
from magnum.policies import enforcer
from magnum.tests import engine
from magnum.tests.api import (
    EVERYTHING,
    MEMBER,
    Client,
    FixedDriver,
    Settings,
    SwarmDriver,
    trusting,
)

Callers = Callable[[str], Client]


@pytest.fixture
def member_of(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callers]:
    """Members of projects, in front of the application on a fresh database."""
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
    settings = Settings()
    settings("cloud", absent_services=EVERYTHING)
    settings("quotas", max_clusters_per_project=-1)
    enforcer.decisions.cache_clear()
    known = catalogue.Catalogue([SwarmDriver(), FixedDriver()])
    monkeypatch.setattr(catalogue, "catalogue", lambda: known)
    engine.use_database(database_url)
    application = app.make(auth=trusting)
    yield lambda project: Client(application, Project_Id=project, User_Id="u1", Roles=MEMBER)
    session.engine().dispose()
    settings.undo()


@pytest.fixture
def demo(member_of: Callers) -> Client:
    """A member of project p1."""
    return member_of("p1")
