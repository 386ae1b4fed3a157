"""Make the SQLite file of an OpenStack service safe for many threads.

Used by the embedded Keystone and Heat only (``embedded.py``); our own service needs none of it. A plain
SQLite behind oslo.db has three faults, all of which were met under a few parallel stacks:

* ``database is locked``, at once and whatever the timeout: oslo.db opens every transaction with a deferred
  BEGIN, and SQLite refuses to turn a reader into a writer after somebody else has committed. Cure: a
  transaction that is going to write says so when it begins (``BEGIN IMMEDIATE``) and waits its turn.
* Rows that change hands: SQLite gives the highest id out again after a delete, and Heat relies on ids
  that never return (a resource would lose its properties). Cure: AUTOINCREMENT on integer keys.
* Readers that block the writer. Cure: the write-ahead log, and a busy timeout.

It uses public interfaces of oslo.db and SQLAlchemy, and relies on oslo.db sending the statement ``BEGIN``
itself; ``quickstart-requirements.txt`` pins both.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateTable

from tools.openstack.config import Value

BUSY_TIMEOUT = 60  # seconds that a writer waits for its turn


def options(path: Path) -> dict[str, Value]:
    """The section ``[database]`` of a service whose database is the file ``path``.

    The same file is named twice: oslo.db then keeps an engine for writers and another one for readers,
    which is how ``install`` tells them apart.
    """
    url = _url(path)
    return {"connection": url, "slave_connection": url, "sqlite_synchronous": False}


def create(path: Path) -> None:
    """Make the file, where it is missing, and switch it to the write-ahead log (which it remembers)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


def migrate(path: Path, upgrade: Callable[[Engine], object]) -> None:
    """Let ``upgrade`` bring the schema up to date, on an engine of its own.

    Not on the service's: migrations look at the schema on a second connection in the middle of a
    transaction, and would wait for themselves.
    """
    engine = create_engine(_url(path))
    try:
        upgrade(engine)
    finally:
        engine.dispose()


def install(manager: Any) -> None:
    """Make the writers of an oslo.db transaction context manager begin as writers.

    Call it before the first transaction.

    :param manager: what ``oslo_db.sqlalchemy.enginefacade.transaction_context()`` returned.
    """
    manager.configure(synchronous_reader=False)  # readers use the second engine

    def on_engine_create(engine: Engine) -> None:
        def rewrite(
            connection: Connection, cursor: Any, statement: str, parameters: Any, *rest: Any
        ) -> tuple[str, Any]:
            if statement == "BEGIN" and engine is not manager.reader.get_engine():
                statement = "BEGIN IMMEDIATE"
            return statement, parameters

        event.listen(engine, "before_cursor_execute", rewrite, retval=True)

    manager.append_on_engine_create(on_engine_create)


def _url(path: Path) -> str:
    return f"sqlite:///{path}?timeout={BUSY_TIMEOUT}"


@compiles(CreateTable, "sqlite")
def _create_table(element: CreateTable, compiler: Any, **options: Any) -> str:
    """Have SQLAlchemy add AUTOINCREMENT wherever a table has one integer key."""
    element.element.dialect_options["sqlite"]["autoincrement"] = True
    text: str = compiler.visit_create_table(element, **options)
    return text
