"""The load generator: what it counts, and from when."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice, repeat

import pytest

from model.normalize import normalize
from tests.bench.load import BROKEN, ClosedLoop, OpenLoop, http_request, run
from tests.bench.messages import Mix, bodies, conversations

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
REQUEST = http_request("/v1/classify", "cg_x", b"{}")


@contextmanager
def server(answer: Callable[[socket.socket], bool]) -> Iterator[str]:
    """A server of one connection at a time; ``answer`` says whether the connection goes on."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                while connection.recv(65_536) and answer(connection):
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def slow(connection: socket.socket) -> bool:
    time.sleep(0.05)
    connection.sendall(ANSWER)
    return True


def test_an_open_loop_counts_waiting_from_the_arrival() -> None:
    with server(slow) as url:
        found = run(url, repeat(REQUEST), OpenLoop(seconds=0.5, rate=40), connections=1)
    assert found.statuses == {200: 20}
    assert found.worst > 400  # 20 answers of 50 ms, the last of which was wanted after 475 ms


def test_a_closed_loop_counts_from_the_sending() -> None:
    with server(slow) as url:
        found = run(url, repeat(REQUEST), ClosedLoop(seconds=0.4), connections=1)
    assert found.p50 == pytest.approx(50, rel=0.9)
    assert 1 < found.requests <= 9


def test_it_ends_when_there_are_no_more_requests() -> None:
    with server(slow) as url:
        found = run(url, islice(repeat(REQUEST), 3), ClosedLoop(seconds=60), connections=1)
    assert found.requests == 3


def test_an_answer_in_pieces_is_one_answer() -> None:
    def in_pieces(connection: socket.socket) -> bool:
        for start in range(0, len(ANSWER), 7):
            connection.sendall(ANSWER[start : start + 7])
            time.sleep(0.001)
        return True

    with server(in_pieces) as url:
        found = run(url, islice(repeat(REQUEST), 4), ClosedLoop(seconds=60), connections=1)
    assert found.statuses == {200: 4}


def test_a_connection_that_ends_before_the_answer_is_counted_and_opened_anew() -> None:
    with server(lambda connection: False) as url:
        found = run(url, islice(repeat(REQUEST), 3), ClosedLoop(seconds=60), connections=1)
    assert found.statuses == {BROKEN: 3}


def test_a_refusal_is_counted_by_its_status() -> None:
    def refuse(connection: socket.socket) -> bool:
        connection.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
        return True

    with server(refuse) as url:
        found = run(url, islice(repeat(REQUEST), 5), ClosedLoop(seconds=60), connections=1)
    assert found.statuses == {503: 5}


@pytest.mark.parametrize("mix", ["phone", "corpus"])
def test_no_two_messages_are_alike_even_when_the_corpus_is_used_up(mix: Mix) -> None:
    texts = [one.text for one in islice(conversations(mix), 30_000)]
    assert len(set(texts)) == len(texts)
    late = [normalize(text).text for text in texts[-200:]]
    assert len(set(late)) == len(late)


def test_the_messages_are_always_the_same() -> None:
    first, second = (list(islice(bodies("phone"), 50)) for _ in range(2))
    assert first == second
    assert all(body.startswith(b"{") and b"\n" not in body for body in first)
