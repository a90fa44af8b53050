"""The Python client: blocking and async, against the real application and against failing servers."""

import asyncio
import inspect
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, assert_type

import httpx
import pytest
import uvicorn
from starlette.testclient import TestClient

from data.store import open_store
from data.taxonomy import Verdict
from serving import examples
from serving.app import create_app
from serving.client import (
    Answer,
    AsyncClient,
    Client,
    KeyRefused,
    Refused,
    RequestRefused,
    Unavailable,
)
from serving.client_answers import Fault
from serving.client_retries import BACKOFF
from serving.run import prepare_first_start
from serving.settings import Settings

ROOT = Path(__file__).parents[2]
URL = "https://canhgiac.example"
KEY = "cg_secret"
SCAM = "Tai khoan cua ban bi khoa, dang nhap http://vcb-xacthuc.top"
FEEDBACK: Any = {"text": SCAM, "verdict": "legitimate", "proposed_label": "scam", "consent": True}

#: Calls a method of one of the two clients by its name.
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


class Bridge(httpx.BaseTransport):
    """Carries a blocking client's requests into the running application."""

    def __init__(self, app: TestClient) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._app.request(
            request.method,
            request.url.raw_path.decode(),
            content=request.read(),
            headers=dict(request.headers),
        )
        return httpx.Response(answer.status_code, headers=dict(answer.headers), content=answer.content)


@pytest.fixture(params=[Client, AsyncClient])
def kind(request: pytest.FixtureRequest) -> Any:
    """Every test that uses it runs with the blocking and with the async client."""
    return request.param


def asking(kind: Any, key: str, **options: Any) -> Ask:
    """Calls a method of a new client: ``asking(...)("classify", "text")``."""

    def blocking(method: str, *args: Any, **kwargs: Any) -> Any:
        with Client(URL, key, **options) as client:
            return getattr(client, method)(*args, **kwargs)

    async def through_asyncio(method: str, *args: Any, **kwargs: Any) -> Any:
        async with AsyncClient(URL, key, **options) as client:
            return await getattr(client, method)(*args, **kwargs)

    if kind is Client:
        return blocking
    return lambda *args, **kwargs: asyncio.run(through_asyncio(*args, **kwargs))


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def ask(kind: Any, time: Time) -> Callable[..., Ask]:
    """``ask(server, fail_open=False)("classify", "text")``: a client whose time a test owns."""

    def of(server: httpx.MockTransport, **options: Any) -> Ask:
        sleep = time.sleep if kind is Client else time.asleep
        return asking(kind, KEY, **{"transport": server, "clock": time.clock, "sleep": sleep} | options)

    return of


@pytest.fixture
def ask_app(kind: Any, client: TestClient, bearer: Callable[..., dict[str, str]]) -> Ask:
    """Calls a method of a client of the real application."""
    key = bearer("classify", "feedback")["Authorization"].removeprefix("Bearer ")
    transport: Any = Bridge(client) if kind is Client else httpx.ASGITransport(client.app)
    return asking(kind, key, transport=transport, timeout=10, deadline=10)


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


ANSWERED = httpx.Response(200, json=examples.ANSWER)


# With the real application.


@pytest.mark.parametrize("body", examples.CLASSIFY)
def test_every_example_of_the_api_is_answered(ask_app: Ask, body: dict[str, Any]) -> None:
    answer = ask_app("classify", **body)
    assert answer.available
    assert answer.verdict in ("scam", "legitimate")
    assert (answer.model_version, answer.reason) == ("v1", None)


@pytest.mark.parametrize("body", examples.BATCH)
def test_every_batch_example_of_the_api_is_answered(ask_app: Ask, body: dict[str, Any]) -> None:
    assert [answer.verdict for answer in ask_app("classify_batch", body["items"])] == ["scam", "legitimate"]


@pytest.mark.parametrize("body", examples.FEEDBACK)
def test_every_feedback_example_of_the_api_waits_for_an_annotator(
    ask_app: Ask, settings: Settings, body: dict[str, Any]
) -> None:
    stored = ask_app("feedback", **body)
    with closing(open_store(settings.store_url)) as store:
        assert [item.id for item in store.next_for_review(annotator="officer")] == [stored]


def test_a_text_is_classified_without_its_name(ask_app: Ask) -> None:
    answer = ask_app("classify", SCAM, sender="VIETCOMBANK", channel="sms")
    assert (answer.verdict, answer.label, answer.score) == ("scam", "scam", 0.9)
    assert answer.category.name_vi == "Giả danh ngân hàng, ví điện tử"
    assert "OTP" in answer.advice


def test_one_bad_item_of_a_batch_is_refused_alone(ask_app: Ask) -> None:
    good, bad, last = ask_app("classify_batch", [{"text": SCAM}, {"text": "x" * 2001}, {"text": "OTP 1"}])
    assert (good.verdict, last.verdict) == ("scam", "legitimate")
    assert bad == Refused(
        422,
        "urn:canhgiac:problem:text-too-long",
        "A message is too long",
        "message 0 has 2001 characters; the limit is 2000: send it in parts or as a conversation",
        (Fault("messages[0]", "2001 characters, limit 2000"),),
    )


def test_an_item_that_the_service_fails_on_is_unsure_like_a_message_of_its_own(ask_app: Ask) -> None:
    good, failed = ask_app("classify_batch", [{"text": SCAM}, {"text": "explode"}])
    assert good.available
    assert (failed.verdict, failed.available) == ("unsure", False)
    alone = ask_app("classify", "explode")
    assert (alone.verdict, alone.reason) == (failed.verdict, failed.reason)


def test_ready_is_what_readyz_says(ask_app: Ask, client: TestClient) -> None:
    assert ask_app("ready") is True
    service: Any = client.app.state.service  # type: ignore[attr-defined]
    service.stopping = True
    assert ask_app("ready") is False


def test_half_an_emoji_is_classified_too(ask_app: Ask) -> None:
    assert ask_app("classify", "trung thuong \ud83d").available


def test_a_wrong_request_is_refused_with_what_is_wrong_and_without_the_text(ask_app: Ask) -> None:
    with pytest.raises(RequestRefused, match="channel: must be") as caught:
        ask_app("classify", SCAM, channel="pigeon")
    assert caught.value.refused.faults[0].where == "channel"
    assert "vcb" not in str(caught.value)


def test_an_unknown_key_raises_and_no_fail_open_hides_it(
    kind: Any, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    transport: Any = Bridge(client) if kind is Client else httpx.ASGITransport(client.app)
    with pytest.raises(KeyRefused, match="unknown or was revoked") as caught:
        asking(kind, KEY, transport=transport)("classify", SCAM)
    assert caught.value.__context__ is None
    assert KEY not in caplog.text + repr(caught.value)


# With servers that fail.


def test_a_busy_service_is_asked_again_after_the_seconds_it_names(
    ask: Callable[..., Ask], time: Time
) -> None:
    server = Server(problem(503, **{"Retry-After": "2"}), ANSWERED)
    assert ask(server)("classify", SCAM).verdict == "scam"
    assert time.slept == [2]


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_what_may_pass_is_tried_again_after_longer_and_longer_pauses(
    ask: Callable[..., Ask], time: Time, status: int
) -> None:
    assert ask(Server(problem(status), httpx.Response(status), ANSWERED))("classify", SCAM).available
    first, second = time.slept
    assert 0.5 <= first / BACKOFF <= 1.5
    assert 1 <= second / BACKOFF <= 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 415, 422])
def test_a_refusal_in_the_services_words_raises_and_is_never_tried_again(
    ask: Callable[..., Ask], time: Time, status: int
) -> None:
    server = Server(problem(status, **{"Retry-After": "1"}))
    with pytest.raises(RequestRefused, match="Wrong: no text") as caught:
        ask(server)("classify", SCAM)
    assert caught.value.refused.faults == (Fault("text", "is missing"),)
    assert isinstance(caught.value, KeyRefused) == (status in (401, 403))
    assert (len(server.requests), time.slept) == (1, [])


@pytest.mark.parametrize("status", [401, 403, 413, 415, 422])
def test_a_proxys_refusal_of_the_request_raises_without_its_words(
    ask: Callable[..., Ask], status: int
) -> None:
    with pytest.raises(RequestRefused, match=f"HTTP {status}: from a server before") as caught:
        ask(Server(httpx.Response(status, text=SCAM)))("classify", SCAM)
    assert "vcb" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
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
    ask: Callable[..., Ask], caplog: pytest.LogCaptureFixture, answer: Any
) -> None:
    got = ask(Server(answer))("classify", SCAM)
    assert (got.verdict, got.available, got.label, got.score) == ("unsure", False, None, None)
    assert got.advice.startswith("Chưa kiểm tra được")
    assert got.reason in caplog.text
    assert "vcb" not in caplog.text
    assert KEY not in caplog.text


def test_a_time_out_is_tried_again_and_then_fails_open(ask: Callable[..., Ask], time: Time) -> None:
    server = Server(httpx.ReadTimeout("slow"))
    assert ask(server)("classify", SCAM).reason == "no answer in time"
    assert len(server.requests) == 3
    assert len(time.slept) == 2


def test_whoever_wants_it_hears_of_an_unavailable_service_as_an_error(ask: Callable[..., Ask]) -> None:
    server = Server(httpx.ConnectError("[Errno 111] Connection refused"))
    with pytest.raises(Unavailable, match=r"no connection \(\[Errno 111\] Connection refused\)") as caught:
        ask(server, fail_open=False, retries=0)("classify", SCAM)
    assert len(server.requests) == 1
    assert caught.value.__context__ is None  # httpx's error holds the request, and that the text


def test_a_call_ends_at_its_deadline_however_many_retries_are_left(
    ask: Callable[..., Ask], time: Time
) -> None:
    server = Server(problem(503, **{"Retry-After": "2"}))
    assert not ask(server, retries=50, deadline=5)("classify", SCAM).available
    assert time.slept == [2, 2]
    assert len(server.requests) == 3


def test_no_time_is_spent_on_a_pause_that_ends_after_the_deadline(
    ask: Callable[..., Ask], time: Time
) -> None:
    server = Server(problem(503, **{"Retry-After": "3600"}), ANSWERED)
    assert not ask(server)("classify", SCAM).available
    assert time.slept == []


def test_an_attempt_has_no_more_than_what_is_left_of_the_deadline(ask: Callable[..., Ask]) -> None:
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
    ask = asking(Client, KEY, transport=server, clock=time.clock, sleep=time.sleep, retries=0)
    assert ask("classify", SCAM).reason == "no answer in time"
    assert time.slept == [1, 1, 1]


def test_an_async_answer_that_never_comes_is_not_waited_for() -> None:
    class Never(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(60)
            raise AssertionError

    ask = asking(AsyncClient, KEY, transport=Never(), timeout=0.02, retries=0)
    assert ask("classify", SCAM).reason == "no answer in time"


def test_feedback_keeps_its_idempotency_key_over_retries_and_the_next_has_another(
    ask: Callable[..., Ask],
) -> None:
    stored = httpx.Response(202, json={"id": "m_1", "status": "queued"})
    server = Server(httpx.ReadTimeout("slow"), problem(503), stored)
    assert ask(server)("feedback", **FEEDBACK) == "m_1"
    ask(server)("feedback", **FEEDBACK)
    first, again, third, other = [request.headers["Idempotency-Key"] for request in server.requests]
    assert first == again == third != other


def test_feedback_that_could_not_be_sent_raises(ask: Callable[..., Ask]) -> None:
    with pytest.raises(Unavailable):
        ask(Server(httpx.ConnectError("down")))("feedback", **FEEDBACK)


def test_a_batch_that_could_not_be_asked_is_unsure_item_by_item(ask: Callable[..., Ask]) -> None:
    server = Server(httpx.ConnectError("down"))
    answers = ask(server)("classify_batch", [{"text": SCAM}, {"text": "OTP 1"}])
    assert [(answer.verdict, answer.available) for answer in answers] == [("unsure", False)] * 2
    with pytest.raises(Unavailable):
        ask(server, fail_open=False)("classify_batch", [{"text": SCAM}])


def test_a_batch_has_time_of_its_own(ask: Callable[..., Ask]) -> None:
    server = Server(httpx.Response(200, json={"items": [{"result": examples.ANSWER}]}))
    ask(server)("classify_batch", [{"text": SCAM}], deadline=30)
    assert server.requests[0].extensions["timeout"]["read"] == 30


def test_a_batch_with_an_answer_too_few_is_no_answer(ask: Callable[..., Ask]) -> None:
    server = Server(httpx.Response(200, json={"items": [{"result": examples.ANSWER}]}))
    assert not any(a.available for a in ask(server)("classify_batch", [{"text": "a"}, {"text": "b"}]))


def test_ready_is_asked_once_and_nobody_is_not_ready(ask: Callable[..., Ask]) -> None:
    server = Server(httpx.ConnectError("down"))
    assert ask(server)("ready") is False
    assert len(server.requests) == 1


def test_what_a_newer_service_adds_is_passed_over(ask: Callable[..., Ask]) -> None:
    newer = examples.ANSWER | {"mood": "grim"}
    newer["category"] = {**newer["category"], "colour": "red"}
    newer["evidence"] = [{**newer["evidence"][0], "weight": 1}]
    got = ask(Server(httpx.Response(200, json=newer)))("classify", SCAM)
    assert got == ask(Server(ANSWERED))("classify", SCAM)
    assert got.category.id == "bank_impersonation"
    assert (got.evidence[0].start, got.indicators[0].value) == (42, "vcb-xacthuc.top")


def test_a_path_before_the_api_is_kept(kind: Any, time: Time) -> None:
    client = kind(f"{URL}/canhgiac/", KEY)
    assert client._http.build_request("POST", "/v1/classify").url == f"{URL}/canhgiac/v1/classify"


# The key.


@pytest.mark.parametrize(
    "url", ["http://canhgiac.example", "http://10.0.0.7:8000", "http://127.evil.example"]
)
def test_a_key_does_not_travel_unencrypted_unless_it_is_said(kind: Any, url: str) -> None:
    with pytest.raises(ValueError, match="use https"):
        kind(url, KEY)
    kind(url, KEY, allow_plain_http=True)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"])
def test_this_machine_may_be_asked_unencrypted_and_then_by_no_proxy(kind: Any, url: str) -> None:
    assert kind(url, KEY)._http.trust_env is False


@pytest.mark.parametrize(
    "url", ["canhgiac.example", "ftp://x", "https://", "https://u:p@host", "https://h:x"]
)
def test_a_url_that_cannot_be_used_is_refused_at_once(kind: Any, url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        kind(url, KEY)


@pytest.mark.parametrize("key", ["", " \n", "cg_ab cd", "cg_khóa"])
def test_a_key_that_cannot_be_one_is_refused_without_repeating_it(kind: Any, key: str) -> None:
    with pytest.raises(ValueError, match="the key") as caught:
        kind(URL, key)
    assert not key.strip() or key not in str(caught.value)


def test_a_key_read_from_a_file_may_end_with_its_line_break(kind: Any, time: Time) -> None:
    server = Server(ANSWERED)
    asking(kind, KEY + "\n", transport=server)("classify", SCAM)
    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"


def test_the_key_is_in_no_repr(kind: Any) -> None:
    client = kind(URL, KEY)
    shown = repr(client) + repr(vars(client))
    assert URL in shown
    assert KEY not in shown


@pytest.mark.parametrize("wrong", [{"timeout": 0}, {"deadline": -1}, {"retries": -1}])
def test_patience_that_cannot_be_is_refused(kind: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        kind(URL, KEY, **wrong)


# As its users have it.


def test_the_client_needs_httpx_and_nothing_of_the_service() -> None:
    code = (
        "import sys; from serving.client import Client; print(*{n.partition('.')[0] for n in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert {"serving", "data", "httpx"} <= loaded
    assert not loaded & {
        "fastapi",
        "starlette",
        "pydantic",
        "pydantic_settings",
        "numpy",
        "sqlalchemy",
        "model",
    }


@pytest.fixture(scope="module")
def snippet() -> str:
    """The example of the README's section *From Python*."""
    section = (ROOT / "README.md").read_text("utf-8").split("\n### From Python\n")[1]
    found = re.search(r"```python\n(.+?)```", section, re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def served(settings: Settings, load: Callable[[Path], Any]) -> Iterator[str]:
    """The URL of the application on a real socket, first key and all."""
    prepare_first_start(settings)
    server = uvicorn.Server(uvicorn.Config(create_app(settings, load=load), log_config=None, ws="none"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield "http://{}:{}".format(*listening.getsockname())
        server.should_exit = True
        thread.join()


def test_the_readmes_example_runs_as_it_stands(snippet: str, served: str, tmp_path: Path) -> None:
    assert len(snippet.splitlines()) <= 8
    code = snippet.replace("http://127.0.0.1:8000", served)
    assert served in code
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("scam ")
    assert done.stderr == ""


def the_readmes_example() -> None:
    """What stands in the README, here where ``mypy --strict`` reads it."""
    from pathlib import Path

    from serving.client import Client

    with Client("http://127.0.0.1:8000", key=Path("var/api-key").read_text()) as canhgiac:
        answer = canhgiac.classify("VCB: Tai khoan cua ban bi khoa", sender="VIETCOMBANK")
        print(answer.verdict, answer.advice)  # noqa: T201


def test_the_readmes_example_is_the_one_whose_types_are_checked(snippet: str) -> None:
    lines = inspect.getsource(the_readmes_example).splitlines()[2:]
    checked = [line.removeprefix("    ").partition("  # noqa")[0] for line in lines]
    assert [line for line in snippet.splitlines() if line] == [line for line in checked if line]


async def types_that_mypy_checks(client: Client, other: AsyncClient) -> None:
    """Never run: what an editor knows of the clients; an ignore without its error is an error."""
    assert_type((await other.classify(text="")).verdict, Verdict)
    assert_type(
        client.classify_batch([{"messages": [{"role": "sender", "text": ""}]}]), list[Answer | Refused]
    )
    assert_type(client.feedback(text="", verdict="scam", proposed_label="scam", consent=True), str)
    client.classify("", sendr="VCB")  # type: ignore[call-arg]
    client.classify("", channel="pigeon")  # type: ignore[arg-type]
    client.feedback(text="", verdict="scam", proposed_label="scam")  # type: ignore[call-arg]
