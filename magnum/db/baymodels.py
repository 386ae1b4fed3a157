"""The store of baymodels. Every function needs a context, and shows it only what its project may see."""

from collections.abc import Mapping
from typing import Any

from oslo_utils import timeutils
from sqlalchemy import (
    ColumnElement,
    and_,
    exists,
    or_,
    select,
)
from sqlalchemy import (
    delete as sql_delete,
)
from sqlalchemy import (
    update as sql_update,
)
from sqlalchemy.orm import Session

from magnum.common import errors, ids
from magnum.common.context import RequestContext
from magnum.db import paging
from magnum.db.models import UNFINISHED, Bay, BayModel, Operation
from magnum.db.paging import Page
from magnum.db.queue import UPGRADE
from magnum.db.session import affected, reader, retried, writer


class BayModelNotFound(errors.NotFound):
    """No such baymodel in what the caller may see."""

    code = "BAYMODEL_NOT_FOUND"


def sort_keys() -> frozenset[str]:
    """What a list may be sorted by."""
    return _SORT_KEYS


_SORT_KEYS = paging.sortable(BayModel)


def _visible(context: RequestContext, *, all_projects: bool) -> ColumnElement[bool] | None:
    """Own ones, and public ones that are not hidden (contract 2.1, "Visibility")."""
    if all_projects:
        return None
    shared = and_(BayModel.public.is_(True), BayModel.hidden.is_(False))
    own = BayModel.project_id == context.project_id
    return or_(own, shared)


def get(context: RequestContext, ident: str, *, all_projects: bool = False) -> BayModel:
    """One baymodel by uuid or name.

    Raises BayModelNotFound, or Conflict when several that the caller sees have that name.
    """
    column = BayModel.uuid if ids.is_uuid(ident) else BayModel.name
    statement = select(BayModel).where(column == ident).limit(2)
    visible = _visible(context, all_projects=all_projects)
    if visible is not None:
        statement = statement.where(visible)
    with reader(context) as session:
        found = session.scalars(statement).all()
    if not found:
        raise BayModelNotFound(f"Baymodel {ident} could not be found.")
    if len(found) > 1:
        raise errors.Conflict(f"Several baymodels are named {ident}, use the uuid.")
    return found[0]


def page(context: RequestContext, page: Page, *, all_projects: bool = False) -> list[BayModel]:
    """One page of a list. Raises NotFound for an unknown marker, BadRequest for an unknown sort key."""
    paging.checked(page, _SORT_KEYS)
    statement = paging.ordered(select(BayModel), BayModel, page)
    visible = _visible(context, all_projects=all_projects)
    if visible is not None:
        statement = statement.where(visible)
    if page.marker is not None:
        try:
            marker = get(context, page.marker, all_projects=all_projects)
        except BayModelNotFound as error:
            raise BayModelNotFound(
                f"Marker {page.marker} could not be found.", field="marker"
            ) from error
        statement = statement.where(paging.after(BayModel, page, marker))
    with reader(context) as session:
        return list(session.scalars(statement))


@retried
def create(context: RequestContext, values: Mapping[str, Any]) -> BayModel:
    """Store a new baymodel of the caller's project and return it."""
    record = BayModel(
        **{
            "uuid": ids.new_uuid(),
            "project_id": context.project_id,
            "user_id": context.user_id,
            **values,
        }
    )
    with writer(context) as session:
        session.add(record)
        session.flush()
    return record


@retried
def update(context: RequestContext, uuid: str, values: Mapping[str, Any]) -> BayModel:
    """Change a baymodel and return it as it is now. The caller has checked that it may.

    Raises BayModelNotFound when it has gone meanwhile.
    """
    with writer(context) as session:
        session.execute(
            sql_update(BayModel)
            .where(BayModel.uuid == uuid)
            .values(**values, updated_at=timeutils.utcnow())
        )
        record = session.scalars(select(BayModel).where(BayModel.uuid == uuid)).one_or_none()
    if record is None:
        raise BayModelNotFound(f"Baymodel {uuid} could not be found.")
    return record


@retried
def delete(context: RequestContext, uuid: str) -> None:
    """Delete a baymodel. Raises InUse while bays refer to it, BayModelNotFound when it has gone meanwhile."""
    with writer(context) as session:
        unused = ~exists().where(Bay.baymodel_id == uuid)
        if uuid in _left_behind(session):
            raise errors.InUse(f"Baymodel {uuid} is what a bay has until its upgrade is done.")
        gone = affected(session, sql_delete(BayModel).where(BayModel.uuid == uuid, unused))
        if gone:
            return
        if session.scalar(select(BayModel.id).where(BayModel.uuid == uuid)) is None:
            raise BayModelNotFound(f"Baymodel {uuid} could not be found.")
    raise errors.InUse(f"Baymodel {uuid} is referenced by one or more bays.")


def _left_behind(session: Session) -> set[str]:
    """The baymodels of bays whose upgrade has not ended: they are theirs until it begins."""
    undone = session.scalars(
        select(Operation.undo).where(
            Operation.verb == UPGRADE,
            Operation.state.in_(UNFINISHED),
            Operation.undo.is_not(None),
        )
    )
    return {undo["bay"].get("baymodel_id") for undo in undone if undo}


def is_used(context: RequestContext, uuid: str) -> bool:
    """Whether a bay refers to it."""
    with reader(context) as session:
        return session.scalar(select(Bay.id).where(Bay.baymodel_id == uuid).limit(1)) is not None
