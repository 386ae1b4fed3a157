"""Pages of lists (contract 1.6): limit, marker, sort key and direction, in one statement each."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import JSON, ColumnElement, Select, and_, or_
from sqlalchemy.orm import InstrumentedAttribute

from magnum.common import errors
from magnum.db.models import Base

S = TypeVar("S", bound=Select[Any])


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: at most ``limit`` rows after the row whose uuid is ``marker``."""

    limit: int
    marker: str | None = None
    sort_key: str = "id"
    sort_dir: str = "asc"


def sortable(model: type[Base], but: Collection[str] = ()) -> frozenset[str]:
    """The columns that a list may be sorted by: not documents, which some databases have no order for.

    :param but: columns that are nobody's business.
    """
    columns = model.__table__.columns
    return frozenset(one.key for one in columns if not isinstance(one.type, JSON)) - set(but)


def checked(page: Page, allowed: Collection[str]) -> Page:
    """The page as it came. Raises BadRequest for a sort key that is not allowed."""
    if page.sort_key not in allowed:
        raise errors.BadRequest(f"Unknown sort_key '{page.sort_key}'", field="sort_key")
    return page


def ordered(statement: S, model: Any, page: Page) -> S:
    """Order and limit a statement, without the marker. The counter breaks ties, so that pages never overlap."""
    key: InstrumentedAttribute[Any] = getattr(model, page.sort_key)
    columns = [key] if key is model.id else [key.is_(None), key, model.id]
    down = page.sort_dir == "desc"
    order = [column.desc() if down else column.asc() for column in columns]
    return statement.order_by(*order).limit(page.limit)


def after(model: Any, page: Page, marker: Any) -> ColumnElement[bool]:
    """The condition that a row stands behind the marker's row in the page's order. Nulls stand last when ascending."""
    key: InstrumentedAttribute[Any] = getattr(model, page.sort_key)
    down = page.sort_dir == "desc"
    beyond_id: ColumnElement[bool] = model.id < marker.id if down else model.id > marker.id
    if key is model.id:
        return beyond_id
    value = getattr(marker, page.sort_key)
    tie = and_(key.is_(None) if value is None else key == value, beyond_id)
    if value is None:
        return or_(key.is_not(None), tie) if down else tie
    beyond = key < value if down else or_(key > value, key.is_(None))
    return or_(beyond, tie)
