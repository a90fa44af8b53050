"""Load on a service: requests sent over keep-alive connections, and how long each answer took.

The generator shares the machine with the service, so it does as little as it can for a request: the
bytes are made before, one thread reads whatever is ready, and of an answer only status and length are
looked at. Run it as a process of its own:

    python -m tests.bench.load --url http://127.0.0.1:8000 --key cg_... --seconds 10
"""

import argparse
import json
import math
import re
import selectors
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

#: Seconds without any answer after which the service is given up.
PATIENCE = 60.0
#: What is counted, as a status, when a connection ended before the answer was whole.
BROKEN = 0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run saw; latencies are in milliseconds, ``statuses`` count the answers by HTTP status."""

    requests: int
    seconds: float
    per_second: float
    p50: float
    p99: float
    worst: float
    statuses: dict[int, int]


@dataclass(frozen=True, slots=True)
class ClosedLoop:
    """Every connection sends its next request as soon as it has the answer to the last."""

    seconds: float

    def moments(self, start: float) -> Iterator[float]:
        """From when on each request may be sent; its latency counts from when it is."""
        while True:
            yield start


@dataclass(frozen=True, slots=True)
class OpenLoop:
    """Requests arrive at a fixed rate, whatever the service does.

    The latency counts from the arrival, also while every connection is busy: users do not wait for
    each other before they come (Tene, *How NOT to Measure Latency*).
    """

    seconds: float
    rate: float

    def moments(self, start: float) -> Iterator[float]:
        """When each request arrives."""
        for number in range(round(self.seconds * self.rate)):
            yield start + number / self.rate


class _Connection:
    """One request at a time on a socket that is opened anew when the service closes it."""

    __slots__ = ("_address", "_missing", "_received", "_status", "since", "socket")

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection(self._address, timeout=PATIENCE)
        self.socket.settimeout(None)  # with one, every recv would be two system calls
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received, self._missing, self._status = b"", -1, BROKEN

    def send(self, request: bytes, since: float) -> None:
        self.since = since
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """The status once the answer is whole; ``BROKEN`` when the connection ended, None before."""
        try:
            data = self.socket.recv(1 << 18)
        except OSError:
            data = b""
        if not data:
            return BROKEN
        if self._missing < 0:
            self._received += data
            if not self._read_head():
                return None
        else:
            self._missing -= len(data)
        if self._missing > 0:
            return None
        self._received, self._missing = b"", -1
        return self._status

    def _read_head(self) -> bool:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return False
        length = _LENGTH.search(self._received, 0, end + 2)
        self._status = int(self._received[9:12])
        self._missing = end + 4 + (int(length[1]) if length else 0) - len(self._received)
        return True


def run(
    url: str, requests: Iterator[bytes], loop: ClosedLoop | OpenLoop, *, connections: int = 64
) -> Report:
    """What ``connections`` connections saw until the loop's time is over or there are no more requests.

    Requests are whole, as ``http_request`` makes them. Answers that are under way at the end are
    waited for. ``TimeoutError`` when nothing is answered for a minute.
    """
    place = urlsplit(url)
    address = (place.hostname or "127.0.0.1", place.port or 80)
    idle = [_Connection(address) for _ in range(connections)]
    with selectors.DefaultSelector() as selector:
        under_way = _Run(selector, idle, requests, loop)
        try:
            return under_way.to_the_end()
        finally:
            for key in list(selector.get_map().values()):
                key.data.socket.close()


class _Run:
    """One run: who is idle, what is due, what was seen."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
        connections: list[_Connection],
        requests: Iterator[bytes],
        loop: ClosedLoop | OpenLoop,
    ) -> None:
        self._selector, self._idle, self._requests = selector, deque(connections), requests
        self._connections = len(connections)
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        self._closed = isinstance(loop, ClosedLoop)
        self._start = time.perf_counter()
        self._end = self._start + loop.seconds
        self._moments = loop.moments(self._start)
        self._due = next(self._moments, None)
        self._latencies: list[float] = []
        self._statuses: Counter[int] = Counter()

    def to_the_end(self) -> Report:
        while True:
            self._send_due(time.perf_counter())
            if self._due is None and len(self._idle) == self._connections:
                seconds = time.perf_counter() - self._start
                return report(self._latencies, seconds, self._statuses)
            for key, _ in self._ready():
                self._receive(key.data)

    def _send_due(self, now: float) -> None:
        """Send what is due, as long as a connection is idle."""
        while self._due is not None and self._due <= now and self._idle:
            over = self._closed and now >= self._end
            request = None if over else next(self._requests, None)
            if request is None:
                self._due = None
                return
            self._idle.popleft().send(request, time.perf_counter() if self._closed else self._due)
            self._due = next(self._moments, None)

    def _ready(self) -> list[tuple[selectors.SelectorKey, int]]:
        """The connections with something to read, at the latest when the next request is due."""
        if self._due is not None and self._idle:
            return self._selector.select(max(0.0, self._due - time.perf_counter()))
        ready = self._selector.select(PATIENCE)
        if not ready:
            raise TimeoutError(f"no answer for {PATIENCE:.0f} s")
        return ready

    def _receive(self, connection: _Connection) -> None:
        status = connection.receive()
        if status is None:
            return
        if status == BROKEN:
            self._selector.unregister(connection.socket)
            connection.socket.close()
            connection.open()
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
            if connection in self._idle:  # closed between two requests, which is nobody's fault
                return
        self._latencies.append(time.perf_counter() - connection.since)
        self._statuses[status] += 1
        self._idle.append(connection)


def report(latencies: list[float], seconds: float, statuses: Counter[int]) -> Report:
    """The numbers of a run, from the latency of each answer in seconds.

    >>> found = report([0.001] * 98 + [0.005, 0.009], 2.0, Counter({200: 100}))
    >>> found.per_second, found.p50, found.p99, found.worst
    (50.0, 1.0, 5.0, 9.0)
    """
    ordered = sorted(latencies) or [0.0]

    def at(share: float) -> float:
        return round(1000 * ordered[math.ceil(share * len(ordered)) - 1], 3)

    return Report(
        requests=len(latencies),
        seconds=round(seconds, 3),
        per_second=round(len(latencies) / seconds, 2),
        p50=at(0.5),
        p99=at(0.99),
        worst=at(1.0),
        statuses=dict(sorted(statuses.items())),
    )


def http_request(path: str, key: str | None, body: bytes) -> bytes:
    """A whole POST request with a JSON body."""
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\n{authorization}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def main() -> None:
    """Print the report of one run as JSON."""
    parser = argparse.ArgumentParser(description="Load on a running service.")
    parser.add_argument("--url", required=True, help="the service, as http://127.0.0.1:8000")
    parser.add_argument("--path", default="/v1/classify")
    parser.add_argument("--key", help="an API key")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--requests", type=int, help="stop after so many requests")
    parser.add_argument("--rate", type=float, help="requests a second; as fast as possible without")
    parser.add_argument("--messages", type=Path, help="bodies, one JSON object a line")
    parser.add_argument("--mix", choices=("phone", "corpus"), default="phone", help="without --messages")
    parser.add_argument("--skip", type=int, default=0, help="bodies left out at the start, as sent before")
    given = parser.parse_args()
    if given.messages:
        bodies = iter(given.messages.read_bytes().splitlines())
    else:
        from tests.bench.messages import bodies as mixed

        bodies = mixed(given.mix)
    wanted = given.requests or round((given.rate or 4_000) * given.seconds)
    chosen = islice(bodies, given.skip, given.skip + wanted)
    requests = [http_request(given.path, given.key, body) for body in chosen]
    loop = OpenLoop(given.seconds, given.rate) if given.rate else ClosedLoop(given.seconds)
    found = run(given.url, iter(requests), loop, connections=given.connections)
    json.dump(asdict(found), sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
