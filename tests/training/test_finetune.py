import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from data.corpus import load
from data.errors import BaseModelNotFound
from model.tokenizer import Tokenizer
from model.view import view
from training.bases import find_base
from training.config import Config
from training.finetune import category_weights, collate, encode, finetune, newest_checkpoint

EXAMPLES = load()[::16]


def test_an_interrupted_training_goes_on_from_its_newest_whole_checkpoint(
    config: Config, compact_base: Path, tmp_path: Path
) -> None:
    base = find_base(str(compact_base))
    finetune(EXAMPLES, base, config, run=tmp_path)
    checkpoints = tmp_path / "checkpoints"
    kept, last = sorted(checkpoints.iterdir(), key=lambda path: int(path.name.split("-")[1]))
    (last / "trainer_state.json").unlink()
    (tmp_path / "finetuned" / "model.safetensors").unlink()
    written = (kept / "model.safetensors").stat().st_mtime_ns
    output = finetune(EXAMPLES, base, config, run=tmp_path)
    assert (output / "model.safetensors").exists()
    assert (kept / "model.safetensors").stat().st_mtime_ns == written


def test_the_same_seed_gives_the_same_weights(config: Config, compact_base: Path, tmp_path: Path) -> None:
    base = find_base(str(compact_base))
    runs = [finetune(EXAMPLES[:40], base, config, run=tmp_path / name) for name in ("a", "b")]
    first, second = (load_file(run / "model.safetensors") for run in runs)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_weights_that_are_no_model_are_refused(config: Config, compact_base: Path, tmp_path: Path) -> None:
    for file in ("config.json", "tokenizer.json"):
        (tmp_path / file).write_bytes((compact_base / file).read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(BaseModelNotFound, match="could not be loaded"):
        finetune(EXAMPLES[:8], find_base(str(tmp_path)), config, run=tmp_path / "run")


def test_a_model_of_another_architecture_is_refused(compact_base: Path, tmp_path: Path) -> None:
    for file in ("config.json", "tokenizer.json", "model.safetensors"):
        (tmp_path / file).write_bytes((compact_base / file).read_bytes())
    (tmp_path / "config.json").write_text('{"model_type": "gpt2", "max_position_embeddings": 258}')
    with pytest.raises(BaseModelNotFound, match="a gpt2 model; PhoBERT and the compact base are roberta"):
        find_base(str(tmp_path))


def test_training_reads_the_ids_that_serving_reads(compact_base: Path) -> None:
    base, tokenizer = find_base(str(compact_base)), Tokenizer.from_folder(compact_base)
    conversation = EXAMPLES[0].conversation
    served = tokenizer.encode_batch([view(conversation, "folded").text], 256)[0].ids
    assert encode([conversation], base, tokenizer) == [served]


def test_a_checkpoint_without_its_last_file_does_not_count(tmp_path: Path) -> None:
    for name in ("checkpoint-9", "checkpoint-20"):
        (tmp_path / name).mkdir()
    assert newest_checkpoint(tmp_path) is None
    (tmp_path / "checkpoint-9" / "trainer_state.json").touch()
    assert newest_checkpoint(tmp_path) == tmp_path / "checkpoint-9"


def test_a_batch_is_padded_and_masked_to_its_longest_message() -> None:
    batch = collate([{"input_ids": [0, 7, 2], "labels": 3}, {"input_ids": [0, 2], "labels": 1}], pad=1)
    assert batch["input_ids"].tolist() == [[0, 7, 2], [0, 2, 1]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]
    assert batch["labels"].tolist() == [3, 1]


def test_a_rare_category_weighs_more_and_an_absent_one_nothing() -> None:
    rare = dataclasses.replace(EXAMPLES[0], label="legitimate", category="otp")
    often = dataclasses.replace(rare, category="bill")
    weights = category_weights([rare, often, often, often, often], 0.5)
    assert sorted(set(weights.tolist())) == pytest.approx([0, 5 / 6, 5 / 3])
