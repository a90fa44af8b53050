"""Who may ask how much: messages a minute for each key, refusals a minute for each address.

What a key sends too much of is 429, its client's own fault; what the service cannot carry is 503 (see
``serving.overload``). Both say when to come back. Every answer to a key says what is left, in the
fields of the IETF draft ``draft-ietf-httpapi-ratelimit-headers``.

Each process counts for itself: behind two of them a key may send twice as much.
"""

import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from data.keys import Key
from serving.buckets import Buckets
from serving.problems import Fault, Problem

#: Requests without a valid key that one address may send, a minute and at once: enough for somebody who
#: sets up a client, few enough that guesses cost us nothing.
REFUSALS_PER_MINUTE = REFUSALS_AT_ONCE = 30

_FIELDS = "canhgiac.ratelimit"
Fields = list[tuple[bytes, bytes]]


class Quota:
    """``per_minute`` messages for each key, a quarter of them at once, and the fields that say so."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self.buckets = Buckets(per_minute, max(1, per_minute // 4), clock=clock)
        self.policy = f'"messages";q={per_minute};w=60'.encode()


class Limits:
    """The quotas of one process. Keys of scope ``filter`` have a tight one of their own.

    Such a key lies in an app that anybody can take apart: it must not be worth taking.
    """

    def __init__(
        self, per_minute: int, filter_per_minute: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = Quota(per_minute, clock)
        self._filter = Quota(filter_per_minute, clock)
        self._refusals = Buckets(REFUSALS_PER_MINUTE, REFUSALS_AT_ONCE, clock=clock)

    def take(self, key: Key, cost: int, *, spent: int = 0) -> tuple[Problem | None, Fields]:
        """Whether ``cost`` messages are refused, and the fields of the answer.

        ``spent`` is what the same request took before. Refused is 429, or 422 for a request that could
        never be taken, however long its client waits.
        """
        quota = self._filter if "filter" in key.scopes else self._most
        taken = quota.buckets.take(key.id, cost, spent=spent)
        fields = [
            (b"ratelimit-policy", quota.policy),
            (b"ratelimit", b'"messages";r=%d;t=%d' % (taken.left, taken.full_in)),
        ]
        if not taken.wait:
            return None, fields
        if cost + spent > quota.buckets.burst:
            return _never(quota.buckets.burst), fields
        return too_many("this key has sent as many messages as it may", taken.wait), fields

    def refuse(self, address: str) -> None:
        """Count a request without a valid key; ``Problem`` (429) when its address sent too many."""
        wait = self._refusals.take(network_of(address)).wait
        if wait:
            raise too_many("too many requests without a valid key came from your address", wait)


def charge(request: Request, key: Key, cost: int, *, spent: int = 0) -> None:
    """Nothing; ``Problem`` (429 or 422) when the key may not send ``cost`` messages more now.

    ``require`` charges each request one message before its body is read. A route whose body holds
    ``n`` messages charges the rest once it knows: ``charge(request, key, n - 1, spent=1)``.
    """
    refusal, request.scope[_FIELDS] = request.app.state.limits.take(key, cost, spent=spent)
    if refusal:
        raise refusal


class RateFields:
    """The ASGI layer that puts the fields of ``charge`` on the answer, whatever it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on and complete its answer."""

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and _FIELDS in scope:
                message["headers"] = [*message["headers"], *scope[_FIELDS]]
            await send(message)

        await self._app(scope, receive, told)


def too_many(what: str, wait: int) -> Problem:
    """The problem (429) of a client that asks too much; ``wait`` is in seconds."""
    headers = {"Retry-After": str(wait)}
    return Problem("too-many-requests", f"{what}; send this again in {wait} s", headers=headers)


def network_of(address: str) -> str:
    """What stands for a client: its IPv4 address, or its IPv6 network of 64 bits, which it owns whole.

    >>> network_of("203.0.113.9"), network_of("2001:db8:1:2:3:4:5:6")
    ('203.0.113.9', '2001:db8:1:2::/64')
    """
    try:
        known = ip_address(address)
    except ValueError:  # a Unix socket, or a proxy's word: whatever it is, bounded
        return address[:64]
    if not isinstance(known, IPv6Address):
        return str(known)
    return str(known.ipv4_mapped or ip_network((int(known), 64), strict=False))


def _never(burst: int) -> Problem:
    fault = Fault("body", f"must hold at most {burst} messages for this key")
    return Problem("invalid", f"this key may send {burst} messages at once; send fewer", faults=[fault])
