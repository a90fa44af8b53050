"""The outbox: what clients with a webhook are to be told, written with the label that causes it.

A client is told when it does not know the label of a message that it gave feedback on. It knows the
verdict that it saw, or what the newest event not given up told it; *unsure* is never a label. A
message's label is its own present label, else the newest of its wave: annotators are asked one
message a wave, so a sibling has no other answer to wait for. A label that is taken back with none left
tells nothing. This is looked at with every confirmed label and every feedback of a wave, so a webhook
added after a label hears of it only when its wave comes up again. Events of one message are sent in
order, the next only when the one before is settled.
"""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from data import review
from data.schema import deliveries, feedback, label_events, messages, webhooks

#: Deliveries of one client in one claim: a slow receiver must not take every place.
AT_ONCE = 8

PENDING = sa.and_(deliveries.c.delivered_at.is_(None), deliveries.c.given_up_at.is_(None))


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way; ``body`` is the JSON to send as it is, ``attempts`` counts this one too."""

    id: int
    event_id: str
    client: str
    url: str
    body: str
    attempts: int


def tell(connection: sa.Connection, wave: str, now: datetime) -> None:
    """Queue an event for each feedback in a wave whose client has a webhook and does not know the label."""
    seen = connection.execute(
        sa.select(feedback)
        .join(messages, messages.c.id == feedback.c.message_id)
        .join(webhooks, webhooks.c.client == feedback.c.client)
        .where(messages.c.wave == wave, webhooks.c.removed_at.is_(None))
        .order_by(feedback.c.id)
    ).all()
    labels = _labels(connection, wave) if seen else {}
    if not labels:
        return
    newest = max(labels.values(), key=lambda event: event.id)
    told = _told(connection, wave)
    rows = []
    for row in seen:
        event = labels.get(row.message_id, newest)
        if event.label != told.get(row.message_id, row.verdict):
            rows.append(_delivery(row, event, now))
    if rows:
        connection.execute(sa.insert(deliveries), rows)


def drop(connection: sa.Connection, which: sa.ColumnElement[bool], now: datetime) -> None:
    """Give up the pending deliveries that ``which`` selects."""
    connection.execute(sa.update(deliveries).where(PENDING, which).values(given_up_at=now))


def claim(connection: sa.Connection, now: datetime, lease: timedelta) -> list[Delivery]:
    """Deliveries that are due, at most ``AT_ONCE`` a client; nobody else gets them until the lease ends.

    A claim that is never settled, because the process was killed, is due again after the lease.
    """
    rows = connection.execute(_due(now)).all()
    ids = [row.id for row in rows]
    claimed = {"attempts": deliveries.c.attempts + 1, "next_at": now + lease}
    connection.execute(sa.update(deliveries).where(deliveries.c.id.in_(ids)).values(claimed))
    return [Delivery(row.id, row.event_id, row.client, row.url, row.body, row.attempts + 1) for row in rows]


def _due(now: datetime) -> sa.Select[Any]:
    before = deliveries.alias("before")
    held_up = sa.select(before.c.id).where(
        before.c.message_id == deliveries.c.message_id,
        before.c.id < deliveries.c.id,
        before.c.delivered_at.is_(None),
        before.c.given_up_at.is_(None),
    )
    oldest_first = (deliveries.c.next_at, deliveries.c.id)
    turn = sa.func.row_number().over(partition_by=deliveries.c.client, order_by=oldest_first)
    due = (
        sa.select(deliveries, webhooks.c.url, turn.label("turn"))
        .join(webhooks, webhooks.c.client == deliveries.c.client)
        .where(PENDING, deliveries.c.next_at <= now, webhooks.c.removed_at.is_(None), ~held_up.exists())
        .subquery()
    )
    return sa.select(due).where(due.c.turn <= AT_ONCE).order_by(due.c.next_at, due.c.id)


def _labels(connection: sa.Connection, wave: str) -> dict[str, sa.Row[Any]]:
    """The event that is the present label of each labelled message of a wave."""
    present = review.present_labels().subquery()
    events = connection.execute(
        sa.select(label_events)
        .join(present, present.c.event_id == label_events.c.id)
        .join(messages, messages.c.id == label_events.c.message_id)
        .where(messages.c.wave == wave)
    )
    return {event.message_id: event for event in events}


def _told(connection: sa.Connection, wave: str) -> dict[str, str]:
    """The label that the newest event not given up told, for each message of a wave that has one."""
    events = connection.execute(
        sa.select(deliveries.c.message_id, deliveries.c.body)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .where(messages.c.wave == wave, deliveries.c.given_up_at.is_(None))
        .order_by(deliveries.c.id)
    )
    return {event.message_id: json.loads(event.body)["data"]["label"] for event in events}


def _delivery(seen: sa.Row[Any], event: sa.Row[Any], now: datetime) -> dict[str, Any]:
    body = {
        "type": "verdict.changed",
        "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "data": {
            "id": seen.message_id,
            "verdict": seen.verdict,
            "label": event.label,
            "category": event.category or f"other_{event.label}",
            "model_version": seen.model_version,
        },
    }
    return {
        "client": seen.client,
        "event_id": f"evt_{uuid.uuid4().hex}",
        "message_id": seen.message_id,
        "body": json.dumps(body, separators=(",", ":")),
        "attempts": 0,
        "next_at": now,
    }
