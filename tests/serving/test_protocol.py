"""The head of a request has an end: in size and in time."""

import asyncio
from collections.abc import Awaitable, Callable

import uvicorn

from serving import protocol
from serving.protocol import HEAD_LIMIT, BoundedHead

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _app(
    scope: object, receive: object, send: Callable[[dict[str, object]], Awaitable[None]]
) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def _asked(ask: Callable[[Streams], Awaitable[bytes]], seconds: float = protocol.HEAD_SECONDS) -> bytes:
    """What a client reads that does as ``ask`` says."""

    class Impatient(BoundedHead):
        head_seconds = seconds

    async def run() -> bytes:
        config = uvicorn.Config(_app, http=Impatient, lifespan="off", log_config=None)
        config.load()
        server = uvicorn.Server(config)
        listening = await asyncio.get_running_loop().create_server(
            lambda: Impatient(config=config, server_state=server.server_state, app_state={}), "127.0.0.1", 0
        )
        async with listening:
            streams = await asyncio.open_connection(*listening.sockets[0].getsockname())
            try:
                return await asyncio.wait_for(ask(streams), 10)
            finally:
                streams[1].close()

    return asyncio.run(run())


def test_a_usual_head_is_answered_and_so_is_a_body_larger_than_a_head_may_be() -> None:
    async def ask(streams: Streams) -> bytes:
        reader, writer = streams
        for body in (b"", b"a" * (HEAD_LIMIT + 1)):
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            answer = await reader.readuntil(b"ok")
            assert b" 200 " in answer
        return answer

    assert _asked(ask)


def test_a_head_without_end_is_refused_with_431_and_the_connection_ends() -> None:
    async def ask(streams: Streams) -> bytes:
        reader, writer = streams
        writer.write(b"GET / HTTP/1.1\r\n")
        for number in range(HEAD_LIMIT // 1000 + 2):
            writer.write(b"X-%d: %s\r\n" % (number, b"a" * 1000))
        return await reader.read()

    assert _asked(ask).startswith(b"HTTP/1.1 431 ")


def test_a_head_that_does_not_come_ends_the_connection() -> None:
    async def half(streams: Streams) -> bytes:
        streams[1].write(b"GET / HTTP/1.1\r\nHost")
        return await streams[0].read()

    async def nothing(streams: Streams) -> bytes:
        return await streams[0].read()

    assert _asked(half, seconds=0.05) == b""
    assert _asked(nothing, seconds=0.05) == b""


def test_a_second_head_has_its_own_time() -> None:
    async def ask(streams: Streams) -> bytes:
        reader, writer = streams
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"ok")
        writer.write(b"GET / HTTP/1.1\r\nHo")
        return await reader.read()

    assert _asked(ask, seconds=0.1) == b""
