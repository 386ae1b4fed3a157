"""Transactions: ``reader(context)`` and ``writer(context)``, on oslo.db's engine facade.

A store's function opens exactly one of them. SQLite is served as carefully as the two servers: see
:func:`_prepare_sqlite`.
"""

import contextlib
import contextvars
import functools
import os
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar, cast

from oslo_db import api as oslo_db_api
from oslo_db import exception as db_exception
from oslo_db.sqlalchemy import enginefacade
from sqlalchemy import Connection, CursorResult, Engine, Executable, Update, event, update
from sqlalchemy.orm import Session

from magnum.common import metrics
from magnum.common.context import RequestContext
from magnum.conf import CONF

P = ParamSpec("P")
R = TypeVar("R")

_writing: contextvars.ContextVar[bool] = contextvars.ContextVar("writing", default=False)

# Options of [database] that oslo.db's facade does not take.
_NOT_OF_THE_FACADE = (
    "backend",
    "use_db_reconnect",
    "db_retry_interval",
    "db_inc_retry_interval",
    "db_max_retry_interval",
    "db_max_retries",
)

_facade = enginefacade.transaction_context()


def configure(connection: str | None = None) -> None:
    """Point this process at its database, afresh. Called at start, and by tests.

    :param connection: URL of the database; None takes ``[database] connection``.
    """
    global _facade
    options = {key: value for key, value in CONF.database.items() if value is not None}
    options["connection"] = connection or options["connection"]
    for name in _NOT_OF_THE_FACADE:
        options.pop(name, None)
    # Yielding to other green threads at every return of a connection; ours are native.
    options["thread_checkin"] = False
    facade = enginefacade.transaction_context()
    facade.configure(**options)
    facade.append_on_engine_create(_prepare)
    _facade = facade


def engine() -> Engine:
    """The engine of this process, for migrations and for tests that count statements."""
    made: Engine = _facade.writer.get_engine()
    return made


@contextlib.contextmanager
def reader(context: RequestContext) -> Iterator[Session]:
    """A transaction that only reads."""
    with _facade.reader.using(context) as session:
        yield session


@contextlib.contextmanager
def writer(context: RequestContext) -> Iterator[Session]:
    """A transaction that may write; commits at the end, rolls back on any exception."""
    token = _writing.set(True)
    try:
        with _facade.writer.using(context) as session:
            yield session
    finally:
        _writing.reset(token)


def changing(model: type[Any]) -> Update:
    """An UPDATE of a model's table, and of nothing in memory: sessions here are short, and records read-only."""
    return update(model).execution_options(synchronize_session=False)


def affected(session: Session, statement: Executable) -> int:
    """Carry out an UPDATE or DELETE and say how many rows it found."""
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def retried(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a store's function that writes: run it again when the database broke a deadlock or lost us.

    Safe, because each such function is one transaction.
    """

    @functools.wraps(function)
    def counted(*given: P.args, **named: P.kwargs) -> R:
        try:
            return function(*given, **named)
        except (db_exception.DBDeadlock, db_exception.DBConnectionError) as error:
            metrics.transaction_broken(error)
            raise

    wrapped: Callable[P, R] = oslo_db_api.wrap_db_retry(
        max_retries=5,
        retry_interval=0.05,
        max_retry_interval=1,
        inc_retry_interval=True,
        jitter=True,
        retry_on_deadlock=True,
        retry_on_disconnect=True,
    )(counted)
    return wrapped


def _prepare(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)


def _prepare_sqlite(engine: Engine) -> None:
    """Make one SQLite file safe for several processes.

    A write-ahead log, so that readers and the one writer do not stop each other; and BEGIN IMMEDIATE for writers,
    because a transaction that reads first and writes later fails at once, without waiting, when somebody else has
    committed in between.
    """
    if (path := engine.url.database) and path != ":memory:":
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)

    @event.listens_for(engine, "connect")
    def pragmas(dbapi: Any, record: Any) -> None:
        for pragma in (
            "journal_mode=WAL",
            "busy_timeout=30000",
            "synchronous=NORMAL",
            "foreign_keys=ON",
        ):
            dbapi.execute(f"PRAGMA {pragma}")

    # oslo.db sends a plain BEGIN. The order of two listeners to "begin" is not the same in every SQLAlchemy.
    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def begin(
        connection: Connection, cursor: Any, statement: str, parameters: Any, *_: Any
    ) -> tuple[str, Any]:
        immediate = statement == "BEGIN" and _writing.get()
        return ("BEGIN IMMEDIATE" if immediate else statement), parameters
