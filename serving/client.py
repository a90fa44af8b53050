"""A small client for Python apps, blocking and async. It needs httpx, and nothing of the service.

>>> with Client("https://canhgiac.example", "cg_...") as canhgiac:
...     canhgiac
Client('https://canhgiac.example')

- A call ends: an attempt after ``timeout`` seconds, the call with retries and pauses after
  ``deadline``. ``AsyncClient`` keeps to that exactly. ``Client`` gives that time to each step of
  the network (connect, encrypt, send, wait for the next bytes) and cannot hurry a name server.
- It fails open: when the service cannot be asked, ``classify`` gives an ``Answer`` that is *unsure*
  and not ``available``. No message is hidden because a server is down.
- The key is in no ``repr``, log line or error, and goes to no other machine unencrypted.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Generic, Self, TypeVar, Unpack

import httpx

from serving import client_calls
from serving.client_address import connection
from serving.client_answers import Answer, ClientError, KeyRefused, Refused, RequestRefused, Unavailable
from serving.client_calls import Call, Feedback, Item, Message
from serving.client_retries import Attempts, NoReply, Outcome, Patience, Reply

__all__ = [
    "Answer",
    "AsyncClient",
    "Client",
    "ClientError",
    "Feedback",
    "Item",
    "KeyRefused",
    "Message",
    "Refused",
    "RequestRefused",
    "Unavailable",
]

#: Seconds for a batch: a server gives up what it has not answered in ten, and a bad line takes a few.
BATCH_SECONDS = 30.0

T = TypeVar("T")
Transport = TypeVar("Transport")
Slept = TypeVar("Slept")


class _Client(Generic[Transport, Slept]):
    """What both clients are given, and the calls they make of it."""

    def __init__(  # noqa: PLR0913  # each has its default
        self,
        url: str,
        key: str,
        *,
        timeout: float = 2.0,
        retries: int = 2,
        deadline: float = 5.0,
        fail_open: bool = True,
        allow_plain_http: bool = False,
        transport: Transport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Slept] | None = None,
    ) -> None:
        """A client of the service at ``url``; one is enough for a whole app.

        ``timeout`` and ``deadline`` are seconds, ``retries`` come after the first attempt.
        ``fail_open=False`` raises ``Unavailable`` where it would answer *unsure*.
        ``allow_plain_http`` lets the key travel unencrypted. ``transport`` is httpx's, for client
        certificates and the like; ``clock`` and ``sleep`` are for tests. ``ValueError`` when an
        argument cannot be used.
        """
        reached = connection(url, key, allow_plain_http=allow_plain_http)
        self._url, self._clock, self._fail_open = str(reached["base_url"]), clock, fail_open
        self._patience = Patience(timeout, retries, deadline)
        self._open(transport, sleep, reached)

    def _open(
        self,
        transport: Transport | None,
        sleep: Callable[[float], Slept] | None,
        reached: dict[str, Any],
    ) -> None:
        """Make ready to send and to sleep."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r})"

    def _classify(self, text: str | None, item: Item) -> Call[Answer]:
        asked: Item = item if text is None else {"text": text, **item}
        return client_calls.classify(asked, self._patience, fail_open=self._fail_open)

    def _classify_batch(self, items: Sequence[Item], deadline: float) -> Call[list[Answer | Refused]]:
        patience = Patience(deadline, self._patience.retries, deadline)
        return client_calls.classify_batch(items, patience, fail_open=self._fail_open)


class Client(_Client[httpx.BaseTransport, None]):
    """The blocking client. Threads may share one."""

    def _open(
        self,
        transport: httpx.BaseTransport | None,
        sleep: Callable[[float], None] | None,
        reached: dict[str, Any],
    ) -> None:
        self._http = httpx.Client(transport=transport, **reached)
        self._sleep = sleep or time.sleep

    def classify(self, text: str | None = None, /, **item: Unpack[Item]) -> Answer:
        """Whether a message, or a conversation (``messages=``), is a scam, why, and what to say.

        ``RequestRefused`` when the request or the key is wrong, whatever ``fail_open`` says.
        """
        return self._result(self._classify(text, item))

    def classify_batch(
        self, items: Sequence[Item], *, deadline: float = BATCH_SECONDS
    ) -> list[Answer | Refused]:
        """An answer or a refusal for each of up to 256 items, in order, within ``deadline`` seconds."""
        return self._result(self._classify_batch(items, deadline))

    def feedback(self, **said: Unpack[Feedback]) -> str:
        """The id under which the feedback waits for an annotator; retries store it only once.

        ``Unavailable`` when the service cannot be asked: feedback does not fail open.
        """
        return self._result(client_calls.feedback(said, self._patience))

    def ready(self) -> bool:
        """Whether a model serves and the store answers; false when nobody answers."""
        return self._result(client_calls.ready(self._patience))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _result(self, call: Call[T]) -> T:
        attempts = Attempts(call.patience, self._clock)
        while True:
            outcome = self._send(call, attempts.seconds())
            pause = attempts.pause(outcome)
            if pause is None:
                return call.result(outcome)
            self._sleep(pause)

    def _send(self, call: Call[T], seconds: float) -> Outcome:
        end = self._clock() + seconds
        try:
            with self._http.stream(**call.arguments, timeout=seconds) as response:
                body = b"".join(self._until(end, response.iter_bytes()))
        except httpx.RequestError as error:
            return NoReply(_why(error))
        return Reply(response.status_code, response.headers, body)

    def _until(self, end: float, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if self._clock() > end:
                raise httpx.ReadTimeout("the answer trickles")
            yield chunk


class AsyncClient(_Client[httpx.AsyncBaseTransport, Awaitable[None]]):
    """The client for asyncio. Tasks may share one; its deadline is exact."""

    def _open(
        self,
        transport: httpx.AsyncBaseTransport | None,
        sleep: Callable[[float], Awaitable[None]] | None,
        reached: dict[str, Any],
    ) -> None:
        self._http = httpx.AsyncClient(transport=transport, **reached)
        self._sleep = sleep or asyncio.sleep

    async def classify(self, text: str | None = None, /, **item: Unpack[Item]) -> Answer:
        """As ``Client.classify``."""
        return await self._result(self._classify(text, item))

    async def classify_batch(
        self, items: Sequence[Item], *, deadline: float = BATCH_SECONDS
    ) -> list[Answer | Refused]:
        """As ``Client.classify_batch``."""
        return await self._result(self._classify_batch(items, deadline))

    async def feedback(self, **said: Unpack[Feedback]) -> str:
        """As ``Client.feedback``."""
        return await self._result(client_calls.feedback(said, self._patience))

    async def ready(self) -> bool:
        """As ``Client.ready``."""
        return await self._result(client_calls.ready(self._patience))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _result(self, call: Call[T]) -> T:
        attempts = Attempts(call.patience, self._clock)
        while True:
            outcome = await self._send(call, attempts.seconds())
            pause = attempts.pause(outcome)
            if pause is None:
                return call.result(outcome)
            await self._sleep(pause)

    async def _send(self, call: Call[T], seconds: float) -> Outcome:
        try:
            async with asyncio.timeout(seconds):
                response = await self._http.request(**call.arguments, timeout=seconds)
        except (httpx.RequestError, TimeoutError) as error:
            return NoReply(_why(error))
        return Reply(response.status_code, response.headers, response.content)


def _why(error: Exception) -> str:
    """Why no answer came. Only the words of a failed connection, the system's, are repeated."""
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return "no answer in time"
    if isinstance(error, httpx.ConnectError):
        return f"no connection ({error})"
    return f"the connection broke ({type(error).__name__})"
