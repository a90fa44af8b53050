"""Webhooks: which client is told where, and what became of each event for it.

No secret is kept here: a client's signing secret is derived from the service's own and its name.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import sqlalchemy as sa

from data import outbox
from data.database import Database
from data.errors import BadData, UnknownItem
from data.outbox import PENDING, Delivery
from data.schema import deliveries, keys, webhooks

#: The only hosts that may be told without encryption: the machine itself.
LOCAL = ("localhost", "127.0.0.1")
MAX_URL = 2000


@dataclass(frozen=True, slots=True)
class Webhook:
    """A client's newest webhook, how many of its events wait, and how many were given up."""

    client: str
    url: str
    created_at: datetime
    removed_at: datetime | None
    pending: int
    given_up: int


def check_url(url: str) -> None:
    """Nothing; ``BadData`` for what a webhook may not be sent to. It never repeats the URL.

    >>> check_url("https://bank.example/canhgiac?room=7")
    >>> check_url("http://bank.example/canhgiac")
    Traceback (most recent call last):
    data.errors.BadData: a webhook's URL must begin with https:// (http:// only for localhost)
    """
    try:
        parsed = httpx.URL(url)
        host = parsed.host
    except (httpx.InvalidURL, ValueError):
        raise BadData("the webhook's URL cannot be read; write https://host/path") from None
    if not (parsed.scheme == "https" or (parsed.scheme == "http" and host in LOCAL)):
        raise BadData("a webhook's URL must begin with https:// (http:// only for localhost)")
    if not host or len(url) > MAX_URL:
        raise BadData(f"a webhook's URL needs a host and has at most {MAX_URL} characters")
    if parsed.userinfo or parsed.fragment:
        raise BadData("a webhook's URL holds no user, password or #fragment; the signature says who calls")


class Webhooks:
    """The webhooks of an open store. Every method is one transaction, from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, client: str, url: str, *, now: datetime | None = None) -> None:
        """Tell a client at this URL from now on; it replaces the client's URL before, if there is one.

        What waits goes to the new URL. Raises ``BadData`` for a URL that is none, ``UnknownItem`` when
        no key of the client's name is in use.
        """
        check_url(url)
        at = _now(now)
        with self._database.write() as connection:
            in_use = sa.select(keys.c.id).where(keys.c.name == client, keys.c.revoked_at.is_(None))
            if connection.execute(in_use).first() is None:
                raise UnknownItem(f"no key named {client} is in use; `canhgiac keys list` shows the names")
            connection.execute(sa.update(webhooks).where(_in_use(client)).values(removed_at=at))
            connection.execute(sa.insert(webhooks).values(client=client, url=url, created_at=at))

    def every(self) -> list[Webhook]:
        """The newest webhook of each client, removed ones too, by the client's name."""
        newest = sa.select(sa.func.max(webhooks.c.id)).group_by(webhooks.c.client)
        counts = (
            sa.select(
                deliveries.c.client,
                sa.func.sum(sa.case((PENDING, 1), else_=0)).label("pending"),
                sa.func.count(deliveries.c.given_up_at).label("given_up"),
            )
            .group_by(deliveries.c.client)
            .subquery()
        )
        query = (
            sa.select(webhooks, counts.c.pending, counts.c.given_up)
            .outerjoin(counts, counts.c.client == webhooks.c.client)
            .where(webhooks.c.id.in_(newest))
            .order_by(webhooks.c.client)
        )
        with self._database.read() as connection:
            return [
                Webhook(
                    row.client, row.url, row.created_at, row.removed_at, row.pending or 0, row.given_up or 0
                )
                for row in connection.execute(query)
            ]

    def remove(self, client: str, *, now: datetime | None = None) -> None:
        """Tell a client nothing more; what waits is given up. ``UnknownItem`` when it has no webhook."""
        with self._database.write() as connection:
            if not end(connection, client, _now(now)):
                raise UnknownItem(f"{client} has no webhook; `canhgiac webhooks list` shows who has one")

    def pending(self) -> int:
        """How many events wait to be delivered, those on their way too."""
        with self._database.read() as connection:
            return connection.scalars(sa.select(sa.func.count()).where(PENDING)).one()

    def claim(self, *, lease: timedelta, now: datetime) -> list[Delivery]:
        """Events to send now, which no other process gets until the lease ends; see ``outbox.claim``."""
        due = sa.select(deliveries.c.id).where(PENDING, deliveries.c.next_at <= now).limit(1)
        with self._database.read() as connection:  # looking often must not hold up who writes
            if connection.execute(due).first() is None:
                return []
        with self._database.write() as connection:
            return outbox.claim(connection, now, lease)

    def delivered(self, delivery: Delivery, status: int, *, now: datetime) -> None:
        """The receiver took the event."""
        self._settle(delivery, {"delivered_at": now, "given_up_at": None, "last_status": status})

    def failed(
        self, delivery: Delivery, status: int | None, *, next_at: datetime | None, now: datetime
    ) -> None:
        """The receiver did not take it (``status`` None: no answer); without ``next_at`` it is given up."""
        later = {"given_up_at": now} if next_at is None else {"next_at": next_at}
        self._settle(delivery, {"last_status": status, **later})

    def gone(self, delivery: Delivery, status: int, *, now: datetime) -> None:
        """The receiver wants no more: its webhook is removed, unless it has another URL by now."""
        self._settle(delivery, {"last_status": status})
        mine = sa.and_(_in_use(delivery.client), webhooks.c.url == delivery.url)
        with self._database.write() as connection:
            _remove(connection, mine, delivery.client, now)

    def _settle(self, delivery: Delivery, values: dict[str, object]) -> None:
        # Whoever lost the lease meanwhile may come second; what is delivered stays so.
        open_still = sa.and_(deliveries.c.id == delivery.id, deliveries.c.delivered_at.is_(None))
        with self._database.write() as connection:
            connection.execute(sa.update(deliveries).where(open_still).values(values))


def end(connection: sa.Connection, client: str, now: datetime) -> bool:
    """Whether a client had a webhook, which is now removed; what waits for it is given up."""
    return _remove(connection, _in_use(client), client, now)


def _remove(connection: sa.Connection, which: sa.ColumnElement[bool], client: str, now: datetime) -> bool:
    """Whether there was a webhook to remove; what waits for its client is then given up."""
    removed = connection.execute(sa.update(webhooks).where(which).values(removed_at=now)).rowcount > 0
    if removed:
        outbox.drop(connection, deliveries.c.client == client, now)
    return removed


def _in_use(client: str) -> sa.ColumnElement[bool]:
    return sa.and_(webhooks.c.client == client, webhooks.c.removed_at.is_(None))


def _now(now: datetime | None) -> datetime:
    return now or datetime.now(UTC)
