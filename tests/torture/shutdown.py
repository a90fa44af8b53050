"""SIGTERM while clients ask: every request is answered, and nobody is cut off.

Lost is a request that was sent whole on an open connection and got no whole answer. As every client
does, ours looks whether the service has closed a connection before it sends the next request on it,
and leaves one that was told ``Connection: close``. A connection that is refused because the listener
is gone is nobody's loss.
"""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from select import select
from typing import Literal

from tests.bench.load import http_request
from tests.torture.service import Running, running
from tests.torture.table import Row

Outcome = Literal["answered", "told to close", "reset", "cut off", "no answer", "refused", "found closed"]
#: What must not happen.
LOST: tuple[Outcome, ...] = ("reset", "cut off", "no answer")


def _answer(sent: socket.socket) -> tuple[Outcome, bytes]:
    """What became of the request that was just sent."""
    received = b""
    while b"\r\n\r\n" not in received:
        try:
            data = sent.recv(65_536)
        except OSError:
            return "reset", received
        if not data:
            return ("cut off" if received else "no answer"), received
        received += data
    head, _, body = received.partition(b"\r\n\r\n")
    missing = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]) - len(body)
    while missing > 0:
        data = sent.recv(65_536)
        if not data:
            return "cut off", received
        missing -= len(data)
    return ("told to close" if b"connection: close" in head.lower() else "answered"), received


class _Client(threading.Thread):
    """Asks again and again, with a pause between, on connections that it keeps, until refused."""

    def __init__(self, port: int, request: bytes, pause: float) -> None:
        super().__init__()
        self.seen: Counter[Outcome] = Counter()
        self._port, self._request, self._pause = port, request, pause

    def run(self) -> None:
        while self._connection():
            pass

    def _connection(self) -> bool:
        """One connection, for as long as it lasts; False when there is no listener any more."""
        try:
            sent = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        except OSError:
            self.seen["refused"] += 1
            return False
        with sent:
            while True:
                if select([sent], [], [], self._pause)[0]:
                    self.seen["found closed"] += 1
                    return True
                outcome: Outcome = "reset"
                with suppress(OSError):
                    sent.sendall(self._request)
                    outcome, _ = _answer(sent)
                self.seen[outcome] += 1
                if outcome != "answered":
                    return True


def _stopping_is_said(port: int) -> str:
    """What /readyz said last on a new connection before the listener was gone."""
    said = "nothing"
    with suppress(OSError):
        while True:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as sent:
                sent.sendall(b"GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                received = b""
                while data := sent.recv(65_536):
                    received += data
                said = "503 stopping" if b" 503 " in received[:20] and b"stopping" in received else "ready"
            time.sleep(0.005)
    return said


def stopped(service: Running, clients: int, pause: float) -> tuple[Counter[Outcome], str, int]:
    """What clients saw of an end under load, what /readyz said last, and the exit code."""
    body = b'{"text": "Tai khoan bi khoa, dang nhap http://vcb-xacthuc.top"}'
    asking = [
        _Client(service.port, http_request("/v1/classify", service.key, body), pause)
        for _ in range(clients)
    ]
    for client in asking:
        client.start()
    time.sleep(0.7)
    service.process.terminate()
    said = _stopping_is_said(service.port)
    code = service.process.wait(40)
    for client in asking:
        client.join()
    return sum((client.seen for client in asking), Counter()), said, code


def check(place: Path, model: Path | None = None, *, times: int = 20, clients: int = 50) -> Iterator[Row]:
    """The rows: half of the ends among busy clients, half among clients that pause between requests."""
    for pause, what in ((0.0, "busy clients"), (0.05, "clients that pause")):
        total: Counter[Outcome] = Counter()
        said, codes = Counter[str](), Counter[int]()
        for number in range(-(-times // 2)):
            with running(place / f"shutdown-{pause}-{number}", model=model) as service:
                seen, ready, code = stopped(service, clients, pause)
                total += seen
                said[ready] += 1
                codes[code] += 1
        lost = sum(total[outcome] for outcome in LOST)
        name = f"SIGTERM x {sum(codes.values())} under {clients} {what}"
        yield Row(name, "0 lost", f"{lost} lost: {dict(total)}", lost == 0)
        yield Row(
            name,
            "/readyz says stopping before the listener closes",
            f"{dict(said)}",
            set(said) == {"503 stopping"},
        )
        yield Row(name, "exit code 0", f"{dict(codes)}", set(codes) == {0})
