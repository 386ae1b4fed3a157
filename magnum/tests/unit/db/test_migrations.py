"""Migrations expand first: the release before must be able to run on the newest schema (``design.md``, section 4).

Each migration behind the first only adds: tables, columns that a writer who does not know them may leave out, and
indexes that forbid nothing. A migration that takes something away is a *contract* migration and says so in its file's
name, ``vNNNN_contract_<what>.py``. It belongs into the release after the one whose code no longer uses the thing;
that the release before can live with it is for :mod:`magnum.tests.functional.upgrade.test_rolling` to show.
"""

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.operations import AbstractOperations, Operations
from alembic.operations.ops import (
    AddColumnOp,
    AlterColumnOp,
    CreateIndexOp,
    CreateTableOp,
    CreateUniqueConstraintOp,
    DropColumnOp,
    DropTableOp,
    ExecuteSQLOp,
    MigrateOperation,
)
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from magnum.db import migrations

SCRIPTS = ScriptDirectory(str(Path(migrations.__file__).parent))
#: Oldest first.
REVISIONS = list(reversed(list(SCRIPTS.walk_revisions())))
FILE = re.compile(r"v(?P<revision>\d{4})_(?P<contract>contract_)?[a-z0-9_]+\.py")


def asked_by(upgrade: Callable[[], None]) -> list[MigrateOperation]:
    """What a migration asks for; nothing of it is done."""
    asked: list[MigrateOperation] = []
    nowhere = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True})
    with pytest.MonkeyPatch.context() as patch, Operations.context(nowhere):
        # All functions of alembic.op end here, those of its blocks about one table too.
        patch.setattr(AbstractOperations, "invoke", lambda self, operation: asked.append(operation))
        upgrade()
    return asked


def takes_away(operations: list[MigrateOperation]) -> list[str]:
    """What of these operations the release before could not live with, in words."""
    made: set[str] = set()
    found = []
    for operation in operations:
        match operation:
            case CreateTableOp():
                made.add(operation.table_name)
            case AddColumnOp(column=column):
                if not column.nullable and column.server_default is None:
                    found.append(f"{column.name} must be written by those who do not know it")
                if column.unique or column.foreign_keys or column.constraints:
                    found.append(f"{column.name} forbids something")
            case CreateIndexOp(unique=True) if operation.table_name not in made:
                found.append(f"index {operation.index_name} forbids something")
            case CreateIndexOp():
                pass
            case _:
                found.append(f"{type(operation).__name__} does more than add")
    return found


def script(revision: str) -> ModuleType:
    found = SCRIPTS.get_revision(revision)
    assert found is not None
    return found.module


def test_revisions_are_numbered_in_one_line() -> None:
    assert SCRIPTS.get_heads() == [REVISIONS[-1].revision]
    for number, found in enumerate(REVISIONS, 1):
        name = FILE.fullmatch(Path(found.path).name)
        assert name, f"{found.path} is not called vNNNN_<what>.py"
        assert name["revision"] == found.revision == f"{number:04}"
        assert found.down_revision == (f"{number - 1:04}" if number > 1 else None)


@pytest.mark.parametrize("revision", [found.revision for found in REVISIONS[1:]])
def test_a_migration_only_adds_unless_its_name_says_otherwise(revision: str) -> None:
    module = script(revision)
    assert module.__file__
    name = FILE.fullmatch(Path(module.__file__).name)
    found = takes_away(asked_by(module.upgrade))
    assert name
    assert bool(found) == bool(name["contract"]), found or "a contract migration takes nothing away"


def test_the_first_migration_is_recorded_whole() -> None:
    asked = asked_by(script("0001").upgrade)
    tables = {made.table_name for made in asked if isinstance(made, CreateTableOp)}
    assert tables == {"baymodel", "bay", "nodegroup", "operation", "event", "project", "quotas"}
    indexes = {made.index_name for made in asked if isinstance(made, CreateIndexOp)}
    assert "ix_operation_bay_uuid_state" in indexes
    assert takes_away(asked) == []


@pytest.mark.parametrize(
    "operation",
    [
        AddColumnOp("bay", sa.Column("size", sa.Integer(), nullable=False)),
        AddColumnOp("bay", sa.Column("size", sa.Integer(), unique=True)),
        AddColumnOp("bay", sa.Column("size", sa.Integer(), sa.ForeignKey("bay.id"))),
        AlterColumnOp("bay", "name", modify_nullable=False),
        CreateIndexOp("ix", "bay", ["name"], unique=True),
        CreateUniqueConstraintOp("uq", "bay", ["name"]),
        DropColumnOp("bay", "name"),
        DropTableOp("bay"),
        ExecuteSQLOp("UPDATE bay SET name = NULL"),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_what_more_than_adds_is_seen(operation: MigrateOperation) -> None:
    assert takes_away([operation])


@pytest.mark.parametrize(
    "column",
    [
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False, server_default="0"),
    ],
)
def test_what_adds_is_let_through(column: sa.Column[int]) -> None:
    table = CreateTableOp("new", [sa.Column("id", sa.Integer(), primary_key=True)])
    unique = CreateIndexOp("ix_new", "new", ["id"], unique=True)
    plain = CreateIndexOp("ix_bay_name", "bay", ["name"])
    assert takes_away([AddColumnOp("bay", column), table, unique, plain]) == []


def test_a_block_about_one_table_is_recorded_too() -> None:
    def upgrade() -> None:
        with op.batch_alter_table("bay") as batch:
            batch.add_column(sa.Column("size", sa.Integer(), nullable=False))
            batch.drop_column("name")

    first, second = asked_by(upgrade)
    assert isinstance(first, AddColumnOp)
    assert isinstance(second, DropColumnOp)
    assert (first.table_name, second.table_name) == ("bay", "bay")
