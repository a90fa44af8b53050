"""The store's tables. A change here needs a revision in ``migrations/versions``; a test compares them.

``messages``, ``feedback`` and ``label_events`` only grow; erasing blanks their texts. ``waves`` is
the queue: computed from them whenever a message of the wave changes, plus who holds the lease.
``deliveries`` is the outbox of the clients that have one of the ``webhooks``; it holds no text.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Time(TypeDecorator[datetime]):
    """An aware time, kept in UTC without its zone (SQLite has none); a naive one is taken for UTC."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        return value.astimezone(UTC).replace(tzinfo=None) if value and value.tzinfo else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        return value.replace(tzinfo=UTC) if value else value


class Words(TypeDecorator[str]):
    """Text from outside; lone surrogates and NUL, which no database takes, are replaced."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """To the database."""
        return value and value.encode("utf-8", "replace").decode().replace("\0", "?")


keys = Table(
    "keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", Words, nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("confirmed", Boolean, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("revoked_at", Time),
)
Index(
    "ix_keys_name_in_use",
    keys.c.name,
    unique=True,
    sqlite_where=text("revoked_at IS NULL"),
    postgresql_where=text("revoked_at IS NULL"),
)

waves = Table(
    "waves",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("size", Integer, nullable=False),
    Column("priority", Float, nullable=False),
    Column("labelled", Boolean, nullable=False),
    Column("first_at", Time, nullable=False),
    Column("leased_by", Words),
    Column("lease_expires_at", Time),
    Index("ix_waves_queue", "labelled", "priority"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Words, primary_key=True),
    Column("conversation", JSON(none_as_null=True)),
    Column("digest", String(64), index=True),
    Column("wave", String(32), index=True),
    Column("doubt", Float, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("erased_at", Time),
)


def _message_id(**options: Any) -> Column[str]:
    return Column("message_id", Words, ForeignKey("messages.id"), nullable=False, **options)


feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True),
    _message_id(unique=True),
    Column("client", Words, nullable=False),
    Column("idempotency_key", Words),
    Column("content", String(64)),
    Column("verdict", String(16), nullable=False),
    Column("proposed_label", String(16), nullable=False),
    Column("category", Text),
    Column("note", Words),
    Column("score", Float),
    Column("model_version", Words),
    Column("at", Time, nullable=False),
    UniqueConstraint("client", "idempotency_key"),
)

label_events = Table(
    "label_events",
    metadata,
    Column("id", Integer, primary_key=True),
    _message_id(index=True),
    Column("annotator", Words, nullable=False),
    Column("confirmed", Boolean, nullable=False),
    Column("label", String(16)),
    Column("category", Text),
    Column("note", Words),
    Column("at", Time, nullable=False),
    sqlite_autoincrement=True,
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("client", Words, nullable=False),
    Column("url", Words, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("removed_at", Time),
)
Index(
    "ix_webhooks_client_in_use",
    webhooks.c.client,
    unique=True,
    sqlite_where=text("removed_at IS NULL"),
    postgresql_where=text("removed_at IS NULL"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("client", Words, nullable=False),
    Column("event_id", String(40), nullable=False, unique=True),
    _message_id(index=True),
    Column("body", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Time, nullable=False),
    Column("delivered_at", Time),
    Column("given_up_at", Time),
    Column("last_status", Integer),
    sqlite_autoincrement=True,
)
Index(
    "ix_deliveries_pending",
    deliveries.c.next_at,
    sqlite_where=text("delivered_at IS NULL AND given_up_at IS NULL"),
    postgresql_where=text("delivered_at IS NULL AND given_up_at IS NULL"),
)
