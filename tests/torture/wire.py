"""Hostile HTTP: requests that are none, bodies without end, and clients that drip their bytes."""

import json
import socket
import threading
import time
from contextlib import closing, suppress
from select import select

from tests.torture.hostile import CANARY
from tests.torture.service import BODY, Running


def head_of(key: str) -> bytes:
    """The head of a POST that may classify, but for how long its body is and the empty line."""
    words = f"POST /v1/classify HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n"
    return f"{words}Content-Type: application/json\r\n".encode()


def requests(key: str) -> list[bytes]:
    """Whole requests that are no proper HTTP, or more of it than anybody needs."""
    body = json.dumps(BODY).encode()
    post = head_of(key)
    length = b"Content-Length: %d\r\n" % len(body)
    chunked = b"Transfer-Encoding: chunked\r\n\r\n"
    get = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
    return [
        b"GET /healthz\r\n\r\n",  # HTTP/0.9
        *(
            b"GET /healthz HTTP/%s\r\nHost: a\r\n\r\n" % version
            for version in (b"1.0", b"2.0", b"9.9", b"x")
        ),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,  # TLS
        *(b"\x00" * 100, b"\r\n" * 100, b"\n\n\n", b" ", b"GET", b"A" * 70_000, b"GET /" + b"a" * 70_000),
        *(
            b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path
            for path in (b"*", b"//", b"http://b/", b"/\xff", b"/%00", b"?")
        ),
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
        b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
        CANARY.encode() + b" /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",  # no Host
        get + b"Host: b\r\n\r\n",
        get + b"".join(b"X-%d: %s\r\n" % (number, CANARY.encode()) for number in range(5_000)) + b"\r\n",
        get + b"X: " + CANARY.encode() * 20_000 + b"\r\n\r\n",
        get + b" folded: 1\r\n\r\n",
        get + b"X : a\r\n\r\n",
        get + b"X: a\x00b\r\n\r\n",
        get + b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n\r\n",
        *(
            post + b"Content-Length: %s\r\n\r\n" % wrong + body
            for wrong in (b"-1", b"x", b"1e3", b"+5", b"", b"9" * 30)
        ),
        post + length + b"Content-Length: 5\r\n\r\n" + body,
        post + length + chunked + b"0\r\n\r\n",  # smuggling: CL and TE
        post + chunked + b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        post + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        post + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        post + b"Transfer-Encoding : chunked\r\n" + length + b"\r\n" + body,
        *(
            post + chunked + bad
            for bad in (b"zz\r\nab\r\n0\r\n\r\n", b"-1\r\n", b"F" * 30 + b"\r\n", b"5\r\nab\r\n0\r\n\r\n")
        ),
        post + chunked + b"2;" + b"x" * 70_000 + b"\r\n{}\r\n0\r\n\r\n",
        post + chunked + b"1\r\n{\r\n" * 3_000,
        post + length + b"Expect: 100-continue\r\n\r\n" + body,
        post + length + b"Expect: 200-ok\r\n\r\n" + body,
        post + length + b"Content-Encoding: gzip\r\n\r\n" + body,
        *(
            post.replace(b"application/json", kind) + length + b"\r\n" + body
            for kind in (b"text/plain", b"a" * 5_000)
        ),
        (post + length + b"\r\n" + body) * 20,  # pipelining
        get + b"Authorization: " + CANARY.encode() + b"\r\n\r\n",
        b"GET /v1/review/next?limit="
        + CANARY.encode()
        + b" HTTP/1.1\r\nHost: a\r\n"
        + post[post.index(b"Auth") :]
        + b"\r\n",
    ]


def exchange(port: int, request: bytes, seconds: float = 0.3) -> bytes:
    """Everything that comes back for raw bytes until the service closes or says nothing for so long."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as sent, suppress(OSError):
        with suppress(OSError):
            sent.sendall(request)
        while data := sent.recv(65_536):
            received += data
    return received


def flooded(service: Running, megabytes: int, *, chunked: bool) -> str:
    """What was wrong with a body of so many megabytes; empty when nothing was."""
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {megabytes << 20}"
    block = b"x" * (1 << 16)
    piece = b"10000\r\n%s\r\n" % block if chunked else block
    before = service.memory
    answer = b""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as sent, suppress(OSError):
        sent.sendall(head_of(service.key) + f"{framing}\r\n\r\n".encode())
        for _ in range(megabytes * 16):
            if select([sent], [], [], 0)[0]:  # a client that listens while it sends
                answer = sent.recv(4096)
                break
            sent.sendall(piece)
        answer = answer or sent.recv(4096)
    grown = service.memory - before
    if answer and b" 413 " not in answer[:20]:  # a reset may overtake the answer to what is far too much
        return f"answered {answer[9:12]!r}"
    return f"memory grew by {grown >> 20} MB" if grown > 16 << 20 else ""


def _p99(service: Running, times: int) -> float:
    """Milliseconds in which 99 of 100 answers came."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        if service.ask()[0] != 200:
            return float("inf")
        taken.append((time.perf_counter() - begun) * 1000)
    return sorted(taken)[int(len(taken) * 0.99)]


def beside_slow_clients(service: Running, clients: int, times: int) -> tuple[float, float]:
    """The p99 of an ordinary client in milliseconds, before and beside so many that drip their bytes."""
    before = _p99(service, times)
    post = head_of(service.key)
    body = post + b"Content-Length: 60000\r\n\r\n"
    over = threading.Event()
    opened = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(clients)]

    def drip() -> None:
        for number, one in enumerate(opened):
            with suppress(OSError):
                one.sendall(body if number % 2 else post)
        while not over.wait(0.2):
            for number, one in enumerate(opened):
                with suppress(OSError):
                    one.sendall(b" " if number % 2 else b"X: y\r\n")

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        time.sleep(0.5)
        beside = _p99(service, times)
    finally:
        over.set()
        dripping.join()
        for one in opened:
            with closing(one):
                pass
    return before, beside
