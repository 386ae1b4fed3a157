"""The database's own clock in SQL. Leases are measured by it alone, so that machines need not agree on the time."""

from typing import Any

from sqlalchemy import DateTime, Float, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import coercions, roles
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.sql.visitors import InternalTraversal


class now(ColumnElement[Any]):
    """UTC now on the database's clock, plus ``seconds``: a number, which may be negative, or a column."""

    type = DateTime()
    inherit_cache = True
    _traverse_internals = [("seconds", InternalTraversal.dp_clauseelement)]

    def __init__(self, seconds: float | Any = 0.0) -> None:
        number = isinstance(seconds, int | float)
        self.seconds = (
            bindparam(None, float(seconds), type_=Float())
            if number
            else coercions.expect(roles.ExpressionElementRole, seconds)
        )


@compiles(now, "postgresql")
def _postgresql(element: now, compiler: Any, **kw: Any) -> str:
    seconds = compiler.process(element.seconds, **kw)
    return f"(timezone('utc', clock_timestamp()) + make_interval(secs => {seconds}))"


@compiles(now, "mysql", "mariadb")
def _mysql(element: now, compiler: Any, **kw: Any) -> str:
    seconds = compiler.process(element.seconds, **kw)
    return f"(UTC_TIMESTAMP(6) + INTERVAL (({seconds}) * 1000000) MICROSECOND)"


@compiles(now, "sqlite")
def _sqlite(element: now, compiler: Any, **kw: Any) -> str:
    seconds = compiler.process(element.seconds, **kw)
    # Six digits, as SQLAlchemy writes them: the texts are compared as texts.
    return f"(strftime('%Y-%m-%d %H:%M:%f000', 'now', ({seconds}) || ' seconds'))"
