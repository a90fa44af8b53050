"""What people said about messages: rows that are only ever added, each inside the caller's transaction."""

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data import exchange, outbox, review, schema
from data.errors import BadData, StoreError, UnknownItem
from data.messages import Conversation, record_of
from data.relabel import reasons
from data.schema import feedback as feedbacks
from data.schema import label_events, messages
from data.taxonomy import LABELS, Label, Verdict, taxonomy
from data.waves import wave_key


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a client says about a verdict it was given; ``score`` is the scam score in [0, 1]."""

    conversation: Conversation
    verdict: Verdict
    proposed_label: Label
    category: str | None
    note: str | None
    score: float | None = None
    model_version: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What an annotator says about a message; ``label`` None is a skip."""

    annotator: str
    confirmed: bool
    label: Label | None
    category: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class LabelEvent:
    """One answer as it stands in the store; ``label`` None is a skip."""

    id: int
    message_id: str
    annotator: str
    label: Label | None
    category: str | None
    note: str | None
    at: datetime


def check_answer(label: Label | None, category: str | None) -> None:
    """Nothing; ``BadData`` when the label is none of ours or the category is not one of the label."""
    if label is not None and label not in LABELS:
        raise BadData("label must be scam or legitimate (or none: a skip)")
    if category is not None and taxonomy()[category].label != label:
        raise BadData(f"category {category} is not a {label or 'skip'} category")


def add_feedback(
    connection: sa.Connection, feedback: Feedback, client: str, idempotency_key: str | None, now: datetime
) -> str:
    """The id of the message that the feedback is about; see ``Store.add_feedback``."""
    answer = [feedback.verdict, feedback.proposed_label, feedback.category, feedback.note]
    content = _digest([record_of(feedback.conversation), *answer])
    earlier = _earlier(connection, client, idempotency_key, content)
    if earlier is not None:
        return earlier
    why = reasons(feedback.verdict, feedback.proposed_label, feedback.score)
    message_id = _add_message(connection, feedback.conversation, sum(why.values()), now)
    connection.execute(
        sa.insert(feedbacks).values(
            message_id=message_id,
            client=client,
            idempotency_key=idempotency_key,
            content=content,
            verdict=feedback.verdict,
            proposed_label=feedback.proposed_label,
            category=feedback.category,
            note=feedback.note,
            score=feedback.score,
            model_version=feedback.model_version,
            at=now,
        )
    )
    wave = wave_key(feedback.conversation)
    review.refresh_wave(connection, wave)
    outbox.tell(connection, wave, now)  # the wave may be labelled already; then nobody labels it again
    return message_id


def add_label(connection: sa.Connection, message_id: str, answer: Answer, now: datetime) -> LabelEvent:
    """The new event; see ``Store.add_label``."""
    wave = connection.scalar(sa.select(messages.c.wave).where(messages.c.id == message_id))
    if wave is None:
        raise UnknownItem("no such message, or it was erased; take the next one")
    review.release(connection, wave, answer.annotator, now)
    event = _add_event(connection, message_id, answer, now)
    review.refresh_wave(connection, wave)
    if answer.confirmed:
        outbox.tell(connection, wave, now)
    return event


def add_imported(
    connection: sa.Connection, imported: exchange.Answer, answer: Answer, now: datetime
) -> str | None:
    """The id of the message, by its id, by its content, or new; None when it was erased.

    See ``Store.import_answers``.
    """
    known = connection.execute(sa.select(messages).where(messages.c.id == imported.id)).first()
    if known is not None and known.erased_at is not None:
        return None
    found: str | None = known.id if known else _same_content(connection, imported.conversation)
    if found is None:
        found = _add_message(connection, imported.conversation, 0.0, imported.at or now)
    wave = str(connection.scalar(sa.select(messages.c.wave).where(messages.c.id == found)))
    is_new = not _is_known(connection, found, answer, imported.at)
    if is_new:
        _add_event(connection, found, answer, imported.at or now)
    review.give_up(connection, wave, answer.annotator)
    review.refresh_wave(connection, wave)
    if is_new and answer.confirmed:
        outbox.tell(connection, wave, now)
    return found


def erase(connection: sa.Connection, message_id: str, now: datetime) -> None:
    """Blank every text of a message; see ``Store.erase``."""
    row = connection.execute(sa.select(messages).where(messages.c.id == message_id)).first()
    if row is None:
        raise UnknownItem("no such message; nothing was erased")
    if row.erased_at is not None:
        return
    # The digest goes too: a short text can be guessed from it.
    blank = {"conversation": None, "digest": None, "wave": None, "erased_at": now}
    connection.execute(sa.update(messages).where(messages.c.id == row.id).values(blank))
    for table, texts in ((feedbacks, {"note": None, "content": None}), (label_events, {"note": None})):
        connection.execute(sa.update(table).where(table.c.message_id == row.id).values(texts))
    outbox.drop(connection, schema.deliveries.c.message_id == row.id, now)
    review.refresh_wave(connection, row.wave)


def _same_content(connection: sa.Connection, conversation: Conversation) -> str | None:
    """The oldest message with the same content, if there is one."""
    same = sa.select(messages.c.id).where(messages.c.digest == _digest(record_of(conversation)))
    found: str | None = connection.scalar(same.order_by(messages.c.created_at, messages.c.id).limit(1))
    return found


def _add_message(connection: sa.Connection, conversation: Conversation, doubt: float, at: datetime) -> str:
    message_id = uuid.uuid4().hex
    connection.execute(
        sa.insert(messages).values(
            id=message_id,
            conversation=record_of(conversation),
            digest=_digest(record_of(conversation)),
            wave=wave_key(conversation),
            doubt=doubt,
            created_at=at,
        )
    )
    return message_id


def _earlier(
    connection: sa.Connection, client: str, idempotency_key: str | None, content: str
) -> str | None:
    """The message that this client sent with this key before; ``StoreError`` when it was another one."""
    if idempotency_key is None:
        return None
    query = sa.select(feedbacks.c.message_id, feedbacks.c.content).where(
        feedbacks.c.client == client, feedbacks.c.idempotency_key == idempotency_key
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    if row.content not in (None, content):
        raise StoreError("this Idempotency-Key was used for other content; send a new key")
    message_id: str = row.message_id
    return message_id


def _add_event(connection: sa.Connection, message_id: str, answer: Answer, at: datetime) -> LabelEvent:
    values = {name: getattr(answer, name) for name in Answer.__slots__}
    inserted = connection.execute(
        sa.insert(label_events).values(message_id=message_id, at=at, **values).returning(label_events.c.id)
    )
    event_id = inserted.scalar_one()
    return LabelEvent(
        event_id, message_id, answer.annotator, answer.label, answer.category, answer.note, at
    )


def _is_known(connection: sa.Connection, message_id: str, answer: Answer, at: datetime | None) -> bool:
    """Whether the annotator gave this very answer before, were it later corrected or not."""
    events = connection.execute(
        sa.select(label_events).where(
            label_events.c.message_id == message_id, label_events.c.annotator == answer.annotator
        )
    )
    return any(
        at in (None, event.at)
        and all(getattr(event, name) == getattr(answer, name) for name in Answer.__slots__)
        for event in events
    )


def _digest(record: Any) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
