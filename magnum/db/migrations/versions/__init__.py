"""The migrations, oldest first. Alembic reads them as scripts."""
