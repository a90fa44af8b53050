import json
import shutil
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import onnx
import pytest
from rich.console import Console
from safetensors.numpy import load_file

from data.corpus import load
from data.errors import BadData, GateFailed
from data.messages import Conversation
from model.artifact import open_model_folder, write_manifest
from model.classifier import Classifier
from model.evidence import evidence
from training.config import Config, Limits
from training.evaluate import evaluate_file
from training.robustness import attack_file
from training.train import train


def quiet() -> Console:
    return Console(file=StringIO(), width=100)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def model(config: Config, compact_base: Path, corpus: Path, state: Path) -> Path:
    """A model folder from the whole training, on a tiny base."""
    return train(
        config, base=str(compact_base), state_dir=state, champion=None, corpus=corpus, console=quiet()
    )


def test_one_call_makes_a_model_folder_that_classifies(model: Path, corpus: Path) -> None:
    conversations = [example.conversation for example in load(corpus)[:5]]
    classifier = Classifier.from_pretrained(model)
    assert classifier.manifest.gate.passed
    assert np.allclose(classifier.predict_proba(conversations).sum(axis=1), 1, atol=1e-5)


def test_the_folder_holds_the_hugging_face_layout_and_how_it_was_made(model: Path, config: Config) -> None:
    files = set(open_model_folder(model).manifest.files)
    assert {"config.json", "model.safetensors", "tokenizer.json", "onnx/model_int8.onnx"} <= files
    assert {"README.md", "training.toml", "evaluation.json"} <= files
    assert (model / "training.toml").read_text("utf-8") == config.text
    weights = load_file(model / "model.safetensors")
    assert {str(weight.dtype) for weight in weights.values()} == {"float16"}


def test_weights_and_embedding_are_int8(model: Path) -> None:
    weights = onnx.load(model / "onnx" / "model_int8.onnx").graph.initializer
    large = [weight for weight in weights if np.prod(weight.dims) > 200]
    assert large
    assert onnx.TensorProto.FLOAT not in {weight.data_type for weight in large}


def test_the_manifest_says_how_far_int8_is_from_fp32(model: Path) -> None:
    export = open_model_folder(model).manifest.metrics["export"]
    assert export["same_verdict"] > 0.9
    assert export["mean_difference"] < 0.05


def test_the_card_tells_use_limits_numbers_and_licence(model: Path) -> None:
    card = (model / "README.md").read_text("utf-8")
    for part in ("Intended use", "Limits", "Numbers", "| baseline |", "CC BY 4.0", "CPU cores"):
        assert part in card


def test_a_finished_run_is_not_done_again(
    model: Path, config: Config, compact_base: Path, corpus: Path, state: Path
) -> None:
    before = {file: file.stat().st_mtime_ns for file in model.rglob("*") if file.is_file()}
    again = train(
        config, base=str(compact_base), state_dir=state, champion=None, corpus=corpus, console=quiet()
    )
    assert again == model
    assert {file: file.stat().st_mtime_ns for file in model.rglob("*") if file.is_file()} == before


def test_a_failed_gate_says_which_number_fell_and_leaves_the_folder_in_the_run(
    model: Path, config: Config, compact_base: Path, corpus: Path, tmp_path: Path
) -> None:
    state = shutil.copytree(model.parents[2], tmp_path / "state")
    champion = shutil.copytree(model, tmp_path / "champion")
    write_manifest(champion, replace(open_model_folder(model).manifest, version="champion-1"))
    output = shutil.copytree(champion, tmp_path / "earlier")
    impossible = Limits(recall=-1.0, roc_auc=-1.0, false_alarms=1.0)
    strict = replace(config, gate=replace(config.gate, tolerance=impossible))
    base = str(compact_base)
    with pytest.raises(GateFailed, match="ROC-AUC fell from") as caught:
        train(
            strict, base=base, state_dir=state, champion=champion, corpus=corpus, output=output,
            console=quiet(),
        )  # fmt: skip
    failed = state / model.relative_to(model.parents[2])
    manifest = open_model_folder(failed).manifest
    assert not manifest.gate.passed
    assert manifest.gate.reasons[0] in str(caught.value)
    assert str(failed) in str(caught.value)
    assert manifest.metrics["champion"] == "champion-1"
    assert "champion" in json.loads((failed / "evaluation.json").read_text("utf-8"))["all"]
    assert open_model_folder(output).manifest.version == "champion-1"


def refused(output: Path, config: Config, base: Path, *, champion: Path | None = None) -> str:
    """Why ``train`` refuses ``output``; a refusal leaves no state folder behind."""
    state = output.parent / "state"
    with pytest.raises(BadData) as caught:
        train(config, base=str(base), state_dir=state, champion=champion, output=output, console=quiet())
    assert not state.exists()
    return str(caught.value)


def test_a_folder_that_holds_something_else_is_not_replaced(
    config: Config, compact_base: Path, tmp_path: Path
) -> None:
    output = tmp_path / "papers"
    output.mkdir()
    (output / "thesis.txt").write_text("mine", encoding="utf-8")
    assert str(output) in refused(output, config, compact_base)
    assert (output / "thesis.txt").read_text("utf-8") == "mine"


def test_a_file_is_not_replaced_by_a_model(config: Config, compact_base: Path, tmp_path: Path) -> None:
    output = tmp_path / "thesis.txt"
    output.write_text("mine", encoding="utf-8")
    assert str(output) in refused(output, config, compact_base)


def test_the_champions_folder_is_not_replaced_by_whatever_path_it_is_named(
    model: Path, config: Config, compact_base: Path, tmp_path: Path
) -> None:
    champion = shutil.copytree(model, tmp_path / "champion")
    (tmp_path / "link").symlink_to(champion)
    for output in (champion, tmp_path / "link", champion / "new"):
        assert "serves" in refused(output, config, compact_base, champion=champion)
    assert open_model_folder(champion).manifest == open_model_folder(model).manifest


def test_an_earlier_model_gives_way_to_one_that_passed(  # noqa: PLR0917 - fixtures
    model: Path, config: Config, compact_base: Path, corpus: Path, state: Path, tmp_path: Path
) -> None:
    output = shutil.copytree(model, tmp_path / "earlier")
    (output / "stray.txt").touch()
    base = str(compact_base)
    train(config, base=base, state_dir=state, champion=None, corpus=corpus, output=output, console=quiet())
    assert open_model_folder(output).manifest == open_model_folder(model).manifest
    assert not (output / "stray.txt").exists()


def test_phobert_takes_the_same_path(
    config: Config, phobert_base: Path, corpus: Path, tmp_path: Path
) -> None:
    output = train(
        config,
        base=str(phobert_base),
        state_dir=tmp_path / "state",
        champion=None,
        corpus=corpus,
        output=tmp_path / "model",
        console=quiet(),
    )
    manifest = open_model_folder(output).manifest
    assert manifest.view == "segmented"
    assert {"vocab.txt", "bpe.codes"} <= set(manifest.files)
    classifier = Classifier.from_pretrained(output)
    scam = Conversation.from_text("Tài khoản bị khóa. Đăng nhập vietcombank-x.top. Hết hạn hôm nay.")
    reading = classifier.read(scam)
    prediction = classifier.predict_reading(reading)
    suspected = replace(prediction, verdict="scam")
    assert prediction.probabilities.shape == (28,)
    assert any("Vietcombank" in one.reason for one in evidence(classifier, reading, suspected))
    assert {"attacks", "coverage"} <= set(json.loads((output / "evaluation.json").read_text("utf-8")))


def test_a_labelled_file_is_attacked_and_the_table_says_what_was_lost(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "field.jsonl"
    records = [
        {"text": "Chuc mung ban trung thuong, nap phi vao qkz8.top", "label": "scam"},
        {"text": "Toi ve tre, com nuoc truoc di", "label": "legitimate"},
    ]
    file.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    console = quiet()
    steps: list[int] = []
    found = attack_file(file, model, on_progress=lambda done, total: steps.append(done), console=console)
    assert steps == list(range(1, len(found["outcomes"]) + 1))
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert "points lost" in printed
    assert "trung thuong" not in printed


def test_a_labelled_file_is_evaluated_with_the_baseline_beside_the_model(
    model: Path, config: Config, corpus: Path, tmp_path: Path
) -> None:
    file = tmp_path / "field.jsonl"
    texts = ["Ma OTP cua ban la 482913", "Toi ve tre, com nuoc truoc di", "Da nhan 500k"]
    records = [{"text": text, "label": "legitimate", "code": "L01"} for text in texts]
    file.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    console = quiet()
    result = evaluate_file(file, model, corpus=corpus, config=config, console=console)
    assert set(result["all"]) == {"model", "baseline"}
    assert result["all"]["model"]["roc_auc"]["value"] is None
    assert "field.jsonl" in console.file.getvalue()  # type: ignore[attr-defined]
