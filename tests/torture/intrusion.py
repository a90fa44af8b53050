"""Hostile texts, bodies and HTTP sent to every route that takes a body.

None may be answered with 5xx, with a problem of more than 2 KB, or with what was sent; and the service
lives on. An answer about a message lists that message's own links and numbers, and may be longer.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from tests.torture.hostile import CANARY, bodies, texts, wrapped
from tests.torture.service import Running, running
from tests.torture.table import Row
from tests.torture.wire import beside_slow_clients, exchange, flooded, requests

#: Bytes of a problem at most.
LONGEST = 2048
POSTS = ("/v1/classify", "/v1/classify/batch", "/v1/feedback", "/v1/review/labels")


def faults_of(status: int, answer: bytes) -> str:
    """What is wrong with an answer; empty when nothing is."""
    if status >= 500:
        return f"status {status}"
    if status >= 300 and len(answer) > LONGEST:
        return f"{len(answer)} bytes"
    if CANARY.encode() in answer:
        return "repeats what was sent"
    return ""


def asked(service: Running, cases: Iterable[tuple[str, Any]]) -> list[str]:
    """What was wrong with the answers to these (path, body)."""
    wrong = []
    for path, body in cases:
        try:
            status, answer = service.ask(path, body)
        except OSError as error:
            wrong.append(f"{path}: {type(error).__name__}")
            continue
        if fault := faults_of(status, answer):
            wrong.append(f"{path}: {fault}: {str(body)[:60]!a}")
    return wrong


def spoken(service: Running, sent: Sequence[bytes]) -> list[str]:
    """What was wrong with the answers to raw requests; an answer may be a closed connection."""
    wrong = []
    if b"HTTP/1.1 200" not in exchange(service.port, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"):
        wrong.append("a proper request is not answered")
    for request in sent:
        answer = exchange(service.port, request)
        heads = [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]]
        if any(head >= b"500" for head in heads):
            wrong.append(f"{heads}: {request[:60]!r}")
        if CANARY.encode() in answer:
            wrong.append(f"repeats: {request[:60]!r}")
    return wrong


def check(place: Path, model: Path | None = None, *, megabytes: int = 100, share: int = 1) -> Iterator[Row]:
    """The rows; only one text in ``share`` is sent."""
    found = texts()
    with running(place / "hostile", model=model) as service:
        cases = [case for text in found[::share] for case in wrapped(text)]
        yield _row(f"{len(cases)} hostile texts", asked(service, cases))
        broken = list(product(POSTS, bodies()))
        yield _row(f"{len(broken)} hostile bodies", asked(service, broken))
        raw = requests(service.key)
        yield _row(f"{len(raw)} kinds of broken HTTP", spoken(service, raw))
        for chunked in (False, True):
            wrong = flooded(service, megabytes, chunked=chunked)
            name = f"{megabytes} MB {'without' if chunked else 'with'} Content-Length"
            yield Row(name, "413 or closed, memory steady", wrong or "so it was", not wrong)
        before, beside = beside_slow_clients(service, 200, 400 // share)
        seen = f"p99 {before:.0f} ms before, {beside:.0f} ms beside"
        must = "an other's p99 <= 2 x before + 50 ms"
        yield Row("200 slow clients", must, seen, beside <= 2 * before + 50)
        status = service.ask()[0]
        quiet = CANARY not in service.log and "Traceback" not in service.log
        yield Row(
            "after all that", "alive, log without texts", f"{status}, {quiet}", status == 200 and quiet
        )
        yield Row("the service ends", "exit code 0", str(code := service.stop()), code == 0)


def _row(check: str, wrong: Sequence[str]) -> Row:
    must = "no 5xx, problems <= 2 KB, never the text"
    return Row(check, must, "; ".join(wrong[:5]) or "so it was", not wrong)
