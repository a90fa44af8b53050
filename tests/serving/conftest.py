"""The service with a fake model at its seam and the real store in a temporary folder."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from data.errors import ModelFolderError
from data.messages import Conversation
from data.store import Scope, open_store
from data.taxonomy import taxonomy
from model.verdict import advice
from serving.answers import Answer, CategoryOut, ModelOut
from serving.app import create_app
from serving.client import AsyncClient, Client
from serving.settings import Settings


class FakeModel:
    """Calls everything with ``khoa`` in it a scam; waits for ``gate`` before it answers."""

    def __init__(self, version: str, gate: threading.Event) -> None:
        self.version, self._gate = version, gate

    def read(self, conversation: Conversation) -> Callable[[], Answer]:
        return lambda: self._answer(conversation)

    def _answer(self, conversation: Conversation) -> Answer:
        self._gate.wait(10)
        if "explode" in conversation.text:
            raise RuntimeError(conversation.text)
        scam = "khoa" in conversation.text
        category = taxonomy()["bank_impersonation" if scam else "otp"]
        return Answer(
            id="c_1",
            label="scam" if scam else "legitimate",
            score=0.9 if scam else 0.1,
            verdict="scam" if scam else "legitimate",
            category=CategoryOut(
                id=category.id, name_vi=category.name_vi, name_en=category.name_en, score=0.9
            ),
            evidence=[],
            indicators=[],
            advice=advice("scam" if scam else "legitimate", category.id),
            model=ModelOut(name="fake", version=self.version),
            truncated=False,
        )


@pytest.fixture
def gate() -> threading.Event:
    """Open by default; cleared, it holds the fake model's answers back."""
    event = threading.Event()
    event.set()
    return event


@pytest.fixture
def settings(tmp_path: Path, write_model: Callable[[str], None]) -> Settings:
    write_model("v1")
    return Settings(state_dir=tmp_path / "var", model_dir=tmp_path / "model", database_url=None)


@pytest.fixture
def write_model(tmp_path: Path) -> Callable[[str], None]:
    """Writes the fake model folder anew, as a promotion does; version ``broken`` cannot be loaded."""

    def write(version: str) -> None:
        folder = tmp_path / "model"
        folder.mkdir(exist_ok=True)
        incoming = folder / ".manifest.part"
        incoming.write_text(json.dumps({"version": version}))
        incoming.replace(folder / "manifest.json")

    return write


@pytest.fixture
def load(gate: threading.Event) -> Callable[[Path], FakeModel]:
    def load_fake(folder: Path) -> FakeModel:
        manifest = folder / "manifest.json"
        if not manifest.exists():
            raise ModelFolderError(f"{folder} has no manifest.json; run `canhgiac train`")
        version = json.loads(manifest.read_text())["version"]
        if version == "broken":
            raise ModelFolderError(f"{folder}: a checksum is wrong; restore the folder")
        return FakeModel(version, gate)

    return load_fake


@pytest.fixture
def client(settings: Settings, load: Callable[[Path], FakeModel]) -> Iterator[TestClient]:
    """The running service; no key is sent unless a test does."""
    app = create_app(settings, load=load, capacity=512, watch_seconds=0.02)
    with TestClient(app) as running:
        yield running


@pytest.fixture
def bearer(settings: Settings) -> Callable[..., dict[str, str]]:
    """Headers with a new key of the given name and scopes."""

    def make(*scopes: Scope, name: str = "someone", confirmed: bool = True) -> dict[str, str]:
        store = open_store(settings.store_url)
        try:
            return {"Authorization": f"Bearer {store.create_key(name, scopes, confirmed=confirmed)}"}
        finally:
            store.close()

    return make


@pytest.fixture(params=[Client, AsyncClient])
def kind(request: pytest.FixtureRequest) -> Any:
    """The Python client's class: every test that uses it runs with the blocking and the async one."""
    return request.param


@pytest.fixture
def asking(kind: Any) -> Callable[..., Callable[..., Any]]:
    """Calls a method of a new client by its name: ``asking(key)("classify", "text")``."""

    def of(key: str, **options: Any) -> Callable[..., Any]:
        def blocking(method: str, *args: Any, **kwargs: Any) -> Any:
            with Client("https://canhgiac.example", key, **options) as client:
                return getattr(client, method)(*args, **kwargs)

        async def through_asyncio(method: str, *args: Any, **kwargs: Any) -> Any:
            async with AsyncClient("https://canhgiac.example", key, **options) as client:
                return await getattr(client, method)(*args, **kwargs)

        if kind is Client:
            return blocking
        return lambda *args, **kwargs: asyncio.run(through_asyncio(*args, **kwargs))

    return of


@pytest.fixture
def numbers(client: TestClient, bearer: Callable[..., dict[str, str]]) -> Callable[[], str]:
    """What Prometheus reads now."""

    def read() -> str:
        if "Authorization" not in key:
            key.update(bearer("metrics", name="prometheus"))
        answer = client.get("/metrics", headers=key)
        assert answer.status_code == 200
        return answer.text

    key: dict[str, str] = {}
    return read
