"""First start, the process as a whole, and its end."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from data.errors import ServerError, StoreError
from data.store import open_store
from serving.run import prepare_first_start, run
from serving.settings import Settings

ROOT = Path(__file__).parents[2]
SERVE = (
    "from serving.run import run; from serving.settings import Settings; run(Settings(), '127.0.0.1', 0)"
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path / "var")


def test_first_start_makes_a_key_that_only_its_owner_can_read(settings: Settings) -> None:
    prepare_first_start(settings)
    file = settings.first_key_file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    store = open_store(settings.store_url)
    key = store.authenticate(file.read_text().strip())
    store.close()
    assert key is not None
    assert (key.name, sorted(key.scopes)) == ("first-key", ["classify", "feedback", "label"])


def test_a_second_start_leaves_the_key_as_it_is(settings: Settings) -> None:
    prepare_first_start(settings)
    first = settings.first_key_file.read_text()
    prepare_first_start(settings)
    assert settings.first_key_file.read_text() == first


def test_a_store_that_has_keys_gets_no_first_key(settings: Settings) -> None:
    with closing(open_store(settings.store_url)) as store:
        store.create_key("admin", ["admin"])
    prepare_first_start(settings)
    assert not settings.first_key_file.exists()


def test_a_state_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be made"):
        prepare_first_start(Settings(state_dir=tmp_path / "file" / "var"))


def test_a_port_in_use_is_one_sentence(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=f"port {port} .*--port"):
            run(settings, "127.0.0.1", port)
    assert not settings.first_key_file.exists()


def test_the_service_imports_nothing_that_only_training_needs() -> None:
    heavy = "torch transformers datasets underthesea sklearn pandas pyarrow"
    code = f"import sys, serving.run; print([name for name in {heavy!r}.split() if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.fixture
def process(tmp_path: Path, tiny_model_folder: Path) -> Iterator[subprocess.Popen[str]]:
    environment = {
        **os.environ,
        "CANHGIAC_STATE_DIR": str(tmp_path / "var"),
        "CANHGIAC_MODEL_DIR": str(tiny_model_folder),
        "PYTHONUNBUFFERED": "1",
    }
    started = subprocess.Popen(
        [sys.executable, "-c", SERVE],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with started:
        yield started
        started.kill()


def _metrics_key(tmp_path: Path) -> dict[str, str]:
    with closing(open_store(f"sqlite:///{tmp_path / 'var' / 'canhgiac.db'}")) as store:
        return {"Authorization": f"Bearer {store.create_key('prometheus', ['metrics'])}"}


def _url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().split()[-1]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_process_starts_classifies_and_ends_in_order(
    process: subprocess.Popen[str], tmp_path: Path, stop: signal.Signals
) -> None:
    url = _url(process)
    key = (tmp_path / "var" / "api-key").read_text().strip()
    headers = {"Authorization": f"Bearer {key}"}
    body = {"text": "Tai khoan cua ban bi khoa, dang nhap http://vcb-xacthuc.top"}
    assert httpx.get(f"{url}/readyz", timeout=10).json()["status"] == "ready"
    answer = httpx.post(f"{url}/v1/classify", json=body, headers=headers, timeout=10)
    assert answer.status_code == 200
    assert answer.json()["model"]["version"]
    assert "server" not in answer.headers
    process.send_signal(stop)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert '"route": "POST /v1/classify", "status": 200' in errors
    assert "Traceback" not in errors
    assert "vcb-xacthuc" not in errors


def test_what_is_in_flight_is_answered_before_the_end(
    process: subprocess.Popen[str], tmp_path: Path
) -> None:
    url = _url(process)
    headers = {"Authorization": f"Bearer {(tmp_path / 'var' / 'api-key').read_text().strip()}"}
    items = {"items": [{"text": "Tai khoan bi khoa, dang nhap http://vcb-xacthuc.top ngay. "}] * 64}
    with ThreadPoolExecutor(1) as pool, httpx.Client(headers=_metrics_key(tmp_path), timeout=10) as numbers:
        sent = pool.submit(httpx.post, f"{url}/v1/classify/batch", json=items, headers=headers, timeout=30)
        while "canhgiac_queue_seconds_count 0.0" in numbers.get(f"{url}/metrics").text:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        answer = sent.result()
    assert answer.status_code == 200
    assert all("result" in item for item in answer.json()["items"])
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_the_curl_that_is_printed_works_as_it_stands(
    process: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(6)]
    command = "".join(lines[lines.index("Try:\n") + 1 :])
    done = subprocess.run(
        ["/bin/bash", "-c", command.replace("curl ", "curl -s ")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert '"verdict"' in done.stdout
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)


def test_a_client_that_sends_too_much_hears_the_answer(
    process: subprocess.Popen[str], tmp_path: Path
) -> None:
    url = _url(process)
    headers = {
        "Authorization": f"Bearer {(tmp_path / 'var' / 'api-key').read_text().strip()}",
        "Content-Type": "application/json",
    }
    chunks = iter([b"x" * 100_000] * 30)
    answer = httpx.post(f"{url}/v1/classify", content=chunks, headers=headers, timeout=20)
    assert answer.status_code == 413
    time.sleep(0.05)
    assert httpx.get(f"{url}/healthz", timeout=10).status_code == 200
