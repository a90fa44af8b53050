"""Messages, feedback, label events, the queue and the keys."""

import sqlalchemy as sa
from alembic import op

from data.schema import Time, Words

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table of the first version."""
    _keys()
    _waves()
    _messages()
    _feedback()
    _label_events()


def _keys() -> None:
    op.create_table(
        "keys",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("revoked_at", Time()),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
        sa.UniqueConstraint("digest", name="uq_keys_digest"),
    )
    in_use = sa.text("revoked_at IS NULL")
    op.create_index(
        "ix_keys_name_in_use", "keys", ["name"], unique=True, sqlite_where=in_use, postgresql_where=in_use
    )


def _waves() -> None:
    op.create_table(
        "waves",
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Float(), nullable=False),
        sa.Column("labelled", sa.Boolean(), nullable=False),
        sa.Column("first_at", Time(), nullable=False),
        sa.Column("leased_by", Words()),
        sa.Column("lease_expires_at", Time()),
        sa.PrimaryKeyConstraint("key", name="pk_waves"),
    )
    op.create_index("ix_waves_queue", "waves", ["labelled", "priority"])


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", Words(), nullable=False),
        sa.Column("conversation", sa.JSON(none_as_null=True)),
        sa.Column("digest", sa.String(64)),
        sa.Column("wave", sa.String(32)),
        sa.Column("doubt", sa.Float(), nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("erased_at", Time()),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
    )
    op.create_index("ix_messages_digest", "messages", ["digest"])
    op.create_index("ix_messages_wave", "messages", ["wave"])


def _feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", Words(), nullable=False),
        sa.Column("client", Words(), nullable=False),
        sa.Column("idempotency_key", Words()),
        sa.Column("content", sa.String(64)),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("proposed_label", sa.String(16), nullable=False),
        sa.Column("category", sa.Text()),
        sa.Column("note", Words()),
        sa.Column("score", sa.Float()),
        sa.Column("model_version", Words()),
        sa.Column("at", Time(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_feedback_message_id"),
        sa.UniqueConstraint("message_id", name="uq_feedback_message_id"),
        sa.UniqueConstraint("client", "idempotency_key", name="uq_feedback_client_idempotency_key"),
    )


def _label_events() -> None:
    op.create_table(
        "label_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", Words(), nullable=False),
        sa.Column("annotator", Words(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("label", sa.String(16)),
        sa.Column("category", sa.Text()),
        sa.Column("note", Words()),
        sa.Column("at", Time(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_label_events"),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_label_events_message_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_label_events_message_id", "label_events", ["message_id"])
