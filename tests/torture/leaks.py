"""A victim's data sent to every place of every route: where it may not come out again.

Each place gets its own canary, so that a row says where a leak began. The store may hold feedback
that came with consent, after redaction.
"""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from tests.torture.service import Running, running
from tests.torture.table import Row

NAME, EMAIL, CODE = "Nguyễn Thị Canary", "canary.9417@example.com", "941794"
SECRET = "cg_canary9417canary9417canary9417canary9417can"
#: A recipient's words; what identifies them is masked before it is stored.
PRIVATE = f"Mã OTP của mình là {CODE}, tên là {NAME}, email {EMAIL}"
ROUTES = ("/v1/classify", "/v1/classify/batch", "/v1/feedback", "/v1/review/labels", "/v1/review/next")
CANARIES = (NAME, EMAIL, CODE, SECRET, "Canary", "canary.9417", "kanari")


def _requests() -> Iterator[tuple[str, str, object, dict[str, str]]]:
    """(method, path, body, headers) with canaries in the body, the path, the query and the headers."""
    conversation = {
        "messages": [{"role": "sender", "text": "xin ma"}, {"role": "recipient", "text": PRIVATE}]
    }
    said = {"verdict": "legitimate", "proposed_label": "scam", "note": PRIVATE}
    yield "POST", "/v1/classify", conversation, {}
    yield "POST", "/v1/classify", {"text": PRIVATE, "kanari": PRIVATE, "channel": PRIVATE}, {}
    yield "POST", "/v1/classify/batch", {"items": [conversation, PRIVATE, {"kanari": 1}]}, {}
    yield "POST", "/v1/feedback", conversation | said | {"consent": False}, {}
    yield "POST", "/v1/feedback", conversation | said | {"consent": True, "category": "kanari"}, {}
    yield (
        "POST",
        "/v1/review/labels",
        {"id": PRIVATE[:99], "label": "scam", "category": "kanari", "note": PRIVATE},
        {},
    )
    yield (
        "POST",
        "/v1/review/labels",
        {"id": "kanari", "label": "scam", "category": "job_scam", "note": PRIVATE},
        {},
    )
    for path in ROUTES:
        for method in ("GET", "POST", "PUT", "kanari"):
            yield method, f"{path}?text={quote(PRIVATE)}&limit=kanari", None, {}
            yield method, f"{path}/{quote(PRIVATE)}", None, {}
        yield "POST", path, PRIVATE.encode(), {"Content-Type": "text/kanari"}
        yield "POST", path, b'{"text": "' + PRIVATE.encode(), {}
        odd = (
            "X-Request-Id",
            "User-Agent",
            "traceparent",
            "Idempotency-Key",
            "Cookie",
            "X-Forwarded-For",
            "kanari",
        )
        yield "POST", path, {"text": "a"}, dict.fromkeys(odd, f"kanari {EMAIL}")
        yield "POST", path, {"text": "a"}, {"Authorization": f"Bearer {SECRET}"}
        yield "POST", path, {"text": "a"}, {"Authorization": f"kanari {SECRET}"}


def answers(service: Running) -> list[str]:
    """Which answers repeated a canary; a sender's own link may be repeated, a recipient's words never."""
    leaked = []
    for method, path, body, headers in _requests():
        _, answer = service.ask(path, body, method=method, headers=service.headers | headers)
        leaked += [f"{method} {path[:20]}: {found}" for found in _found(answer.decode("utf-8", "replace"))]
    return leaked


def _found(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary.lower() in text.lower()]


def _consented(service: Running) -> str:
    """The id of a feedback with consent."""
    body = {
        "messages": [
            {"role": "sender", "text": "Chào chị " + NAME},
            {"role": "recipient", "text": PRIVATE},
        ],
        "verdict": "legitimate",
        "proposed_label": "scam",
        "note": PRIVATE,
        "consent": True,
    }
    status, answer = service.ask("/v1/feedback", body)
    return str(json.loads(answer)["id"]) if status == 202 else f"status {status}"


def _stored(state: Path) -> tuple[str, bytes]:
    """Every row of the store as text, and the bytes of its files."""
    with sqlite3.connect(state / "canhgiac.db") as store:
        rows = list(store.iterdump())
    files = b"".join(file.read_bytes() for file in sorted(state.glob("canhgiac.db*")))
    return "\n".join(rows), files


def check(place: Path, model: Path | None = None) -> Iterator[Row]:
    """The rows, from one service."""
    with running(place / "leaks", model=model) as service:
        leaked = answers(service)
        yield _row("canaries in every answer", leaked)
        rows, files = _stored(service.state)
        yield _row("store without consent", _found(rows) + _found(files.decode("utf-8", "replace")))
        found = _consented(service)
        rows, files = _stored(service.state)
        yield _row("store with consent", _found(rows) + _found(files.decode("utf-8", "replace")))
        kept = found in rows and "[OTP]" in rows and "[TÊN]" in rows and "[EMAIL]" in rows
        yield Row("feedback with consent", "stored, masked", f"stored and masked: {kept}", kept)
        yield _row(
            "key in the store", [service.key] if service.key in rows + files.decode("latin-1") else []
        )
        yield _row("/metrics", _found(service.ask("/metrics", None)[1].decode()))
        line = Path(f"/proc/{service.process.pid}/cmdline").read_bytes().decode()
        yield _row("command line", _found(line) + ([service.key] if service.key in line else []))
        service.stop()
        log = service.log
        yield _row("log", _found(log) + [key for key in (service.key, SECRET) if key in log])


def _row(check: str, found: list[str]) -> Row:
    return Row(f"leaks: {check}", "no canary", "; ".join(found[:6]) or "none", not found)
