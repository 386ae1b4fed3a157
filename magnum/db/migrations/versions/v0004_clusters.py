"""What running clusters need: secrets, questions to drivers, sites, health, node groups, silent services."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
LONG = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
OPTIONS: dict[str, Any] = {
    "mysql_charset": "utf8mb4",
    "mysql_engine": "InnoDB",
    "sqlite_autoincrement": True,
}

revision = "0004"
down_revision = "0003"


def _key() -> sa.Column[int]:
    return sa.Column("id", sa.Integer(), autoincrement=True, nullable=False)


def upgrade() -> None:
    """Expand only: the release before neither writes nor reads these, and its rows stay valid."""
    for column in ("hints", "site", "utilisation"):
        op.add_column("bay", sa.Column(column, sa.JSON(none_as_null=True), nullable=True))
    for column in ("zone", "bay_user_id"):
        op.add_column("bay", sa.Column(column, sa.String(255), nullable=True))
    for column in ("ca_expires_at", "ca_warned_at", "health_due_at"):
        op.add_column("bay", sa.Column(column, MOMENT, nullable=True))
    for column in ("node_labels", "node_taints"):
        op.add_column("nodegroup", sa.Column(column, sa.JSON(none_as_null=True), nullable=True))
    op.add_column("nodegroup", sa.Column("unwanted", sa.Boolean(), nullable=True))
    op.create_index(op.f("ix_bay_health_due_at"), "bay", ["health_due_at"])
    op.create_table(
        "secret",
        _key(),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("bay_uuid", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("public", sa.Text(), nullable=True),
        sa.Column("store", sa.String(255), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_secret")),
        sa.UniqueConstraint("uuid", name=op.f("uq_secret_uuid")),
        sa.UniqueConstraint("bay_uuid", "name", name=op.f("uq_secret_bay_uuid_name")),
        **OPTIONS,
    )
    op.create_table(
        "driver_call",
        _key(),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("bay_uuid", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.Column("request_id", sa.String(255), nullable=True),
        sa.Column("endpoint", sa.String(255), nullable=False),
        sa.Column("request", LONG, nullable=False),
        sa.Column("answer", LONG, nullable=True),
        sa.Column("owner", sa.String(255), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_driver_call")),
        sa.UniqueConstraint("uuid", name=op.f("uq_driver_call_uuid")),
        **OPTIONS,
    )
    op.create_index(op.f("ix_driver_call_expires_at"), "driver_call", ["expires_at"])
    op.create_table(
        "outage",
        _key(),
        sa.Column("service_type", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("host", sa.String(64), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outage")),
        sa.UniqueConstraint(
            "service_type", "region", "host", name=op.f("uq_outage_service_type_region_host")
        ),
        **OPTIONS,
    )
    op.create_table(
        "magnum_service",
        _key(),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("binary", sa.String(255), nullable=False),
        sa.Column("report_count", sa.Integer(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.String(255), nullable=True),
        sa.Column("last_seen_up", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_magnum_service")),
        sa.UniqueConstraint("host", "binary", name=op.f("uq_magnum_service_host_binary")),
        **OPTIONS,
    )
