"""The review queue: waves that wait for a person, who holds which, and which are done.

A wave's row is computed from its messages and their events whenever one of them changes, inside the
same transaction; only the lease is kept there alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from data.errors import LeaseExpired
from data.messages import Conversation, conversation_from
from data.relabel import priority, reasons
from data.schema import feedback, label_events, messages, waves
from data.taxonomy import Label, Verdict


@dataclass(frozen=True, slots=True)
class Guess:
    """What the client saw and proposed; an annotator sees it only after the first answer."""

    label: Label
    category: str | None
    score: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One message to label, standing for its whole wave, held until ``lease_expires_at`` (UTC)."""

    id: str
    conversation: Conversation
    wave_size: int
    lease_expires_at: datetime
    reasons: tuple[str, ...]
    guess: Guess | None


def present_labels() -> sa.Select[tuple[str, int]]:
    """Message ids, and the event that is each message's label now.

    An annotator's newest answer replaces their earlier ones, and a skip takes back only their own;
    of several annotators' labels the newest stands. Unconfirmed annotators do not count.
    """
    newest = (
        sa.select(sa.func.max(label_events.c.id))
        .where(label_events.c.confirmed)
        .group_by(label_events.c.message_id, label_events.c.annotator)
    )
    return (
        sa.select(label_events.c.message_id, sa.func.max(label_events.c.id).label("event_id"))
        .where(label_events.c.id.in_(newest), label_events.c.label.is_not(None))
        .group_by(label_events.c.message_id)
    )


def refresh_wave(connection: sa.Connection, key: str) -> None:
    """Compute a wave's row from its messages; the lease stays, and an empty wave goes."""
    size, doubt, first_at = connection.execute(
        sa.select(sa.func.count(), sa.func.max(messages.c.doubt), sa.func.min(messages.c.created_at)).where(
            messages.c.wave == key
        )
    ).one()
    if not size:
        connection.execute(sa.delete(waves).where(waves.c.key == key))
        return
    values = {
        "size": size,
        "priority": priority([doubt], size),
        "labelled": _is_labelled(connection, key),
        "first_at": first_at,
    }
    known = connection.execute(sa.update(waves).where(waves.c.key == key).values(values))
    if not known.rowcount:
        connection.execute(sa.insert(waves).values(key=key, **values))


def lease_next(
    connection: sa.Connection, annotator: str, limit: int, lease: timedelta, now: datetime
) -> list[ReviewItem]:
    """Lease up to ``limit`` waves to an annotator: those they hold first, then by priority."""
    mine = sa.and_(waves.c.leased_by == annotator, waves.c.lease_expires_at > now)
    free = sa.or_(waves.c.lease_expires_at.is_(None), waves.c.lease_expires_at <= now)
    answered = (
        sa.select(messages.c.id)
        .join(label_events, label_events.c.message_id == messages.c.id)
        .where(messages.c.wave == waves.c.key, label_events.c.annotator == annotator)
    )
    keys = connection.scalars(
        sa.select(waves.c.key)
        .where(sa.not_(waves.c.labelled), sa.or_(mine, free), ~answered.exists())
        .order_by(sa.case((mine, 0), else_=1), waves.c.priority.desc(), waves.c.first_at, waves.c.key)
        .limit(limit)
    ).all()
    expires_at = now + lease
    held = {"leased_by": annotator, "lease_expires_at": expires_at}
    connection.execute(sa.update(waves).where(waves.c.key.in_(keys)).values(held))
    return _items(connection, keys, expires_at)


def release(connection: sa.Connection, key: str, annotator: str, now: datetime) -> None:
    """Give up an annotator's lease on a wave; ``LeaseExpired`` when another annotator holds it now."""
    holder = connection.scalar(
        sa.select(waves.c.leased_by).where(waves.c.key == key, waves.c.lease_expires_at > now)
    )
    if holder is not None and holder != annotator:
        raise LeaseExpired("another annotator holds this message now; take the next one")
    connection.execute(sa.update(waves).where(waves.c.key == key).values(_FREE))


def give_up(connection: sa.Connection, key: str, annotator: str) -> None:
    """End an annotator's own lease on a wave; another's stays."""
    own = sa.and_(waves.c.key == key, waves.c.leased_by == annotator)
    connection.execute(sa.update(waves).where(own).values(_FREE))


def _is_labelled(connection: sa.Connection, key: str) -> bool:
    in_wave = sa.select(messages.c.id).where(messages.c.wave == key)
    found = present_labels().where(label_events.c.message_id.in_(in_wave)).limit(1)
    return connection.execute(found).first() is not None


def _items(connection: sa.Connection, keys: Sequence[str], expires_at: datetime) -> list[ReviewItem]:
    """For each wave its message with the strongest reasons, the newest of several."""
    items = []
    for key in keys:
        row = connection.execute(
            sa.select(messages.c.id, messages.c.conversation, waves.c.size, *_GUESS)
            .join(waves, waves.c.key == messages.c.wave)
            .outerjoin(feedback, feedback.c.message_id == messages.c.id)
            .where(messages.c.wave == key)
            .order_by(messages.c.doubt.desc(), messages.c.created_at.desc(), messages.c.id)
            .limit(1)
        ).one()
        guess = why = None
        if row.verdict is not None:
            guess = Guess(row.proposed_label, row.category, row.score, row.verdict)
            why = reasons(row.verdict, row.proposed_label, row.score)
        items.append(
            ReviewItem(
                row.id, conversation_from(row.conversation), row.size, expires_at, tuple(why or ()), guess
            )
        )
    return items


_GUESS = (feedback.c.verdict, feedback.c.proposed_label, feedback.c.category, feedback.c.score)
_FREE: dict[str, None] = {"leased_by": None, "lease_expires_at": None}
