"""The cloud's databases on real servers."""

import os
import secrets
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tools.openstack.databases import Databases, MariaDB, PostgreSQL

SERVERS = [
    pytest.param((MariaDB, "MAGNUM_TEST_MYSQL"), id="mysql", marks=pytest.mark.mysql),
    pytest.param(
        (PostgreSQL, "MAGNUM_TEST_POSTGRESQL"), id="postgresql", marks=pytest.mark.postgresql
    ),
]


@pytest.fixture(params=SERVERS)
def databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    kind, variable = request.param
    if variable not in os.environ:
        pytest.skip(f"{variable} is not set")
    here = kind(sa.make_url(os.environ[variable]), f"cloudtest_{secrets.token_hex(3)}_", "secret")
    here.ensure_user()
    yield here
    here.drop_all()


def test_are_made_once(databases: Databases) -> None:
    assert databases.create("nova")
    assert not databases.create("nova")
    with databases.engine("nova").connect() as connection:
        assert connection.execute(sa.text("SELECT 1")).scalar_one() == 1


def test_the_url_works_as_it_is_written_into_a_configuration(databases: Databases) -> None:
    databases.create("nova")
    engine = sa.create_engine(databases.url("nova"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE t (word VARCHAR(10))"))
        connection.execute(sa.text("INSERT INTO t VALUES ('žluť')"))
        assert connection.execute(sa.text("SELECT word FROM t")).scalar_one() == "žluť"


def test_the_user_is_kept(databases: Databases) -> None:
    databases.create("nova")
    databases.ensure_user()
    assert not databases.create("nova")


def test_wiping_takes_our_databases_and_no_others(databases: Databases) -> None:
    databases.create("nova")
    neighbour = type(databases)(databases.admin, "cloudtest_zz_", "other")
    neighbour.ensure_user()
    neighbour.create("nova")
    try:
        assert databases.drop_all() == [f"{databases.prefix}nova"]
        assert databases.drop_all() == []
        assert not neighbour.create("nova")
    finally:
        assert neighbour.drop_all() == ["cloudtest_zz_nova"]
