"""What operations and bays need to be woken by the cloud, cancelled, and to name what failed and what is left."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Expand only: the release before neither writes nor reads these, and its rows stay valid."""
    for column in ("faults", "leftovers", "undo"):
        op.add_column("operation", sa.Column(column, sa.JSON(), nullable=True))
    for column in ("wakes", "wakes_seen"):
        counter = sa.Column(column, sa.Integer(), nullable=False, server_default="0")
        op.add_column("operation", counter)
    op.add_column("bay", sa.Column("faults", sa.JSON(), nullable=True))
