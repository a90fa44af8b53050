"""The store: feedback, the review queue, labels and keys, on SQLite or PostgreSQL.

Feedback and label events are only ever added; the present is a query over them. What a method saved
is on disk when it returns.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data import events, exchange, keys, review, webhooks
from data.database import Database, open_database
from data.events import Answer, Feedback, LabelEvent, check_answer
from data.keys import SCOPES, Key, Scope
from data.messages import Example, conversation_from
from data.redact import redact, redact_text
from data.review import Guess, ReviewItem
from data.schema import label_events, messages, waves
from data.taxonomy import Label
from data.webhooks import Webhooks

__all__ = [
    "SCOPES",
    "Feedback",
    "Guess",
    "Imported",
    "Key",
    "LabelEvent",
    "ReviewItem",
    "Scope",
    "Store",
    "open_store",
]

#: How long an annotator holds a message without answering.
LEASE = timedelta(minutes=15)
#: Rows read in one transaction: an open one would hold up writers while a caller takes its time.
PAGE = 500


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file's answers: in the store now (new or known), or about an erased message."""

    added: int
    erased: int


def open_store(url: str) -> "Store":
    """The store at an SQLAlchemy URL, created or migrated where needed.

    Raises ``StoreError`` when the URL or the database cannot be used or was made by a newer version,
    ``MissingExtra`` when PostgreSQL's driver is not installed.
    """
    return Store(open_database(url))


class Store:
    """An open store. Every method is one transaction, from any thread; see ``open_store``.

    ``webhooks`` are the same store's clients to tell, and what they are still to be told.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.webhooks = Webhooks(database)

    def create_key(
        self, name: str, scopes: Collection[Scope], *, confirmed: bool = True, now: datetime | None = None
    ) -> str:
        """A new API key, ``cg_`` and 43 URL-safe characters: shown now and never again.

        Raises ``StoreError`` for no or unknown scopes and for a name in use.
        """
        with self._database.write() as connection:
            return keys.create(connection, name, scopes, confirmed, _now(now))

    def authenticate(self, token: str) -> Key | None:
        """The key with this secret; None when there is none or it was revoked."""
        with self._database.read() as connection:
            return keys.authenticate(connection, token)

    def keys(self) -> list[Key]:
        """Every key, revoked ones too, oldest first."""
        with self._database.read() as connection:
            return keys.every(connection)

    def keys_by_digest(self) -> dict[str, Key]:
        """Every key in use by its digest (``data.keys.digest_of``): who has them need not ask again."""
        with self._database.read() as connection:
            return keys.by_digest(connection)

    def revoke_key(self, name: str, *, now: datetime | None = None) -> None:
        """End a key's use, and its client's webhook; ``UnknownItem`` when no key of that name is in use."""
        with self._database.write() as connection:
            keys.revoke(connection, name, _now(now))
            webhooks.end(connection, name, _now(now))

    def add_feedback(
        self,
        feedback: Feedback,
        *,
        client: str,
        idempotency_key: str | None,
        now: datetime | None = None,
    ) -> str:
        """The id of the message, which waits for review from now on; victims' data is masked first.

        The same client with the same idempotency key gets the same id and adds nothing, or
        ``StoreError`` when the content differs (score and model version are the server's and do not
        count). ``BadData`` when the category is not one of the proposed label.
        """
        check_answer(feedback.proposed_label, feedback.category)
        feedback = replace(
            feedback,
            conversation=redact(feedback.conversation.checked()).checked(),
            note=redact_text(feedback.note) if feedback.note else None,
        )
        with self._database.write() as connection:
            return events.add_feedback(connection, feedback, client, idempotency_key, _now(now))

    def next_for_review(
        self, *, annotator: str, limit: int = 1, lease: timedelta = LEASE, now: datetime | None = None
    ) -> list[ReviewItem]:
        """Up to ``limit`` messages, one a wave, leased to this annotator: theirs first, then by priority.

        Left out: waves that others hold, that have a label, or that this annotator answered or skipped.
        """
        with self._database.write() as connection:
            return review.lease_next(connection, annotator, limit, lease, _now(now))

    def add_label(  # noqa: PLR0913 - one answer, said in one call
        self,
        message_id: str,
        *,
        annotator: str,
        confirmed: bool,
        label: Label | None,
        category: str | None,
        note: str | None = None,
        now: datetime | None = None,
    ) -> LabelEvent:
        """The event, on disk; ``label`` None is a skip. Answering again adds an event that replaces it.

        Raises ``UnknownItem`` for no such message (or an erased one), ``LeaseExpired`` when another
        annotator holds it now, ``BadData`` when the category is not one of the label.
        """
        check_answer(label, category)
        answer = Answer(annotator, confirmed, label, category, note)
        with self._database.write() as connection:
            return events.add_label(connection, message_id, answer, _now(now))

    def labelled(self) -> Iterator[Example]:
        """The dataset as it is now: one example for each message with a confirmed annotator's label.

        An annotator's newest answer counts, a skip takes it back, and of several annotators' labels
        the newest stands. Erased messages are not in it. A label without category has the label's
        ``other_...`` category; ``written_at`` is the date on which the message came.
        """
        present = review.present_labels().subquery()
        query = (
            sa.select(messages, label_events.c.label, label_events.c.category)
            .join(present, present.c.message_id == messages.c.id)
            .join(label_events, label_events.c.id == present.c.event_id)
            .where(messages.c.erased_at.is_(None))
        )
        for row in self._pages(query, messages.c.id):
            yield Example(
                id=row.id,
                conversation=conversation_from(row.conversation),
                label=row.label,
                category=row.category or f"other_{row.label}",
                wave=row.wave,
                source="label",
                written_at=row.created_at.date().isoformat(),
            )

    def label_events(self) -> Iterator[LabelEvent]:
        """Every answer ever given, oldest first, those of unconfirmed annotators and skips too."""
        columns = [label_events.c[field.name] for field in fields(LabelEvent)]
        for row in self._pages(sa.select(*columns), label_events.c.id):
            yield LabelEvent(**row._mapping)

    def import_answers(
        self, answers: Iterable[exchange.Answer], *, annotator: str, confirmed: bool
    ) -> Imported:
        """Add answers from a file, all of them or none; victims' data is masked first.

        An answer goes to the message with its id, else to one with the same content, else to a new
        one. The same answer is kept once, so a file may be imported again, and an erased message
        stays erased. Raises ``BadData`` when a category is not one of its label.
        """
        counts = {"added": 0, "erased": 0}
        with self._database.write() as connection:
            for one in answers:
                check_answer(one.label, one.category)
                masked = replace(one, conversation=redact(one.conversation.checked()).checked())
                said = Answer(annotator, confirmed, one.label, one.category, one.note)
                found = events.add_imported(connection, masked, said, _now(None))
                counts["erased" if found is None else "added"] += 1
        return Imported(**counts)

    def erase(self, message_id: str, *, now: datetime | None = None) -> None:
        """Remove a message's text and notes for good; a tombstone with its id remains.

        Raises ``UnknownItem`` for an id that never was; erasing again changes nothing.
        """
        with self._database.write() as connection:
            events.erase(connection, message_id, _now(now))

    def queue_size(self) -> int:
        """How many waves wait for a confirmed annotator's label, leased ones too."""
        with self._database.read() as connection:
            waiting = sa.select(sa.func.count()).select_from(waves).where(sa.not_(waves.c.labelled))
            return connection.scalars(waiting).one()

    def ping(self) -> None:
        """Nothing; ``StoreError`` when the store does not answer."""
        with self._database.read() as connection:
            connection.execute(sa.select(messages.c.id).limit(1))

    def close(self) -> None:
        """Close every connection; the store is not used afterwards."""
        self._database.close()

    def _pages(self, query: sa.Select[Any], key: sa.Column[Any]) -> Iterator[sa.Row[Any]]:
        """The rows of a query in the order of their ids, a page a transaction."""
        page = query.order_by(key).limit(PAGE)
        last = None
        while True:
            with self._database.read() as connection:
                rows = connection.execute(page if last is None else page.where(key > last)).all()
            yield from rows
            if len(rows) < PAGE:
                return
            last = rows[-1].id


def _now(now: datetime | None) -> datetime:
    return now or datetime.now(UTC)
