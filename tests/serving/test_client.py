"""The Python client, blocking and async, with the real application."""

import asyncio
import inspect
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
from serving.client import Answer, AsyncClient, Client, KeyRefused, Refused, RequestRefused
from serving.client_answers import Fault
from serving.run import prepare_first_start
from serving.settings import Settings

ROOT = Path(__file__).parents[2]
KEY = "cg_unknown"
SCAM = "Tai khoan cua ban bi khoa, dang nhap http://vcb-xacthuc.top"

#: Calls a method of one of the two clients by its name, or makes what does.
Ask = Callable[..., Any]


class Bridge(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Carries the requests of either client into the running application, which has its own event loop."""

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

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return await asyncio.to_thread(self.handle_request, request)


@pytest.fixture
def ask_app(asking: Ask, client: TestClient, bearer: Callable[..., dict[str, str]]) -> Ask:
    """Calls a method of a client of the real application."""
    key = bearer("classify", "feedback")["Authorization"].removeprefix("Bearer ")
    ask: Ask = asking(key, transport=Bridge(client), timeout=10, deadline=10)
    return ask


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
    asking: Ask, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(KeyRefused, match="unknown or was revoked") as caught:
        asking(KEY, transport=Bridge(client))("classify", SCAM)
    assert caught.value.__context__ is None
    assert KEY not in caplog.text + repr(caught.value)


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
