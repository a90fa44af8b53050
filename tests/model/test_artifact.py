import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data.errors import ModelFolderError
from data.taxonomy import taxonomy
from model.artifact import MANIFEST, open_model_folder, read_manifest, write_manifest


@pytest.fixture
def folder(tiny_model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model_folder, tmp_path / "copy"))


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    record = json.loads((folder / MANIFEST).read_text("utf-8"))
    change(record)
    (folder / MANIFEST).write_text(json.dumps(record), encoding="utf-8")


def test_a_manifest_reads_back_as_it_was_written(folder: Path) -> None:
    opened = open_model_folder(folder)
    assert write_manifest(folder, opened.manifest) == opened.manifest == open_model_folder(folder).manifest


def test_every_file_but_the_manifest_is_hashed(folder: Path) -> None:
    assert set(open_model_folder(folder).manifest.files) == {
        "config.json",
        "ngrams.npy",
        "onnx/model_int8.onnx",
        "tokenizer.json",
    }


def test_one_changed_byte_is_refused_and_the_error_says_what_to_run(folder: Path) -> None:
    model = folder / "onnx" / "model_int8.onnx"
    content = bytearray(model.read_bytes())
    content[100] ^= 1
    model.write_bytes(content)
    with pytest.raises(ModelFolderError, match=r"model_int8\.onnx is not the file .*canhgiac train"):
        open_model_folder(folder)


@pytest.mark.parametrize("name", [MANIFEST, "tokenizer.json", "onnx/model_int8.onnx", "config.json"])
def test_a_missing_file_is_refused_by_name(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelFolderError, match=name):
        open_model_folder(folder)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda r: r.update(format=3), "format 2"),
        (lambda r: r.update(extra=1), "format 2"),
        (lambda r: r.pop("gate"), "format 2"),
        (lambda r: r.update(normalizer_version=0), "normalizer version 0"),
        (lambda r: r.update(view="raw"), "view"),
        (lambda r: r.update(version="../evil"), "version"),
        (lambda r: r["categories"].reverse(), "categories"),
        (lambda r: r.update(categories=["otp", "balance"]), "both labels"),
        (lambda r: r["categories"].append("nonsense"), "categories"),
        (lambda r: r["thresholds"].update(unsure=0.9), "thresholds"),
        (lambda r: r.update(temperature=0), "temperature"),
        (lambda r: r["files"].update({"../outside": "0"}), "outside"),
        (lambda r: r["files"].pop("tokenizer.json"), "tokenizer.json"),
    ],
)
def test_a_manifest_that_cannot_be_true_is_refused(
    folder: Path, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    edit(folder, change)
    with pytest.raises(ModelFolderError, match=reason):
        open_model_folder(folder)


def test_a_manifest_that_is_no_json_is_refused(folder: Path) -> None:
    (folder / MANIFEST).write_text("{", encoding="utf-8")
    with pytest.raises(ModelFolderError, match="cannot be read"):
        open_model_folder(folder)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "deep/optimizer.PT", "baseline.pkl"])
def test_a_pickle_is_refused_wherever_it_lies(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"")
    with pytest.raises(ModelFolderError, match="run code"):
        open_model_folder(folder)
    with pytest.raises(ModelFolderError, match="run code"):
        write_manifest(folder, read_manifest(folder))


def test_fewer_categories_in_the_taxonomys_order_are_accepted(folder: Path) -> None:
    edit(folder, lambda r: r.update(categories=["job_scam", "otp"]))
    assert open_model_folder(folder).manifest.categories == ("job_scam", "otp")
    assert len(taxonomy().ids) > 2
