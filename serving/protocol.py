"""HTTP as uvicorn reads it, with an end to how long and how large the head of a request may be.

httptools keeps a head until it is whole, whatever its size. A body has its limits in
``serving.bodies``; what comes before it has them here, where no key is known yet.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Bytes that may have come while a head is still not whole: addresses and headers are some hundreds.
HEAD_LIMIT = 64 * 1024
#: Seconds in which the head must have come, from the connection's or the request's first byte.
HEAD_SECONDS = 20.0

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)


class BoundedHead(HttpToolsProtocol):
    """Ends a connection whose request's head is too large (431) or does not come."""

    head_seconds = HEAD_SECONDS
    _received = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A client is there; its head is waited for."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._head_is_whole()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request's first bytes came."""
        super().on_message_begin()
        if self._timer is None:
            self._wait_for_head()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._head_is_whole()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head has grown too large."""
        super().data_received(data)
        if self._timer is None or self.transport.is_closing():
            return
        self._received += len(data)
        if self._received > HEAD_LIMIT:
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def _wait_for_head(self) -> None:
        self._received = 0
        self._timer = self.loop.call_later(self.head_seconds, self._end)

    def _head_is_whole(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
