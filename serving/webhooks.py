"""Delivers what waits in the outbox, beside the requests: at least once, until the receiver takes it.

A delivery is leased before it is sent. A process that ends in between loses nothing: the lease runs
out and the next one sends it again under the same ``webhook-id``, by which the receiver knows it.
"""

import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread
import httpx

from data.outbox import Delivery
from data.webhooks import Webhooks
from serving.metrics import Metrics
from serving.problems import place_of
from serving.signing import client_secret, signed

logger = logging.getLogger("canhgiac.serving")

#: Seconds that a receiver has from connection to status.
TIMEOUT = 10.0
#: Longer than a claimed delivery can take.
LEASE = timedelta(seconds=60)
#: Seconds between two looks into the outbox, and after the store failed.
POLL_SECONDS = 2.0
PAUSE_SECONDS = 30.0
#: Seconds until the second attempt; then twice as long each time, up to the longest.
FIRST_DELAY = 5.0
LONGEST_DELAY = 6 * 3600.0
#: The last one is made about three days after the first.
MAX_ATTEMPTS = 24
#: Receivers that failed together should not all be asked again together.
JITTER = 0.2

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said; ``status`` None when it did not answer, and ``why`` for the log."""

    status: int | None
    why: str
    retry_after: str | None = None


class Courier:
    """Sends the events of ``webhooks`` through ``client``, signed with each client's own secret."""

    def __init__(
        self,
        webhooks: Webhooks,
        key: bytes,
        client: httpx.AsyncClient,
        metrics: Metrics,
        timeout: float = TIMEOUT,
    ) -> None:
        self._webhooks, self._key, self._client = webhooks, key, client
        self._metrics, self._timeout = metrics, timeout
        self._one = anyio.CapacityLimiter(1)  # the other threads are for the requests

    async def run(self) -> None:
        """Deliver what is due, until cancelled; a store that fails is asked again later."""
        while True:
            try:
                pause = 0.0 if await self.deliver_due(datetime.now(UTC)) else POLL_SECONDS
            except Exception as error:  # whatever happened, the next events must still be sent
                logger.error("webhooks: %s", place_of(error))  # noqa: TRY400  # its words may be a row's
                pause = PAUSE_SECONDS
            await anyio.sleep(pause)

    async def deliver_due(self, now: datetime) -> int:
        """How many deliveries were due at ``now``; each was tried once, all at the same time."""
        claimed = await self._stored(partial(self._webhooks.claim, lease=LEASE, now=now))
        async with anyio.create_task_group() as tasks:
            for delivery in claimed:
                tasks.start_soon(self._deliver, delivery, now)
        return len(claimed)

    async def _deliver(self, delivery: Delivery, now: datetime) -> None:
        answer = await self._send(delivery, now)
        try:
            with anyio.CancelScope(shield=True):  # what the receiver took is written down, even at the end
                outcome = await self._stored(partial(self._settle, delivery, answer, now))
        except Exception as error:  # it is sent again after the lease; the others are on their way still
            logger.error("webhooks: %s", place_of(error))  # noqa: TRY400
            return
        self._metrics.webhooks.labels(outcome).inc()
        if outcome != "delivered":
            logger.warning("webhook of %s: %s, %s", delivery.client, answer.why, outcome)

    async def _send(self, delivery: Delivery, now: datetime) -> Answer:
        secret = client_secret(self._key, delivery.client)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "canhgiac",
            **signed(secret, delivery.event_id, now, delivery.body),
        }
        try:
            with anyio.fail_after(self._timeout):
                # A stream, so that nothing of the answer's body is read.
                sending = self._client.stream(
                    "POST", delivery.url, content=delivery.body, headers=headers, follow_redirects=False
                )
                async with sending as answer:
                    status = answer.status_code
                    return Answer(status, str(status), answer.headers.get("Retry-After"))
        except Exception as error:  # no answer, for whatever reason; its words may hold the URL
            return Answer(None, type(error).__name__)

    def _settle(self, delivery: Delivery, answer: Answer, now: datetime) -> str:
        """What became of a delivery, once it is in the store."""
        if answer.status is not None and 200 <= answer.status < 300:
            self._webhooks.delivered(delivery, answer.status, now=now)
            return "delivered"
        if answer.status == httpx.codes.GONE:
            self._webhooks.gone(delivery, answer.status, now=now)
            return "gone"
        is_last = delivery.attempts >= MAX_ATTEMPTS
        next_at = None if is_last else now + _pause(delivery.attempts, answer.retry_after, now)
        self._webhooks.failed(delivery, answer.status, next_at=next_at, now=now)
        return "given_up" if is_last else "failed"

    async def _stored(self, work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, limiter=self._one)


@asynccontextmanager
async def delivering(webhooks: Webhooks, key: bytes | None, metrics: Metrics) -> AsyncIterator[None]:
    """Delivers in the background for as long as it is entered; does nothing without a key."""
    if key is None:
        yield
        return
    # It would log each URL, and a URL may hold a receiver's token.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    async with httpx.AsyncClient(timeout=TIMEOUT) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(Courier(webhooks, key, client, metrics).run)
        yield
        tasks.cancel_scope.cancel()


def delay(attempts: int) -> float:
    """Seconds to wait after so many attempts, before jitter.

    >>> [delay(attempts) for attempts in (1, 2, 3, 13, 14)]
    [5.0, 10.0, 20.0, 20480.0, 21600.0]
    >>> hours = sum(delay(attempts) for attempts in range(1, MAX_ATTEMPTS)) / 3600
    >>> round(hours)
    71
    """
    return min(FIRST_DELAY * 2.0 ** (attempts - 1), LONGEST_DELAY)


def _pause(attempts: int, retry_after: str | None, now: datetime) -> timedelta:
    """Until the next attempt: not before the receiver asked for it, within the longest delay."""
    ours = delay(attempts) * random.uniform(1 - JITTER, 1 + JITTER)
    return timedelta(seconds=max(ours, min(_seconds(retry_after, now), LONGEST_DELAY)))


def _seconds(retry_after: str | None, now: datetime) -> float:
    """A ``Retry-After`` in seconds; 0 for none, or for one that cannot be read."""
    if retry_after is None:
        return 0.0
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        return (parsedate_to_datetime(retry_after).astimezone(UTC) - now).total_seconds()
    except (ValueError, OverflowError):
        return 0.0
