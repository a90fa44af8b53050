"""Who may ask how much: buckets, quotas, places and time."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from data.store import Key, Scope
from serving.app import create_app
from serving.buckets import Buckets, Taken
from serving.limits import Limits
from serving.overload import InFlight, Places, in_time
from serving.problems import Problem
from serving.security import HEADERS
from serving.service import TURN, TURNS
from serving.settings import Settings
from serving.workers import cores

Bearer = Callable[..., dict[str, str]]
Make = Callable[..., Any]


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


# Buckets


def test_a_bucket_gives_its_burst_at_once_and_then_what_flows_in() -> None:
    clock = Clock()
    buckets = Buckets(60, 10, clock=clock)
    assert [buckets.take("a").wait for _ in range(11)] == [0] * 10 + [1]
    clock.now += 3
    assert [buckets.take("a").wait for _ in range(4)] == [0, 0, 0, 1]
    clock.now += 3600
    assert buckets.take("a", 10) == Taken(0, 0, 10)


def test_one_name_takes_nothing_from_another() -> None:
    buckets = Buckets(60, 1, clock=Clock())
    assert [buckets.take(name).wait for name in "abab"] == [0, 0, 1, 1]


@given(
    per_minute=st.integers(1, 100_000),
    takings=st.lists(st.tuples(st.integers(1, 300), st.floats(0, 30)), min_size=1, max_size=30),
)
def test_whoever_waits_as_told_is_taken_and_nobody_gets_more_than_flowed_in(
    per_minute: int, takings: list[tuple[int, float]]
) -> None:
    clock = Clock()
    burst = max(1, per_minute // 4)
    buckets = Buckets(per_minute, burst, clock=clock)
    began, got = clock.now, 0
    for cost, pause in takings:
        clock.now += pause
        if cost > burst:
            continue
        wait = buckets.take("a", cost).wait
        if wait:
            clock.now += wait
            taken = buckets.take("a", cost)
            assert taken.wait == 0
            assert 0 <= taken.left <= burst
        got += cost
        assert got <= burst + (clock.now - began) * per_minute / 60 + 0.01


def test_what_the_same_request_took_before_is_waited_for_too() -> None:
    clock = Clock()
    buckets = Buckets(60, 10, clock=clock)
    assert [buckets.take("a", cost).wait for cost in (5, 1)] == [0, 0]
    wait = buckets.take("a", 9, spent=1).wait
    clock.now += wait
    assert (buckets.take("a", 1).wait, buckets.take("a", 9).wait) == (0, 0)


def test_a_million_names_are_not_remembered() -> None:
    buckets = Buckets(60, 2, remembered=100, clock=Clock())
    for name in range(10_000):
        buckets.take(str(name))
        buckets.take("regular")
    assert len(buckets) == 100
    assert buckets.take("regular").wait > 0


# Quotas


def _key(*scopes: Scope, name: str = "a") -> Key:
    return Key(name, name, frozenset(scopes), True, datetime.now(UTC), None)


def test_a_key_of_scope_filter_has_a_tight_quota_of_its_own() -> None:
    limits = Limits(1200, 8, clock=Clock())
    assert [limits.take(_key("filter", "classify"), 1)[0] is None for _ in range(3)] == [True, True, False]
    assert limits.take(_key("classify", name="b"), 300)[0] is None


def test_the_fields_are_those_of_the_draft() -> None:
    limits = Limits(12_000, 600, clock=Clock())
    refused, fields = limits.take(_key("classify"), 1000)
    assert refused is None
    assert fields == [
        (b"ratelimit-policy", b'"messages";q=12000;w=60'),
        (b"ratelimit", b'"messages";r=2000;t=5'),
    ]


def test_taking_costs_microseconds() -> None:
    limits, key = Limits(10**9, 600), _key("classify")
    fastest = min(_timed(lambda: limits.take(key, 1)) for _ in range(2000))
    assert fastest < 20e-6


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


@contextmanager
def _serving(settings: Settings, load: Any, **changed: Any) -> Iterator[tuple[TestClient, Any]]:
    app = create_app(settings.model_copy(update=changed), load=load)
    with TestClient(app) as client:
        yield client, app.state


def test_over_the_quota_is_429_and_says_when_to_come_back(
    settings: Settings, load: Any, bearer: Bearer
) -> None:
    with _serving(settings, load, messages_per_minute=8) as (client, _):
        headers = bearer("classify")
        answers = [client.post("/v1/classify", json={"text": "a"}, headers=headers) for _ in "123"]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert [answer.headers["RateLimit"][:14] for answer in answers] == [
            '"messages";r=1',
            '"messages";r=0',
            '"messages";r=0',
        ]
        assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"messages";q=8;w=60'}
        assert answers[2].json()["type"] == "urn:canhgiac:problem:too-many-requests"
        assert 1 <= int(answers[2].headers["Retry-After"]) <= 8
        other = client.post("/v1/classify", json={"text": "a"}, headers=bearer("classify", name="b"))
        assert other.status_code == 200


def test_a_batch_costs_what_it_holds(client: TestClient, bearer: Bearer) -> None:
    answer = client.post(
        "/v1/classify/batch", json={"items": [{"text": "a"}] * 200}, headers=bearer("classify")
    )
    assert answer.status_code == 200
    assert 2800 <= _left(answer) < 2900


def test_a_batch_that_could_never_be_taken_is_told_so(
    settings: Settings, load: Any, bearer: Bearer
) -> None:
    with _serving(settings, load, messages_per_minute=40) as (client, _):
        headers = bearer("classify")

        def send(size: int) -> Any:
            return client.post(
                "/v1/classify/batch", json={"items": [{"text": "a"}] * size}, headers=headers
            )

        never = send(11)
        assert never.status_code == 422
        assert never.json()["errors"] == [
            {"where": "body", "what": "must hold at most 10 messages for this key"}
        ]
        later = send(10)
        assert later.status_code == 429
        assert 1 <= int(later.headers["Retry-After"]) <= 3


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/classify", {"text": ""}, 422),
        ("POST", "/v1/classify", {"text": "explode"}, 500),
        ("POST", "/v1/feedback", {"text": "a"}, 403),
        ("GET", "/v1/review/next", None, 200),
    ],
)
def test_every_answer_to_a_key_says_what_is_left(  # noqa: PLR0917
    client: TestClient, bearer: Bearer, method: str, path: str, body: Any, status: int
) -> None:
    answer = client.request(method, path, json=body, headers=bearer("classify", "label"))
    assert (answer.status_code, _left(answer)) == (status, 2999)


def test_without_a_key_nothing_is_said_of_quotas(client: TestClient) -> None:
    for answer in (client.get("/healthz"), client.post("/v1/classify")):
        assert not {"RateLimit", "RateLimit-Policy"} & set(answer.headers)


def _left(answer: Any) -> int:
    return int(answer.headers["RateLimit"].split(";")[1].removeprefix("r="))


# Places


def _ask(layer: InFlight, path: str) -> tuple[int, Mapping[bytes, bytes]]:
    """Status and headers of a request to ``layer`` alone, whose body is never to be read."""
    started: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("the body was read")

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            started.append(message)

    asyncio.run(layer({"type": "http", "method": "POST", "path": path, "headers": []}, receive, send))
    return started[0]["status"], dict(started[0]["headers"])


async def _answers(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def _nobody(scope: Any, token: str) -> None:
    """No key is known."""


async def _breaks(scope: Any, receive: Any, send: Any) -> None:
    await _answers(scope, receive, send)
    raise RuntimeError


def test_without_a_place_nothing_is_read_and_the_client_may_come_back() -> None:
    places = Places(2)
    counted: list[int] = []
    layer = InFlight(_answers, places, _nobody, counted.append)
    places.taken = 2
    status, headers = _ask(layer, "/v1/classify")
    assert (status, headers[b"content-type"]) == (503, b"application/problem+json")
    assert int(headers[b"retry-after"]) >= 1
    assert [_ask(layer, path)[0] for path in ("/healthz", "/readyz", "/metrics")] == [200] * 3
    places.taken = 1
    assert _ask(layer, "/v1/classify")[0] == 200
    assert counted == [503]


def test_many_refusals_are_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    places = Places(1)
    places.taken = 1
    layer = InFlight(_answers, places, _nobody, lambda status: None)
    for _ in range(100):
        _ask(layer, "/v1/classify")
    assert len(caplog.records) == 1


def test_a_refusal_has_the_headers_of_every_answer() -> None:
    places = Places(1)
    places.taken = 1
    _, headers = _ask(InFlight(_answers, places, _nobody, lambda status: None), "/v1/classify")
    assert headers.items() >= dict(HEADERS).items()


def test_a_place_is_free_again_however_the_request_ended() -> None:
    places = Places(2)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            _ask(InFlight(_breaks, places, _nobody, lambda status: None), "/v1/classify")
    assert places.taken == 0


def test_a_full_house_is_503_to_all_and_half_of_it_429_to_one_key(
    settings: Settings, load: Any, bearer: Bearer, gate: threading.Event
) -> None:
    with _serving(settings, load, concurrency=4) as (client, state), ThreadPoolExecutor(4) as pool:
        one, other = bearer("classify", name="one"), bearer("classify", "metrics", name="other")
        gate.clear()

        def send(headers: dict[str, str]) -> Any:
            return pool.submit(client.post, "/v1/classify", json={"text": "a"}, headers=headers)

        sent = [send(one), send(one)]
        _until(lambda: state.places.taken == 2)
        greedy = client.post("/v1/classify", json={"text": "a"}, headers=one)
        sent += [send(other), send(other)]
        _until(lambda: state.places.taken == 4)
        refused = client.post("/v1/classify", json={"text": "a"}, headers=bearer("classify", name="third"))
        watched = [
            client.get(path, headers=other).status_code for path in ("/healthz", "/readyz", "/metrics")
        ]
        gate.set()
        assert [answer.result().status_code for answer in sent] == [200] * 4
        assert (greedy.status_code, greedy.headers["Retry-After"]) == (429, "1")
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:canhgiac:problem:busy")
        assert watched == [200] * 3
        assert client.post("/v1/classify", json={"text": "a"}, headers=one).status_code == 200
        assert state.places.taken == 0


def test_batches_of_one_key_leave_the_queue_to_others(
    settings: Settings, load: Any, bearer: Bearer, gate: threading.Event
) -> None:
    many = TURNS + 5
    with _serving(settings, load) as (client, state), ThreadPoolExecutor(many + 1) as pool:
        greedy, other = bearer("classify", name="greedy"), bearer("classify", name="other")
        gate.clear()
        batch = {"items": [{"text": "a"}] * (2 * TURN)}
        sent = [
            pool.submit(client.post, "/v1/classify/batch", json=batch, headers=greedy) for _ in range(many)
        ]
        _until(lambda: state.places.taken == many)
        single = pool.submit(client.post, "/v1/classify", json={"text": "a"}, headers=other)
        _until(lambda: state.places.taken == many + 1)
        assert len(state.service.workers) <= TURNS * TURN + 1
        gate.set()
        assert single.result().status_code == 200
        assert [answer.result().status_code for answer in sent] == [200] * many


# Time


def test_what_takes_too_long_is_cancelled_and_told() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def run() -> None:
        async with in_time(asyncio.get_running_loop().time() + 0.01):
            await work()

    with pytest.raises(Problem, match="too long") as refused:
        asyncio.run(run())
    assert (refused.value.status, ended) == (503, ["cancelled"])


def test_a_timeout_of_somebody_elses_is_not_taken_for_ours() -> None:
    async def run() -> None:
        async with in_time(asyncio.get_running_loop().time() + 60):
            raise TimeoutError("the database's")

    with pytest.raises(TimeoutError, match="database"):
        asyncio.run(run())


def test_a_request_that_was_given_up_costs_the_model_nothing(
    settings: Settings, load: Any, bearer: Bearer, gate: threading.Event
) -> None:
    with _serving(settings, load, answer_seconds=0.1) as (client, state), ThreadPoolExecutor() as pool:
        headers = bearer("classify")

        def send() -> Any:
            return client.post("/v1/classify", json={"text": "a"}, headers=headers)

        def taken() -> float | None:
            found: float | None = state.service.metrics.registry.get_sample_value(
                "canhgiac_queue_seconds_count"
            )
            return found

        gate.clear()
        begun = [pool.submit(send) for _ in range(cores())]
        _until(lambda: taken() == cores())
        waiting = client.post("/v1/classify/batch", json={"items": [{"text": "a"}] * 40}, headers=headers)
        assert [answer.result().status_code for answer in begun] == [503] * cores()
        assert (waiting.status_code, waiting.json()["type"]) == (503, "urn:canhgiac:problem:busy")
        assert waiting.headers["Retry-After"]
        gate.set()
        assert send().status_code == 200
        assert taken() == cores() + 1


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)
