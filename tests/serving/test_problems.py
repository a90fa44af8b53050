"""Every error over HTTP: one shape, a test where each is born, and never a word of what was sent."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from data.store import SCOPES
from serving.app import create_app
from serving.bodies import body_of
from serving.problems import KINDS, Problem
from serving.schemas import ClassifyRequest
from serving.settings import Settings
from serving.workers import cores

CANARY = "chimhoangyen"
JSON = {"Content-Type": "application/json"}
Bearer = Callable[..., dict[str, str]]


@pytest.fixture
def headers(bearer: Bearer) -> dict[str, str]:
    return {**JSON, **bearer(*SCOPES)}


@pytest.fixture
def post(client: TestClient, headers: dict[str, str], bearer: Bearer) -> Callable[[str, bytes], Any]:
    """Posts a body with every scope; ``{token}`` in a path becomes a key that may filter."""
    token = bearer("filter", name="iphone")["Authorization"].removeprefix("Bearer ")
    return lambda path, body: client.post(path.format(token=token), content=body, headers=headers)


def _bad_bodies() -> Iterator[tuple[str, int, bytes]]:
    canary = CANARY.encode()
    yield "nothing", 400, b""
    yield "no JSON", 400, canary
    yield "half a JSON", 400, b'{"text": "' + canary
    yield "two JSONs", 400, b'{"text": "a"} ' + canary
    yield "lone surrogate", 400, b'{"text": "\\ud800 ' + canary + b'"}'
    yield "surrogate in UTF-8", 400, b'{"text": "\xed\xa0\x80 ' + canary + b'"}'
    yield "not UTF-8", 400, b'{"text": "\xff' + canary + b'"}'
    yield "UTF-16", 400, ('{"text": "' + CANARY + '"}').encode("utf-16")
    yield "control character", 400, b'{"text": "\x01' + canary + b'"}'
    yield "NaN", 400, b'{"text": NaN, "note": "' + canary + b'"}'
    yield "minus infinity", 400, b'{"text": -Infinity, "note": "' + canary + b'"}'
    yield "1e999", 422, b'{"text": 1e999, "' + canary + b'": 1}'
    yield "huge number", 400, b'{"text": ' + b"9" * 6000 + b', "note": "' + canary + b'"}'
    yield "too deep", 400, b'{"text": ' + b"[" * 5000 + b'"' + canary
    yield "a list", 422, b'["' + canary + b'"]'
    yield "a string", 422, b'"' + canary + b'"'
    yield "null", 422, b"null"
    yield "unknown field", 422, b'{"text": "a", "' + canary + b'": "' + canary + b'"}'
    yield (
        "unknown field of a message",
        422,
        b'{"messages": [{"role": "sender", "text": "a", "' + canary + b'": 1}]}',
    )
    yield "unknown role", 422, b'{"messages": [{"role": "' + canary + b'", "text": "a"}]}'
    yield "unknown channel", 422, b'{"text": "a", "channel": "' + canary + b'"}'
    yield "text is a list", 422, b'{"text": ["' + canary + b'"]}'
    yield (
        "text and messages",
        422,
        b'{"text": "' + canary + b'", "messages": [{"role": "sender", "text": "a"}]}',
    )
    yield "neither", 422, b'{"sender": "' + canary + b'"}'
    yield "empty text", 422, b'{"text": "   "}'
    yield "NUL", 422, b'{"text": "\\u0000' + canary + b'"}'
    yield "long text", 422, b'{"text": "' + canary * 200 + b'"}'
    yield "long sender", 422, b'{"text": "a", "sender": "' + canary * 20 + b'"}'
    yield (
        "many messages",
        422,
        b'{"messages": ['
        + b'{"role": "sender", "text": "a"},' * 100
        + b'{"role": "sender", "text": "b"}]}',
    )
    yield "thousands of faults", 422, b'{"messages": [' + b"{}," * 20000 + b"{}]}"
    yield "64 KiB and one", 413, b'{"text": "' + canary * 5500 + b'"}'


def _is_a_small_problem(answer: Any, status: int) -> None:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail"} <= set(answer.json())
    assert answer.json()["status"] == status
    assert len(answer.content) < 2_000


@pytest.mark.parametrize(
    "path",
    ["/v1/classify", "/v1/feedback", "/v1/review/labels", "/ios/filter/{token}", "/ios/report/{token}"],
)
@pytest.mark.parametrize("case", [pytest.param((s, b), id=n) for n, s, b in _bad_bodies()])
def test_a_problem_never_repeats_the_text(
    post: Callable[[str, bytes], Any],
    caplog: pytest.LogCaptureFixture,
    numbers: Callable[[], str],
    path: str,
    case: tuple[int, bytes],
) -> None:
    status, body = case
    answer = post(path, body)
    _is_a_small_problem(answer, status)
    assert CANARY not in answer.text
    assert CANARY not in _logged(caplog)
    assert CANARY not in numbers()


@pytest.mark.parametrize("body", [pytest.param(b, id=n) for n, s, b in _bad_bodies() if s == 422])
def test_an_items_problem_never_repeats_the_text(
    client: TestClient, headers: dict[str, str], body: bytes
) -> None:
    answer = client.post("/v1/classify/batch", content=b'{"items": [' + body + b"]}", headers=headers)
    assert answer.status_code == 200
    assert answer.json()["items"][0]["problem"]["status"] == 422
    assert CANARY not in answer.text


def test_addresses_methods_and_headers_are_not_repeated_either(
    client: TestClient, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    key = {"Idempotency-Key": f"{CANARY} {CANARY}"}
    feedback = {"text": "a", "verdict": "scam", "proposed_label": "scam", "consent": True}
    answers = [
        client.get(f"/{CANARY}"),
        client.get(f"/v1/classify/{CANARY}?text={CANARY}"),
        client.request(CANARY.upper(), "/v1/classify"),
        client.get(f"/v1/review/next?limit={CANARY}", headers=headers),
        client.get(f"/healthz?text={CANARY}"),
        client.post("/v1/classify", content=b"a", headers={**headers, "Content-Type": CANARY}),
        client.post("/v1/feedback", json=feedback, headers={**headers, **key}),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 405, 422, 200, 415, 422]
    seen = (
        "".join(answer.text for answer in answers)
        + _logged(caplog)
        + client.get("/metrics", headers=headers).text
    )
    assert CANARY not in seen.lower()
    assert "GET /healthz 200" in caplog.text


def test_classified_text_is_not_logged(
    client: TestClient, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    assert client.post("/v1/classify", json={"text": CANARY}, headers=headers).status_code == 200
    assert CANARY not in _logged(caplog)


def test_an_error_nobody_planned_is_logged_without_its_words(
    client: TestClient, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.post("/v1/classify", json={"text": f"explode {CANARY}"}, headers=headers)
    _is_a_small_problem(answer, 500)
    assert "RuntimeError at" in caplog.text
    assert CANARY not in answer.text + _logged(caplog)


def test_an_error_outside_every_handler_is_a_problem_too(
    settings: Settings, load: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(settings, load=load)

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError(CANARY)

    with TestClient(app) as client:
        answer = client.get("/broken")
    _is_a_small_problem(answer, 500)
    assert CANARY not in answer.text + _logged(caplog)


def test_a_text_too_long_is_named_by_position_length_and_limit(
    client: TestClient, headers: dict[str, str]
) -> None:
    turns = [{"role": "sender", "text": "a"}, {"role": "recipient", "text": "b" * 2001}]
    answer = client.post("/v1/classify", json={"messages": turns}, headers=headers)
    _is_a_small_problem(answer, 422)
    assert answer.json()["type"] == "urn:canhgiac:problem:text-too-long"
    assert answer.json()["errors"] == [{"where": "messages[1]", "what": "2001 characters, limit 2000"}]


@pytest.mark.parametrize("length", [2000, 2001])
def test_the_limit_counts_code_points(client: TestClient, headers: dict[str, str], length: int) -> None:
    answer = client.post("/v1/classify", json={"text": "😀" * length}, headers=headers)
    assert answer.status_code == (200 if length == 2000 else 422)


@pytest.mark.parametrize(
    ("path", "limit"), [("/v1/classify", 64 * 1024), ("/v1/classify/batch", 1024 * 1024)]
)
@pytest.mark.parametrize("declared", [True, False])
def test_the_body_limit_holds_with_and_without_content_length(
    client: TestClient, headers: dict[str, str], path: str, limit: int, declared: bool
) -> None:
    def send(size: int) -> int:
        body = b'{"x": "' + b"a" * (size - 9) + b'"}'
        content: Any = body if declared else iter([body[:1000], body[1000:]])
        return client.post(path, content=content, headers=headers).status_code

    assert (send(limit), send(limit + 1)) == (422, 413)


def test_a_body_that_does_not_arrive_is_given_up() -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {}

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", b"application/json")]}
    with pytest.raises(Problem) as refused:
        asyncio.run(body_of(ClassifyRequest, seconds=0.01)(Request(scope, receive)))
    assert refused.value.status == 408


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_refused(
    client: TestClient, headers: dict[str, str], content_type: str
) -> None:
    sent = {**headers, "Content-Type": content_type}
    _is_a_small_problem(client.post("/v1/classify", content=b"{}", headers=sent), 415)


def test_json_with_a_charset_is_json(client: TestClient, headers: dict[str, str]) -> None:
    sent = {**headers, "Content-Type": "application/json; charset=utf-8"}
    assert client.post("/v1/classify", content=b'{"text": "a"}', headers=sent).status_code == 200


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/classify/", "/docs", "/v1/review"])
def test_an_unknown_path_is_a_problem(client: TestClient, path: str) -> None:
    _is_a_small_problem(client.get(path), 404)


def test_an_unknown_method_is_a_problem_that_names_the_known_ones(client: TestClient) -> None:
    answer = client.get("/v1/classify")
    _is_a_small_problem(answer, 405)
    assert answer.headers["Allow"] == "POST"


def test_a_full_queue_says_when_to_come_back(
    settings: Settings, load: Any, bearer: Bearer, gate: threading.Event
) -> None:
    app = create_app(settings, load=load, capacity=2)
    with TestClient(app) as client, ThreadPoolExecutor(cores() + 2) as pool:
        headers = bearer("classify", "metrics")
        gate.clear()

        def send() -> Any:
            return pool.submit(client.post, "/v1/classify", json={"text": "a"}, headers=headers)

        def numbers() -> str:
            return client.get("/metrics", headers=headers).text

        sent = [send() for _ in range(cores())]
        _until(lambda: f"canhgiac_queue_seconds_count {cores()}.0" in numbers())
        sent += [send(), send()]
        _until(lambda: "canhgiac_waiting 2.0" in numbers())
        refused = client.post("/v1/classify", json={"text": "a"}, headers=headers)
        gate.set()
        assert [answer.result().status_code for answer in sent] == [200] * len(sent)
    _is_a_small_problem(refused, 503)
    assert int(refused.headers["Retry-After"]) > 0


def test_a_store_that_fails_is_a_problem_and_not_ready(
    client: TestClient, headers: dict[str, str], settings: Settings
) -> None:
    Path(settings.state_dir / "canhgiac.db").write_bytes(b"this is no database" * 100)
    answer = client.post("/v1/classify", json={"text": CANARY}, headers=headers)
    _is_a_small_problem(answer, 503)
    assert "Retry-After" in answer.headers
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["store"]["status"] == "failed"
    assert ready.json()["model"]["status"] == "ok"


def test_every_kind_of_problem_has_a_status_of_an_error() -> None:
    assert all(400 <= status < 600 and title for status, title in KINDS.values())


def _logged(caplog: pytest.LogCaptureFixture) -> str:
    """What the service logged; the test's own client logs its addresses too."""
    return "\n".join(
        f"{record.getMessage()} {record.exc_info}"
        for record in caplog.records
        if not record.name.startswith("httpx")
    )


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)
