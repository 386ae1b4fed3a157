"""Alembic's environment: runs migrations on the connection that ``magnum.db.migrations`` hands over."""

from alembic import context

from magnum.db.models import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
