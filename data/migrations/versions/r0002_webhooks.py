"""Webhooks, and the outbox of what their clients are to be told."""

import sqlalchemy as sa
from alembic import op

from data.schema import Time, Words

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables, empty: nobody had a webhook before."""
    _webhooks()
    _deliveries()


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client", Words(), nullable=False),
        sa.Column("url", Words(), nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("removed_at", Time()),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
    )
    in_use = sa.text("removed_at IS NULL")
    op.create_index(
        "ix_webhooks_client_in_use",
        "webhooks",
        ["client"],
        unique=True,
        sqlite_where=in_use,
        postgresql_where=in_use,
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client", Words(), nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.Column("message_id", Words(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", Time(), nullable=False),
        sa.Column("delivered_at", Time()),
        sa.Column("given_up_at", Time()),
        sa.Column("last_status", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_deliveries_message_id"),
        sa.UniqueConstraint("event_id", name="uq_deliveries_event_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deliveries_message_id", "deliveries", ["message_id"])
    pending = sa.text("delivered_at IS NULL AND given_up_at IS NULL")
    op.create_index(
        "ix_deliveries_pending",
        "deliveries",
        ["next_at"],
        sqlite_where=pending,
        postgresql_where=pending,
    )
