"""The rules of the tests themselves hold: fresh databases, and no connection from a unit test."""

import socket

import pytest
import sqlalchemy


def test_a_database_is_fresh_and_ours(database_url: str) -> None:
    engine = sqlalchemy.create_engine(database_url, poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        assert sqlalchemy.inspect(connection).get_table_names() == []
        connection.execute(sqlalchemy.text("CREATE TABLE numbers (number INTEGER)"))
        connection.execute(sqlalchemy.text("INSERT INTO numbers VALUES (1)"))
        assert connection.execute(sqlalchemy.text("SELECT number FROM numbers")).scalar() == 1


def test_a_unit_test_cannot_connect() -> None:
    with socket.socket() as connection, pytest.raises(AssertionError, match="must not connect"):
        connection.connect(("127.0.0.1", 1))
