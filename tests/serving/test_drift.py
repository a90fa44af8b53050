"""Whether what comes still looks like training: small distributions, their distance visible by eye."""

import dataclasses
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from model.artifact import read_manifest, write_manifest
from serving.app import create_app
from serving.drift import ENOUGH, WINDOW, Drift, Reference, compare, reference_in, stability_index
from serving.settings import Settings

HALF = Reference((0.5, 0.5), {"otp": 0.5, "job_scam": 0.5})


def test_the_same_shares_are_no_drift() -> None:
    assert stability_index([0.2, 0.3, 0.5], [0.2, 0.3, 0.5]) == 0


def test_the_index_is_the_textbook_sum() -> None:
    by_hand = (0.7 - 0.5) * math.log(0.7 / 0.5) + (0.3 - 0.5) * math.log(0.3 / 0.5)
    assert stability_index([0.5, 0.5], [0.7, 0.3]) == pytest.approx(by_hand)


def test_an_empty_bin_is_far_but_not_infinitely_far() -> None:
    assert 1 < stability_index([0.5, 0.5], [1.0, 0.0]) < 10


def test_a_category_that_training_never_predicted_is_drift() -> None:
    assert compare(HALF, [0.1, 0.9], ["otp", "spam"]).category > 0.25
    assert compare(HALF, [0.1, 0.9], ["otp", "job_scam"]).category == 0


def _told(drift: Drift, version: str, count: int, score: float) -> None:
    for _ in range(count):
        drift.observe(version, score, "otp")


def test_few_predictions_tell_nothing() -> None:
    drift = Drift()
    drift.know("v1", HALF)
    _told(drift, "v1", ENOUGH - 1, 0.1)
    assert drift.of("v1") is None
    _told(drift, "v1", 1, 0.1)
    assert drift.of("v1") is not None


def test_a_model_without_a_reference_tells_nothing() -> None:
    drift = Drift()
    drift.know("v1", None)
    _told(drift, "v1", ENOUGH, 0.1)
    assert drift.of("v1") is None
    assert drift.of(None) is None


def test_only_the_newest_predictions_count() -> None:
    drift = Drift()
    drift.know("v1", HALF)
    _told(drift, "v1", WINDOW, 0.1)
    _told(drift, "v1", WINDOW // 2, 0.9)
    found = drift.of("v1")
    assert found is not None
    assert found.score == 0


def test_a_new_model_starts_with_no_predictions() -> None:
    drift = Drift()
    drift.know("v1", HALF)
    drift.know("v2", HALF)
    _told(drift, "v1", ENOUGH, 0.1)
    _told(drift, "v2", 1, 0.1)
    assert drift.of("v1") is None
    assert drift.of("v2") is None


@pytest.mark.parametrize(
    "metrics", [{}, {"reference": {}}, {"reference": {"scores": [1, 1]}}, {"reference": 3}]
)
def test_a_folder_whose_reference_is_missing_or_broken_has_none(
    tiny_model_folder: Path, tmp_path: Path, metrics: dict[str, object]
) -> None:
    assert reference_in(_folder_with(metrics, tiny_model_folder, tmp_path)) is None
    assert reference_in(tmp_path / "no such folder") is None


def test_the_drift_of_the_model_that_serves_is_told_once_enough_came(
    tiny_model_folder: Path, tmp_path: Path, bearer: Callable[..., dict[str, str]]
) -> None:
    expected = {"scores": [0.0, 1.0], "categories": {"job_scam": 1.0}}
    folder = _folder_with({"reference": expected}, tiny_model_folder, tmp_path)
    settings = Settings(state_dir=tmp_path / "var", model_dir=folder)
    batch = {"items": [{"text": "otp 1234"}] * 250}
    with TestClient(create_app(settings)) as client:
        headers = bearer("classify", "metrics")
        assert "canhgiac_score_drift NaN" in client.get("/metrics", headers=headers).text
        for _ in range(2):
            assert client.post("/v1/classify/batch", json=batch, headers=headers).status_code == 200
        numbers = client.get("/metrics", headers=headers).text
    values = dict(
        line.rsplit(" ", 1) for line in numbers.splitlines() if "_drift " in line and line[0] != "#"
    )
    assert float(values["canhgiac_score_drift"]) > 1
    assert float(values["canhgiac_category_drift"]) > 1


def _folder_with(metrics: dict[str, object], tiny: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    if not (folder / "onnx").exists():
        shutil.copytree(tiny, folder, dirs_exist_ok=True)
    write_manifest(folder, dataclasses.replace(read_manifest(folder), metrics=metrics))
    return folder
