"""What the service does with more than it can carry: it says so at once (503), while it still can.

At some 3 ms a message, 256 requests in flight are a second of work. Who would wait longer is better
told to come back. Before the queue in front of the model is full, places run out here, without a body
read or a key looked up.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from data.keys import Key
from serving.limits import too_many
from serving.problems import Problem

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
        self._each = max(1, most // 2)
        self._held: Counter[str] = Counter()

    def hold(self, request: Request, key: Key) -> None:
        """Count this request as the key's until its end; ``Problem`` (429) when it holds too many."""
        if self._held[key.id] >= self._each:
            raise too_many(f"{self._each} requests with this key are in flight, as many as may be", 1)
        self._held[key.id] += 1
        request.scope[_HOLDER] = key.id

    def leave(self, scope: Scope) -> None:
        """One request less in flight."""
        self.taken -= 1
        holder = scope.get(_HOLDER)
        if holder is not None:
            self._held[holder] -= 1
            if not self._held[holder]:
                del self._held[holder]


class InFlight:
    """The ASGI layer that refuses what finds no place, before its body is read."""

    def __init__(self, app: ASGIApp, places: Places) -> None:
        self._app, self._places = app, places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or answer it with 503."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        places = self._places
        if scope["path"] in NEVER_REFUSED:  # nor do they keep anybody else out
            await self._app(scope, receive, send)
            return
        if places.taken >= places.most:
            await _busy(places.taken).response()(scope, receive, send)
            return
        places.taken += 1
        try:
            await self._app(scope, receive, send)
        finally:
            places.leave(scope)


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


def _busy(count: int) -> Problem:
    return Problem("busy", f"{count} requests are being answered already; ask again in a moment")
