"""Where a bay keeps how its driver was chosen."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Expand only: the release before neither writes nor reads it."""
    op.add_column("bay", sa.Column("placement", sa.JSON(), nullable=True))
