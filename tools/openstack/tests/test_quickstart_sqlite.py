"""The SQLite shim on a real file, with real oslo.db transactions in several threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from oslo_db.sqlalchemy import enginefacade
from sqlalchemy import Column, Integer, MetaData, Table, delete, func, insert, select

from tools.openstack import sqlite

THINGS = Table("things", MetaData(), Column("id", Integer, primary_key=True), Column("n", Integer))


@enginefacade.transaction_context_provider
class Context:
    """What oslo.db keeps a transaction on."""


@pytest.fixture(name="manager")
def a_manager(tmp_path: Path) -> Any:
    path = tmp_path / "things.db"
    sqlite.create(path)
    sqlite.migrate(path, THINGS.metadata.create_all)
    manager = enginefacade.transaction_context()
    options = sqlite.options(path)
    manager.configure(**options)
    sqlite.install(manager)
    return manager


def in_threads(work: Callable[[int], object], count: int) -> None:
    with ThreadPoolExecutor(count) as pool:
        for result in [pool.submit(work, number) for number in range(count)]:
            result.result()


def test_readers_that_become_writers_take_turns(manager: Any) -> None:
    def count_up(number: int) -> None:
        for _ in range(20):
            with manager.writer.using(Context()) as session:
                seen = session.execute(select(func.count()).select_from(THINGS)).scalar()
                session.execute(insert(THINGS).values(n=seen))

    in_threads(count_up, 6)
    with manager.reader.using(Context()) as session:
        assert sorted(session.scalars(select(THINGS.c.n))) == list(range(120))


def test_a_reader_does_not_stop_a_writer(manager: Any) -> None:
    with manager.reader.using(Context()) as reading:
        assert reading.execute(select(func.count()).select_from(THINGS)).scalar() == 0
        with ThreadPoolExecutor(1) as pool:
            pool.submit(add, manager, 7).result(timeout=120)
        assert reading.execute(select(func.count()).select_from(THINGS)).scalar() == 0
    with manager.reader.using(Context()) as later:
        assert later.scalars(select(THINGS.c.n)).all() == [7]


def test_an_id_never_comes_back(manager: Any) -> None:
    first = add(manager, 1)
    with manager.writer.using(Context()) as session:
        session.execute(delete(THINGS))
    assert add(manager, 2) > first


def add(manager: Any, n: int) -> int:
    with manager.writer.using(Context()) as session:
        return int(session.execute(insert(THINGS).values(n=n)).inserted_primary_key[0])
