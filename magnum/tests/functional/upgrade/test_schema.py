"""The migrations lead to the tables that the models describe, on every database."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from magnum.db import session
from magnum.db.models import Base
from magnum.tests import engine


@pytest.fixture
def newest(database_url: str) -> sa.Engine:
    """A database with the newest schema."""
    engine.use_database(database_url)
    return session.engine()


def differences(connection: sa.Connection) -> list[object]:
    options = {"compare_type": True, "compare_server_default": True}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, Base.metadata))


def test_models_and_migrations_agree(newest: sa.Engine) -> None:
    with newest.connect() as connection:
        assert differences(connection) == []


def test_a_difference_would_be_seen(newest: sa.Engine) -> None:
    with newest.begin() as connection:
        change = Operations(MigrationContext.configure(connection))
        change.add_column("bay", sa.Column("size", sa.Integer()))
        change.drop_index("ix_event_created_at", "event")
    with newest.connect() as connection:
        assert len(differences(connection)) == 2
