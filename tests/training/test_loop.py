"""The whole loop through its real parts: a verdict is wrong, an officer says so, the model is replaced."""

import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from data.label import CATEGORY_KEYS, Sitting
from data.queues import ServerQueue
from data.store import open_store
from data.taxonomy import taxonomy
from model.registry import promote
from training.config import Config
from training.train import train

ROOT = Path(__file__).parents[2]
TEXT = "Chi oi em Lan day, may em hong, chi chuyen giup em 3tr vao stk 0001234567 Tran Van B nhe"
KNOWN_PERSON = CATEGORY_KEYS[
    [category.id for category in taxonomy().categories_of("scam")].index("known_person_impersonation")
]


class Running:
    """A service in a process of its own."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        environment = {**os.environ, "CANHGIAC_STATE_DIR": str(state_dir)}
        command = [sys.executable, str(ROOT / "canhgiac.py"), "serve", "--port", "0"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line
        self.url = found[0]
        self.key = (state_dir / "api-key").read_text().strip()
        self.client = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.key}"})

    def version(self) -> str:
        answer = self.client.post("/v1/classify", json={"text": TEXT})
        assert answer.status_code == 200
        version: str = answer.json()["model"]["version"]
        return version

    def stop(self) -> int:
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=30)
        return self.process.returncode


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path / "var")
    yield running
    if running.process.poll() is None:
        running.stop()


def test_a_wrong_verdict_becomes_a_label_a_model_and_the_served_version_without_losing_a_request(
    service: Running, config: Config, corpus: Path, compact_base: Path
) -> None:
    before = service.version()
    report_and_label(service)

    store = open_store(f"sqlite:///{service.state_dir / 'canhgiac.db'}")
    labels = list(store.labelled())
    store.close()
    assert [(e.label, e.category) for e in labels] == [("scam", "known_person_impersonation")]

    trained = train(
        config,
        base=str(compact_base),
        state_dir=service.state_dir,
        champion=None,
        labels=labels,
        corpus=corpus,
        console=Console(file=io.StringIO()),
    )
    snapshots = list((service.state_dir / "snapshots").rglob("*.jsonl"))
    assert any(labels[0].id in file.read_text("utf-8") for file in snapshots)

    seen, stop = [before], threading.Event()

    def ask() -> None:
        while not stop.is_set():
            seen.append(service.version())

    asking = threading.Thread(target=ask)
    asking.start()
    after = promote(service.state_dir, trained)
    deadline = time.monotonic() + 30
    while seen[-1] != after and time.monotonic() < deadline and asking.is_alive():
        time.sleep(0.05)
    stop.set()
    asking.join()
    assert set(seen) == {before, after}
    assert seen == sorted(seen, key=[before, after].index)
    assert service.stop() == 0


def report_and_label(service: Running) -> None:
    """An app reports the verdict, an officer labels it with the script, and the queue is empty."""
    report = {"text": TEXT, "verdict": "legitimate", "proposed_label": "scam", "consent": True}
    answer = service.client.post("/v1/feedback", json=report, headers={"Idempotency-Key": "1"})
    assert answer.status_code == 202
    again = service.client.post("/v1/feedback", json=report, headers={"Idempotency-Key": "1"})
    assert again.json() == answer.json()

    queue = ServerQueue.connect(service.url, service.key)
    keys = iter(["l", KNOWN_PERSON])
    screen = io.StringIO()
    with closing(queue):
        Sitting(queue, Console(file=screen, width=100), lambda: next(keys), lambda: "").run()
    assert "Đã lưu 1 câu trả lời" in screen.getvalue()
    assert service.client.get("/v1/review/next").json() == {"items": []}
