"""A new model takes the old one's place: no request is lost, and a broken one changes nothing."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from serving.app import create_app
from serving.settings import Settings
from serving.swap import ModelSlot

Write = Callable[[str], None]


def _served(client: TestClient) -> dict[str, Any]:
    part: dict[str, Any] = client.get("/readyz").json()["model"]
    return part


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_swap_under_load_loses_no_request(
    client: TestClient, bearer: Callable[..., dict[str, str]], write_model: Write
) -> None:
    headers = bearer("classify")

    def ask(_: int) -> tuple[int, str]:
        answer = client.post("/v1/classify", json={"text": "a"}, headers=headers)
        return answer.status_code, answer.json()["model"]["version"]

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask, number) for number in range(60)]
        write_model("v2")
        _until(lambda: _served(client)["version"] == "v2")
        asked += [pool.submit(ask, number) for number in range(20)]
        answers = [answer.result() for answer in asked]
    assert {status for status, _ in answers} == {200}
    assert {version for _, version in answers} <= {"v1", "v2"}
    assert answers[-1] == (200, "v2")


def test_a_broken_new_model_leaves_the_old_one_serving(
    client: TestClient, write_model: Write, caplog: pytest.LogCaptureFixture
) -> None:
    write_model("broken")
    _until(lambda: _served(client)["problem"] is not None)
    assert client.get("/readyz").status_code == 200
    assert _served(client) == {**_served(client), "status": "ok", "version": "v1"}
    assert "checksum" in _served(client)["problem"]
    assert caplog.text.count("checksum") == 1
    write_model("v3")
    _until(lambda: _served(client)["version"] == "v3")
    assert _served(client)["problem"] is None


def test_without_any_model_the_service_starts_and_heals_when_one_comes(
    settings: Settings, load: Any, bearer: Callable[..., dict[str, str]], write_model: Write
) -> None:
    write_model("broken")
    with TestClient(create_app(settings, load=load, watch_seconds=0.02)) as client:
        headers = bearer("classify")
        answer = client.post("/v1/classify", json={"text": "a"}, headers=headers)
        assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "not ready")
        assert ready.json()["store"]["status"] == "ok"
        assert client.get("/healthz").status_code == 200
        write_model("v1")
        _until(lambda: client.get("/readyz").status_code == 200)


class _Model:
    def __init__(self, version: str, fails: bool) -> None:
        self.version, self._fails = version, fails

    def read(self, conversation: Any) -> Any:
        if self._fails:
            raise RuntimeError(conversation.text)
        return lambda: None


def test_a_model_that_fails_its_self_test_is_not_put_in_place(tmp_path: Path) -> None:
    folders = iter([tmp_path / "good", tmp_path / "bad", tmp_path / "bad"])
    tried: list[bool] = []
    slot = ModelSlot(
        lambda: next(folders), lambda path: _Model(path.name, fails=path.name == "bad"), tried.append
    )
    assert slot.refresh()
    assert not slot.refresh()
    assert tried == [True, False]
    assert (slot.version, slot.problem) == ("good", "RuntimeError in the self-test")
    assert not slot.refresh()  # and it is not loaded again and again


def test_going_back_to_the_old_model_ends_the_problem(tmp_path: Path) -> None:
    folders = iter([tmp_path / "good", tmp_path / "bad", tmp_path / "good"])
    slot = ModelSlot(lambda: next(folders), lambda path: _Model(path.name, fails=path.name == "bad"))
    slot.refresh(), slot.refresh(), slot.refresh()
    assert (slot.version, slot.problem) == ("good", None)
