"""What the service does with more than it can carry: it says so at once (503), while it still can.

At some 4 ms a message of usual length, 256 requests in flight are a second of work for one core. Who
would wait longer is better told to come back. Before the queue in front of the model is full, places
run out here, without a body read or a key looked up.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from data.keys import Key
from serving.limits import too_many
from serving.problems import Problem
from serving.security import HEADERS

logger = logging.getLogger("canhgiac.serving")

#: Asked by who runs the service, above all when it is busy.
NEVER_REFUSED = frozenset({"/healthz", "/readyz", "/metrics"})

_HOLDER = "canhgiac.holder"


class Places:
    """How many requests are in flight, of ``most``, and of which key. For one event loop.

    One key may hold half of the places. A quota of messages does not see to that: bodies that trickle
    in for their 20 seconds, sent with one key, would keep everybody else out.
    """

    def __init__(self, most: int) -> None:
        self.most, self.taken = most, 0
        self.each = max(1, most // 2)
        self._held: Counter[str] = Counter()
        #: Keys that hold as many places as they may.
        self.at_their_most: set[str] = set()

    def hold(self, request: Request, key: Key) -> None:
        """Count this request as the key's until its end; ``Problem`` (429) when it holds too many."""
        if key.id in self.at_their_most:
            raise _too_many_at_once()
        self._held[key.id] += 1
        if self._held[key.id] >= self.each:
            self.at_their_most.add(key.id)
        request.scope[_HOLDER] = key.id

    def leave(self, scope: Scope) -> None:
        """One request less in flight."""
        self.taken -= 1
        holder = scope.get(_HOLDER)
        if holder is not None:
            self.at_their_most.discard(holder)
            self._held[holder] -= 1
            if not self._held[holder]:
                del self._held[holder]


class InFlight:
    """The outermost ASGI layer: it refuses what finds no place, before a body is read or a line logged.

    Who is overrun refuses thousands of requests a second, and each must cost next to nothing: the
    answers are made once, and the log has one line a second for all of them. ``known`` gives the key of
    a token without asking anybody; ``count`` hears the status of each refusal.
    """

    def __init__(
        self,
        app: ASGIApp,
        places: Places,
        known: Callable[[Scope, str], Key | None],
        count: Callable[[int], None],
    ) -> None:
        self._app, self._places, self._known, self._count = app, places, known, count
        self._busy, self._too_many = _messages(_busy()), _messages(_too_many_at_once())
        self._refused, self._told_at = 0, 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or answer it with 503 or 429."""
        if scope["type"] != "http" or scope["path"] in NEVER_REFUSED:  # nor do those take a place
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            for message in refusal:
                await send(dict(message))
            self._tell(refusal[0]["status"])
            return
        self._places.taken += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._places.leave(scope)

    def _refusal(self, scope: Scope) -> tuple[Message, Message] | None:
        if self._places.at_their_most:
            key = self._known(scope, _token(scope))
            if key is not None and key.id in self._places.at_their_most:
                return self._too_many
        return self._busy if self._places.taken >= self._places.most else None

    def _tell(self, status: int) -> None:
        """Count a refusal, and log how many there were when the last line is a second old."""
        self._count(status)
        self._refused += 1
        now = time.monotonic()
        if now - self._told_at >= 1:
            logger.warning("refused %d requests: more than can be answered", self._refused)
            self._refused, self._told_at = 0, now


def _token(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            return str(value.partition(b" ")[2].decode("latin-1"))
    return ""


def _messages(problem: Problem) -> tuple[Message, Message]:
    """The ASGI messages of a problem, with the headers that every answer has."""
    response = problem.response()
    headers = [*response.raw_headers, *HEADERS]
    start = {"type": "http.response.start", "status": problem.status, "headers": headers}
    return start, {"type": "http.response.body", "body": bytes(response.body)}


@asynccontextmanager
async def in_time(moment: float) -> AsyncIterator[None]:
    """Cancel what is inside at ``moment``, on the event loop's clock, and raise ``Problem`` (503).

    What waits for the model is dropped from the queue; what the model has begun, it finishes.
    """
    try:
        async with asyncio.timeout_at(moment) as timeout:
            yield
    except TimeoutError:
        if not timeout.expired():
            raise
        raise Problem("busy", "the answer took too long and was given up; ask again in a moment") from None


def _busy() -> Problem:
    return Problem("busy", "as many requests as can be are being answered; ask again in a moment")


def _too_many_at_once() -> Problem:
    return too_many("as many requests with this key are in flight as may be", 1)
