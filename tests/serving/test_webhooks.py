"""Delivery of webhooks to a receiver that is real: an HTTP server on a port of this machine."""

import json
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.message import Message
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from prometheus_client import generate_latest
from pydantic import SecretStr
from starlette.testclient import TestClient

from data.errors import CanhGiacError
from data.messages import Conversation
from data.store import Feedback, Store, open_store
from serving.app import create_app
from serving.metrics import Metrics
from serving.settings import Settings
from serving.signing import client_secret
from serving.webhooks import LEASE, MAX_ATTEMPTS, Courier

NOW = datetime.now(UTC)
KEY = "0123456789abcdef0123456789abcdef"
TEXT = "Trung thuong CANARY, vao http://qua.top"
ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


class Server(ThreadingHTTPServer):
    """A server that closes in order and whose queue has room for all who call at once."""

    daemon_threads = False
    request_queue_size = 128


class Receiver:
    """Keeps what it was sent; answers with ``statuses`` in turn, then 204."""

    def __init__(self) -> None:
        self.requests: list[tuple[Message, bytes]] = []
        self.statuses: list[int] = []
        self.headers: dict[str, str] = {}
        self.megabytes, self.written = 0, 0
        self.came = threading.Event()
        self.server = Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook?token=hunter2"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.requests]

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()

    def _handler(receiver) -> type[BaseHTTPRequestHandler]:  # noqa: N805  # the handler has its own self
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((self.headers, body))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                receiver.came.set()
                self._pour()

            def _pour(self) -> None:
                try:
                    for _ in range(receiver.megabytes):
                        self.wfile.write(b"x" * 1_000_000)
                        receiver.written += 1
                except OSError:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Nothing: pytest shows what matters."""

        return Handler


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    started = Receiver()
    yield started
    started.close()


@pytest.fixture
def store(settings: Settings, receiver: Receiver) -> Iterator[Store]:
    with closing(open_store(settings.store_url)) as opened:
        opened.create_key("bank", ["feedback"])
        opened.webhooks.add("bank", receiver.url, now=NOW)
        yield opened


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def deliver(store: Store, metrics: Metrics) -> Callable[..., int]:
    """``one_round`` of the store's deliveries."""
    return partial(one_round, store, metrics)


def one_round(
    store: Store, metrics: Metrics, seconds: float = 0, transport: httpx.ASGITransport | None = None
) -> int:
    """How many deliveries were due and tried, so many seconds after ``NOW``."""

    async def once() -> int:
        async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
            courier = Courier(
                store.webhooks, KEY.encode(), client, metrics, timeout=5 if not transport else 0.05
            )
            with anyio.fail_after(8):
                return await courier.deliver_due(NOW + timedelta(seconds=seconds))

    return anyio.run(once)


def changed(store: Store, count: int = 1) -> list[str]:
    """The ids of messages whose verdict, as seen, a label has changed."""
    said = Feedback(Conversation.from_text(TEXT), "legitimate", "scam", None, None)
    ids = [store.add_feedback(said, client="bank", idempotency_key=None, now=NOW) for _ in range(count)]
    store.add_label(
        ids[0], annotator="lan", confirmed=True, label="scam", category="prize_scam", note=TEXT, now=NOW
    )
    return ids


def outcomes(metrics: Metrics) -> dict[str, float]:
    found = re.findall(
        r'canhgiac_webhooks_total{outcome="(\w+)"} (\S+)', generate_latest(metrics.registry).decode()
    )
    return {outcome: float(count) for outcome, count in found}


def verifier() -> Callable[..., bool]:
    """What the README shows to receivers."""
    names: dict[str, Any] = {}
    exec(re.findall(r"```python\n([^`]+?is_genuine[^`]+?)```", README)[0], names)  # noqa: S102
    is_genuine: Callable[..., bool] = names["is_genuine"]
    return is_genuine


def test_an_event_is_delivered_once_and_the_readmes_receiver_accepts_it(
    store: Store, receiver: Receiver, deliver: Callable[..., int], metrics: Metrics
) -> None:
    [message_id] = changed(store)
    assert [deliver(), deliver(), deliver(100_000)] == [1, 0, 0]
    [(headers, body)] = receiver.requests
    assert json.loads(body)["data"]["id"] == message_id
    assert headers["Content-Type"] == "application/json"
    is_genuine, secret = verifier(), client_secret(KEY.encode(), "bank")
    assert is_genuine(secret, headers, body)
    assert outcomes(metrics) == {"delivered": 1.0}
    assert store.webhooks.pending() == 0


def test_the_readmes_receiver_refuses_what_is_forged_or_old(
    store: Store, receiver: Receiver, deliver: Callable[..., int]
) -> None:
    changed(store)
    deliver()
    [(headers, body)] = receiver.requests
    is_genuine, secret = verifier(), client_secret(KEY.encode(), "bank")
    told = {name.lower(): value for name, value in headers.items()}
    assert is_genuine(secret, told, body)
    assert not is_genuine(secret, told, body.replace(b"scam", b"safe"))
    assert not is_genuine(secret, {**told, "webhook-id": "evt_other"}, body)
    assert not is_genuine(secret, {**told, "webhook-timestamp": str(int(NOW.timestamp()) - 1000)}, body)
    assert not is_genuine(client_secret(KEY.encode(), "telco"), told, body)
    assert not is_genuine(client_secret(KEY[::-1].encode(), "bank"), told, body)


def test_after_an_error_the_same_event_is_sent_again_signed_anew(
    store: Store, receiver: Receiver, deliver: Callable[..., int], metrics: Metrics
) -> None:
    changed(store)
    receiver.statuses = [500, 307]
    receiver.headers = {"Location": "/elsewhere"}
    assert [deliver(), deliver(3.9), deliver(6.1), deliver(6.1 + 12.1)] == [1, 0, 1, 1]
    assert len(set(receiver.ids)) == 1
    assert len({body for _, body in receiver.requests}) == 1
    assert len({headers["webhook-timestamp"] for headers, _ in receiver.requests}) == 3
    assert outcomes(metrics) == {"failed": 2.0, "delivered": 1.0}


def test_a_receiver_that_is_down_gets_the_event_from_the_next_process(
    settings: Settings, store: Store, metrics: Metrics, receiver: Receiver
) -> None:
    down = Receiver()
    down.close()
    store.webhooks.add("bank", down.url, now=NOW)
    changed(store)
    assert one_round(store, metrics) == 1
    assert outcomes(metrics) == {"failed": 1.0}
    store.close()
    with closing(open_store(settings.store_url)) as reopened:
        reopened.webhooks.add("bank", receiver.url, now=NOW)
        assert one_round(reopened, metrics, 10) == 1
    assert len(receiver.ids) == 1


def test_a_process_that_is_killed_while_sending_leaves_the_event_to_the_next(
    store: Store, receiver: Receiver, deliver: Callable[..., int]
) -> None:
    changed(store)
    [lost] = store.webhooks.claim(lease=LEASE, now=NOW)
    assert [deliver(59), deliver(60)] == [0, 1]
    assert receiver.ids == [lost.event_id]


def test_a_service_that_stops_while_sending_stops_at_once_and_loses_nothing(
    store: Store, receiver: Receiver, deliver: Callable[..., int], metrics: Metrics
) -> None:
    changed(store)

    async def stop() -> None:
        reached = anyio.Event()

        async def never(*_: object) -> None:
            reached.set()
            await anyio.sleep_forever()

        transport = httpx.ASGITransport(never)
        async with httpx.AsyncClient(transport=transport) as client, anyio.create_task_group() as tasks:
            tasks.start_soon(Courier(store.webhooks, KEY.encode(), client, metrics).run)
            await reached.wait()
            tasks.cancel_scope.cancel()

    anyio.run(stop)
    assert store.webhooks.pending() == 1
    assert deliver(300) == 1
    assert len(receiver.ids) == 1


def test_two_services_on_one_store_send_each_event_once(
    settings: Settings, store: Store, receiver: Receiver, metrics: Metrics
) -> None:
    changed(store, count=20)

    async def both() -> None:
        async with httpx.AsyncClient(trust_env=False) as client, anyio.create_task_group() as tasks:
            for one in (store, other):
                tasks.start_soon(until_none, Courier(one.webhooks, KEY.encode(), client, metrics))

    async def until_none(courier: Courier) -> None:
        while await courier.deliver_due(NOW):
            pass

    with closing(open_store(settings.store_url)) as other:
        anyio.run(both)
    assert len(receiver.ids) == len(set(receiver.ids)) == 20


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("100", 100),
        ((NOW + timedelta(seconds=100)).strftime("%a, %d %b %Y %H:%M:%S GMT"), 100),
        ("99999999", 6 * 3600),
        ("1", 5),
        ("soon", 5),
        ("\xb3", 5),
    ],
)
def test_retry_after_is_heeded_within_bounds(
    store: Store, receiver: Receiver, deliver: Callable[..., int], said: str, seconds: float
) -> None:
    changed(store)
    receiver.statuses, receiver.headers = [429], {"Retry-After": said}
    assert [deliver(), deliver(seconds * 0.79), deliver(seconds * 1.21)] == [1, 0, 1]


def test_an_event_that_nobody_takes_is_given_up_in_the_end(
    store: Store, receiver: Receiver, deliver: Callable[..., int], metrics: Metrics
) -> None:
    changed(store)
    receiver.statuses = [503] * 100
    eight_hours = 8 * 3600
    tries = [deliver(number * eight_hours) for number in range(MAX_ATTEMPTS + 5)]
    assert sum(tries) == len(receiver.requests) == MAX_ATTEMPTS
    assert outcomes(metrics) == {"failed": MAX_ATTEMPTS - 1.0, "given_up": 1.0}
    [hook] = store.webhooks.every()
    assert (hook.removed_at, hook.pending, hook.given_up) == (None, 0, 1)


def test_a_receiver_that_answers_gone_is_asked_no_more(
    store: Store, receiver: Receiver, deliver: Callable[..., int], metrics: Metrics
) -> None:
    changed(store, count=2)
    receiver.statuses = [410, 410]
    assert [deliver(), deliver(1_000_000)] == [2, 0]
    assert outcomes(metrics) == {"gone": 2.0}
    [hook] = store.webhooks.every()
    assert (hook.removed_at, hook.pending, hook.given_up) == (NOW, 0, 2)


def test_a_receiver_that_never_answers_is_left_in_time(
    store: Store, deliver: Callable[..., int], metrics: Metrics
) -> None:
    changed(store)

    async def never(*_: object) -> None:
        await anyio.sleep_forever()

    assert deliver(transport=httpx.ASGITransport(never)) == 1
    assert outcomes(metrics) == {"failed": 1.0}


def test_a_long_answer_is_not_read(store: Store, receiver: Receiver, deliver: Callable[..., int]) -> None:
    changed(store)
    receiver.statuses, receiver.megabytes = [200], 100
    assert deliver() == 1
    receiver.close()
    assert receiver.written < 50
    assert store.webhooks.pending() == 0


# In the running service


@pytest.fixture
def with_secret(settings: Settings) -> Settings:
    return settings.model_copy(update={"webhook_secret": SecretStr(KEY)})


def test_the_running_service_delivers_what_an_officers_label_changed(
    store: Store,
    receiver: Receiver,
    with_secret: Settings,
    load: Any,
    bearer: Callable[..., dict[str, str]],
    *,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "canhgiac")
    app = create_app(with_secret, load=load)
    receiver.statuses = [500]
    with TestClient(app) as client:
        said = {
            "text": TEXT,
            "verdict": "unsure",
            "proposed_label": "scam",
            "consent": True,
            "note": "CANARY",
        }
        telco, officer = bearer("feedback", name="telco"), bearer("label", name="officer")
        store.webhooks.add("telco", receiver.url)
        told = client.post("/v1/feedback", json=said, headers=telco).json()["id"]
        label = {"id": told, "label": "scam", "category": "prize_scam", "note": "CANARY"}
        assert client.post("/v1/review/labels", json=label, headers=officer).status_code == 201
        numbers = client.get("/metrics", headers=bearer("metrics", name="prometheus")).text
        assert "canhgiac_webhooks_pending 1.0" in numbers
        assert receiver.came.wait(10)
    [(headers, body)] = receiver.requests
    assert json.loads(body)["data"] == {
        "id": told,
        "verdict": "unsure",
        "label": "scam",
        "category": "prize_scam",
        "model_version": "v1",
    }
    assert "webhook of telco: 500, failed" in caplog.messages
    for place in (caplog.text, str(headers), body.decode()):
        assert "CANARY" not in place
        assert "hunter2" not in place


def test_what_was_labelled_before_the_service_started_is_delivered_when_it_has(
    store: Store, receiver: Receiver, with_secret: Settings, load: Any
) -> None:
    changed(store)
    with TestClient(create_app(with_secret, load=load)):
        assert receiver.came.wait(10)
    assert store.webhooks.pending() == 0


@pytest.mark.usefixtures("client")
def test_without_a_secret_events_wait_and_nothing_is_sent(store: Store, receiver: Receiver) -> None:
    changed(store)
    assert not receiver.came.wait(0.1)
    assert store.webhooks.pending() == 1


def test_a_store_that_fails_does_not_end_delivery_and_is_logged_without_its_words(
    store: Store, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    with store._database.write() as connection:
        connection.exec_driver_sql("DROP TABLE deliveries")

    async def run_until_it_pauses() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            courier = Courier(store.webhooks, KEY.encode(), client, metrics)
            with anyio.move_on_after(0.3) as scope:
                await courier.run()
            assert scope.cancelled_caught

    anyio.run(run_until_it_pauses)
    [line] = [message for message in caplog.messages if message.startswith("webhooks:")]
    assert line.startswith("webhooks: StoreError at ")


# The command


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CANHGIAC_")}
    return subprocess.run(
        [sys.executable, "-m", "canhgiac", "webhooks", *arguments],
        cwd=ROOT,
        env={**clean, "PYTHONUTF8": "1", "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_adds_lists_and_removes_and_prints_the_receivers_secret(
    settings: Settings, store: Store
) -> None:
    place = {"CANHGIAC_DATABASE_URL": settings.store_url, "CANHGIAC_WEBHOOK_SECRET": KEY}
    store.create_key("telco", ["feedback"])
    added = command("add", "--client", "telco", "--url", "https://telco.example/h", **place)
    assert (added.stdout.strip(), added.stderr) == (client_secret(KEY.encode(), "telco"), "")
    changed(store)
    listed = command("list", **place).stdout.splitlines()
    rows = [re.split(r"\s*│\s*", line.strip("│ ")) for line in listed if "http" in line]
    assert [(row[0], *row[3:]) for row in rows] == [
        ("bank", "active", "1", "0"),
        ("telco", "active", "0", "0"),
    ]
    removed = command("remove", "bank", **place)
    assert (removed.returncode, removed.stdout) == (0, "Removed: bank\n")
    assert [hook.given_up for hook in store.webhooks.every()] == [1, 0]


def test_without_a_secret_the_command_says_that_webhooks_are_off_and_adds_none(
    settings: Settings, store: Store
) -> None:
    place = {"CANHGIAC_DATABASE_URL": settings.store_url}
    refused = command("add", "--client", "bank", "--url", "https://bank.example/new", **place)
    assert refused.returncode == 1
    assert refused.stderr.startswith("canhgiac: webhooks are off: set CANHGIAC_WEBHOOK_SECRET")
    assert len(refused.stderr.splitlines()) == 1
    assert [hook.url.startswith("http://127.0.0.1") for hook in store.webhooks.every()] == [True]


def test_a_secret_that_is_too_short_stops_the_start_in_a_sentence_and_is_never_shown(
    settings: Settings,
) -> None:
    short = settings.model_copy(update={"webhook_secret": SecretStr("hunter2")})
    with pytest.raises(CanhGiacError, match="CANHGIAC_WEBHOOK_SECRET has fewer than 32") as caught:
        create_app(short)
    assert "hunter2" not in str(caught.value) + repr(short)
