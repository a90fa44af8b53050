"""The Python client with servers that fail, refuse or never answer; no test sleeps."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from serving import client_calls, examples
from serving.client import AsyncClient, Client, KeyRefused, RequestRefused, Unavailable
from serving.client_answers import Fault
from serving.client_retries import BACKOFF, Patience

KEY = "cg_secret"
SCAM = "Tai khoan cua ban bi khoa, dang nhap http://vcb-xacthuc.top"
FEEDBACK: Any = {"text": SCAM, "verdict": "legitimate", "proposed_label": "scam", "consent": True}
ANSWERED = httpx.Response(200, json=examples.ANSWER)

#: Calls a method of one of the two clients by its name, or makes what does.
Ask = Callable[..., Any]


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, list[float]()

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)


class Server(httpx.MockTransport):
    """Answers in turn with what it was given (the last one for ever): a response, or an error raised."""

    def __init__(self, *outcomes: httpx.Response | Exception) -> None:
        super().__init__(self._answer)
        self._outcomes = list(outcomes)
        self.requests: list[httpx.Request] = []

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return httpx.Response(outcome.status_code, headers=outcome.headers, content=outcome.content)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def ask(kind: Any, asking: Ask, time: Time) -> Ask:
    """``ask(server, fail_open=False)("classify", "text")``: a client whose time a test owns."""

    def of(server: httpx.MockTransport, **options: Any) -> Ask:
        sleep = time.sleep if kind is Client else time.asleep
        found: Ask = asking(KEY, **{"transport": server, "clock": time.clock, "sleep": sleep} | options)
        return found

    return of


def problem(status: int, **headers: str) -> httpx.Response:
    """A refusal in the service's words."""
    members = {
        "type": "urn:canhgiac:problem:invalid",
        "title": "Wrong",
        "status": status,
        "detail": "no text",
    }
    faults = [{"where": "text", "what": "is missing"}]
    headers = {"Content-Type": "application/problem+json", **headers}
    return httpx.Response(status, content=json.dumps({**members, "errors": faults}), headers=headers)


def test_a_busy_service_is_asked_again_after_the_seconds_it_names(ask: Ask, time: Time) -> None:
    server = Server(problem(503, **{"Retry-After": "2"}), ANSWERED)
    assert ask(server)("classify", SCAM).verdict == "scam"
    assert time.slept == [2]


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_what_may_pass_is_tried_again_after_longer_and_longer_pauses(
    ask: Ask, time: Time, status: int
) -> None:
    assert ask(Server(problem(status), httpx.Response(status), ANSWERED))("classify", SCAM).available
    first, second = time.slept
    assert 0.5 <= first / BACKOFF <= 1.5
    assert 1 <= second / BACKOFF <= 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 415, 422])
def test_a_refusal_in_the_services_words_raises_and_is_never_tried_again(
    ask: Ask, time: Time, status: int
) -> None:
    server = Server(problem(status, **{"Retry-After": "1"}))
    with pytest.raises(RequestRefused, match="Wrong: no text") as caught:
        ask(server)("classify", SCAM)
    assert caught.value.refused.faults == (Fault("text", "is missing"),)
    assert isinstance(caught.value, KeyRefused) == (status in (401, 403))
    assert (len(server.requests), time.slept) == (1, [])


@pytest.mark.parametrize("status", [401, 403, 413, 415, 422])
def test_a_proxys_refusal_of_the_request_raises_without_its_words(ask: Ask, status: int) -> None:
    with pytest.raises(RequestRefused, match=f"HTTP {status}: from a server before") as caught:
        ask(Server(httpx.Response(status, text=SCAM)))("classify", SCAM)
    assert "vcb" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        problem(408),
        problem(429),
        httpx.Response(404, text="no backend"),
        httpx.Response(301, headers={"Location": "https://elsewhere.example"}),
        httpx.Response(200, text="<html>please log in to the wifi</html>"),
        httpx.Response(200, json=[1]),
        httpx.Response(200, json={"verdict": "scam"}),
        httpx.Response(200, json=examples.ANSWER | {"verdict": "harmless"}),
        httpx.Response(503, content="{", headers={"Content-Type": "application/problem+json"}),
        httpx.ConnectError("[Errno 111] Connection refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError(SCAM),
    ],
)
def test_without_an_answer_a_message_is_unsure_and_shown(
    ask: Ask, caplog: pytest.LogCaptureFixture, answer: Any
) -> None:
    got = ask(Server(answer))("classify", SCAM)
    assert (got.verdict, got.available, got.label, got.score) == ("unsure", False, None, None)
    assert got.advice.startswith("Chưa kiểm tra được")
    assert got.reason in caplog.text
    assert "vcb" not in caplog.text
    assert KEY not in caplog.text


def test_a_time_out_is_tried_again_and_then_fails_open(ask: Ask, time: Time) -> None:
    server = Server(httpx.ReadTimeout("slow"))
    assert ask(server)("classify", SCAM).reason == "no answer in time"
    assert len(server.requests) == 3
    assert len(time.slept) == 2


def test_whoever_wants_it_hears_of_an_unavailable_service_as_an_error(ask: Ask) -> None:
    server = Server(httpx.ConnectError("[Errno 111] Connection refused"))
    with pytest.raises(Unavailable, match=r"no connection \(\[Errno 111\] Connection refused\)") as caught:
        ask(server, fail_open=False, retries=0)("classify", SCAM)
    assert len(server.requests) == 1
    assert caught.value.__context__ is None  # httpx's error holds the request, and that the text


def test_a_call_ends_at_its_deadline_however_many_retries_are_left(ask: Ask, time: Time) -> None:
    server = Server(problem(503, **{"Retry-After": "2"}))
    assert not ask(server, retries=50, deadline=5)("classify", SCAM).available
    assert time.slept == [2, 2]
    assert len(server.requests) == 3


def test_no_time_is_spent_on_a_pause_that_ends_after_the_deadline(ask: Ask, time: Time) -> None:
    server = Server(problem(503, **{"Retry-After": "3600"}), ANSWERED)
    assert not ask(server)("classify", SCAM).available
    assert time.slept == []


def test_an_attempt_has_no_more_than_what_is_left_of_the_deadline(ask: Ask) -> None:
    server = Server(problem(503, **{"Retry-After": "2"}), ANSWERED)
    ask(server, timeout=2, deadline=3)("classify", SCAM)
    assert [request.extensions["timeout"]["read"] for request in server.requests] == [2, 1]


def test_an_answer_that_trickles_in_is_not_waited_for(time: Time) -> None:
    class Trickle(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for _ in range(100):
                time.sleep(1)
                yield b" "

    server = httpx.MockTransport(lambda request: httpx.Response(200, stream=Trickle()))
    client = Client("https://canhgiac.example", KEY, transport=server, clock=time.clock, retries=0)
    assert client.classify(SCAM).reason == "no answer in time"
    assert time.slept == [1, 1, 1]


def test_an_async_answer_that_never_comes_is_not_waited_for() -> None:
    class Never(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(60)
            raise AssertionError

    client = AsyncClient("https://canhgiac.example", KEY, transport=Never(), timeout=0.02, retries=0)
    assert asyncio.run(asyncio.wait_for(client.classify(SCAM), 5)).reason == "no answer in time"


def test_feedback_keeps_its_idempotency_key_over_retries_and_the_next_has_another(
    ask: Ask,
) -> None:
    stored = httpx.Response(202, json={"id": "m_1", "status": "queued"})
    server = Server(httpx.ReadTimeout("slow"), problem(503), stored)
    assert ask(server)("feedback", **FEEDBACK) == "m_1"
    ask(server)("feedback", **FEEDBACK)
    first, again, third, other = [request.headers["Idempotency-Key"] for request in server.requests]
    assert first == again == third != other


def test_feedback_that_could_not_be_sent_raises(ask: Ask) -> None:
    with pytest.raises(Unavailable):
        ask(Server(httpx.ConnectError("down")))("feedback", **FEEDBACK)


def test_a_batch_that_could_not_be_asked_is_unsure_item_by_item(ask: Ask) -> None:
    server = Server(httpx.ConnectError("down"))
    answers = ask(server)("classify_batch", [{"text": SCAM}, {"text": "OTP 1"}])
    assert [(answer.verdict, answer.available) for answer in answers] == [("unsure", False)] * 2
    with pytest.raises(Unavailable):
        ask(server, fail_open=False)("classify_batch", [{"text": SCAM}])


def test_a_batch_has_time_of_its_own(ask: Ask) -> None:
    server = Server(problem(503), httpx.Response(200, json={"items": [{"result": examples.ANSWER}]}))
    [answer] = ask(server)("classify_batch", [{"text": SCAM}], deadline=30)
    assert answer.available
    first, second = [request.extensions["timeout"]["read"] for request in server.requests]
    assert 29 < second < first == 30


def test_a_batch_with_an_answer_too_few_is_no_answer(ask: Ask) -> None:
    server = Server(httpx.Response(200, json={"items": [{"result": examples.ANSWER}]}))
    assert not any(a.available for a in ask(server)("classify_batch", [{"text": "a"}, {"text": "b"}]))


def test_ready_is_asked_once_and_nobody_is_not_ready(ask: Ask) -> None:
    server = Server(httpx.ConnectError("down"))
    assert ask(server)("ready") is False
    assert len(server.requests) == 1


def test_what_a_newer_service_adds_is_passed_over(ask: Ask) -> None:
    newer = examples.ANSWER | {"mood": "grim"}
    newer["category"] = {**newer["category"], "colour": "red"}
    newer["evidence"] = [{**newer["evidence"][0], "weight": 1}]
    got = ask(Server(httpx.Response(200, json=newer)))("classify", SCAM)
    assert got == ask(Server(ANSWERED))("classify", SCAM)
    assert got.category.id == "bank_impersonation"
    assert (got.evidence[0].start, got.indicators[0].value) == (42, "vcb-xacthuc.top")


def test_a_call_shows_no_text_in_its_repr() -> None:
    call = client_calls.classify({"text": SCAM}, Patience(1, 0, 1), fail_open=True)
    assert "vcb" not in repr(call)
