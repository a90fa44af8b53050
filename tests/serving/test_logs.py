"""The log: readable by machines and people, without a word of a client's, and harmless to a terminal."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient

from serving.logs import REQUEST_ID, JsonLines, PlainLines, log_to, request_id

CANARY = "bimat-canary"
#: Colour, cursor, new line, C1 control, right-to-left override, line separator, DEL.
NASTY = "a\x1b[31mred\x07\nforged\r\x9b2J\u202etxt\u2028b\x7f"


def record(
    message: str, name: str = "canhgiac.serving", error: BaseException | None = None
) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord(name, logging.ERROR, __file__, 1, message, None, info)


@contextmanager
def our_lines(stream: io.StringIO) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the service logs as JSON meanwhile."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("canhgiac")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def test_a_request_is_one_json_object_with_the_declared_route(client: TestClient) -> None:
    with our_lines(io.StringIO()) as lines:
        client.get(f"/healthz?text={CANARY}", headers={"X-Request-ID": "app-1", "User-Agent": CANARY})
        client.get(f"/{CANARY}")
    first, second = lines()
    assert {name: first[name] for name in ("level", "event", "route", "status", "request_id")} == {
        "level": "info",
        "event": "request",
        "route": "GET /healthz",
        "status": 200,
        "request_id": "app-1",
    }
    assert first["ms"] >= 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", first["time"])
    assert (second["route"], second["status"]) == ("unknown", 404)
    assert CANARY not in json.dumps([first, second])


def test_an_answer_carries_the_id_that_its_line_has(client: TestClient) -> None:
    with our_lines(io.StringIO()) as lines:
        given = client.get("/healthz", headers={"X-Request-ID": "a.B_9-z"})
        made = client.get("/nowhere")
    assert given.headers["X-Request-ID"] == "a.B_9-z"
    assert re.fullmatch(r"[0-9a-f]{32}", made.headers["X-Request-ID"])
    assert [line["request_id"] for line in lines()] == ["a.B_9-z", made.headers["X-Request-ID"]]


@pytest.mark.parametrize("sent", ["", "two words", "x" * 65, "a\nb", "a\n", "\x1b[31m", "ă", "<b>", None])
def test_an_id_that_is_anything_else_is_replaced(sent: str | None) -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", request_id(sent))


def test_every_line_on_a_requests_way_has_its_id(
    client: TestClient, bearer: Callable[..., dict[str, str]]
) -> None:
    headers = {**bearer("classify"), "X-Request-ID": "way-1"}
    with our_lines(io.StringIO()) as lines:
        client.post("/v1/classify", json={"text": f"explode {CANARY}"}, headers=headers)
    assert len(lines()) == 2
    assert {line["request_id"] for line in lines()} == {"way-1"}
    assert CANARY not in json.dumps(lines())


@pytest.mark.parametrize("lines", [JsonLines(), PlainLines()])
def test_nothing_can_move_a_terminal_or_forge_a_line(lines: logging.Formatter) -> None:
    told = lines.format(record(NASTY))
    assert "forged" in told
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e\u2028]", told)


def test_json_gives_back_what_was_logged() -> None:
    assert json.loads(JsonLines().format(record(NASTY)))["event"] == NASTY


@pytest.mark.parametrize("lines", [JsonLines(), PlainLines()])
def test_an_exception_is_told_by_type_and_place_without_its_words(lines: logging.Formatter) -> None:
    with pytest.raises(ValueError, match=CANARY) as caught:
        int(CANARY)
    told = lines.format(record("it failed", error=caught.value))
    assert "it failed: ValueError at" in told
    assert CANARY not in told


def test_a_forgotten_task_is_told_without_its_exceptions_words() -> None:
    message = f"Task exception was never retrieved\nfuture: <Task exception=ValueError('{CANARY}')>"
    told = JsonLines().format(record(message, name="asyncio"))
    assert json.loads(told)["event"] == "Task exception was never retrieved"


def test_a_person_at_a_terminal_reads_a_plain_line() -> None:
    token = REQUEST_ID.set("app-1")
    try:
        told = PlainLines().format(record("GET /healthz 200 1 ms"))
    finally:
        REQUEST_ID.reset(token)
    assert re.fullmatch(r"\d\d:\d\d:\d\d ERROR GET /healthz 200 1 ms \[app-1\]", told)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "form"), [(io.StringIO(), JsonLines), (Terminal(), PlainLines)])
def test_the_form_follows_who_reads(stream: io.StringIO, form: type[logging.Formatter]) -> None:
    root, ours = logging.getLogger(), logging.getLogger("canhgiac")
    before = root.handlers[:], root.level, ours.level
    root.handlers.clear()
    try:
        log_to(stream)
        assert [type(handler.formatter) for handler in root.handlers] == [form]
        logging.getLogger("httpx").info("HTTP Request: GET %s", CANARY)
        ours.info("model v1 serves")
    finally:
        root.handlers[:], level, our_level = before
        root.setLevel(level)
        ours.setLevel(our_level)
    assert "model v1 serves" in stream.getvalue()
    assert CANARY not in stream.getvalue()
