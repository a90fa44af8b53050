"""A real model folder in service, from promotion to answer."""

import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from data.messages import Conversation, Message
from data.store import open_store
from model import registry
from model.artifact import read_manifest, write_manifest
from model.classifier import Classifier
from serving.app import create_app
from serving.served import SELF_TEST, FolderModel
from serving.settings import Settings

CONVERSATION = Conversation(
    (
        Message("recipient", "Ai đấy ạ?"),
        Message("sender", "VCB: TK bị khóa 😱, đăng nhập http://vcb-xacthuc.top ngay"),
    )
)


@pytest.fixture
def model(tiny_model_folder: Path) -> FolderModel:
    return FolderModel.from_folder(tiny_model_folder, cached=100)


def test_an_answer_agrees_with_the_prediction(model: FolderModel, tiny_classifier: Classifier) -> None:
    answer = model.read(CONVERSATION)()
    [prediction] = tiny_classifier.predict([CONVERSATION])
    assert (answer.score, answer.verdict) == (prediction.score, prediction.verdict)
    assert (answer.label, answer.category.id) == (prediction.label, prediction.category)
    assert (answer.model.name, answer.model.version) == ("tiny", "tiny-1")


def test_indicators_and_evidence_are_offsets_of_the_text_as_received(model: FolderModel) -> None:
    answer = model.read(CONVERSATION)()
    [url] = answer.indicators
    assert (url.type, url.message) == ("url", 1)
    assert CONVERSATION.messages[1].text[url.start : url.end] == "http://vcb-xacthuc.top"
    for part in answer.evidence:
        assert 0 <= part.start < part.end <= len(CONVERSATION.messages[part.message].text)


def test_every_answer_has_its_own_id(model: FolderModel) -> None:
    assert len({model.read(conversation)().id for conversation in SELF_TEST * 3}) == 6


def test_a_promoted_model_is_served_without_a_restart(tmp_path: Path, tiny_model_folder: Path) -> None:
    settings = Settings(state_dir=tmp_path / "var")
    registry.promote(settings.state_dir, _version(tiny_model_folder, tmp_path, "one"))
    store = open_store(settings.store_url)
    headers = {"Authorization": f"Bearer {store.create_key('k', ['classify'])}"}
    store.close()
    with TestClient(create_app(settings, watch_seconds=0.05)) as client:

        def version() -> str:
            answer = client.post("/v1/classify", json={"text": "Ma OTP la 1"}, headers=headers)
            assert answer.status_code == 200
            served: str = answer.json()["model"]["version"]
            return served

        assert version() == "one"
        registry.promote(settings.state_dir, _version(tiny_model_folder, tmp_path, "two"))
        end = time.monotonic() + 10
        while version() != "two":
            assert time.monotonic() < end
        registry.rollback(settings.state_dir)
        while version() != "one":
            assert time.monotonic() < end


def _version(tiny: Path, tmp_path: Path, version: str) -> Path:
    """A copy of the tiny model folder under another version."""
    folder = tmp_path / version
    shutil.copytree(tiny, folder)
    manifest = read_manifest(folder)
    (folder / "manifest.json").unlink()
    write_manifest(folder, replace(manifest, version=version))
    return folder
