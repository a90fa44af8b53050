import json
from pathlib import Path

from training.bench import Speeds, phobert_shape, speeds


def test_both_are_timed_on_the_same_messages(tiny_model_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    rows = [{"text": f"trung thuong {n}" * (1 + n % 5), "label": "scam"} for n in range(40)]
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    shape = phobert_shape()
    shape.vocab_size, shape.hidden_size, shape.num_hidden_layers = 100, 24, 1
    found = speeds(file, tiny_model_folder, threads=1, shape=shape)
    assert found.model > 0
    assert found.phobert > 0


def test_the_ratio_says_how_many_times_faster_the_model_is() -> None:
    assert Speeds(model=800, phobert=40).ratio == 20


def test_the_shape_is_the_published_one() -> None:
    shape = phobert_shape()
    assert (shape.num_hidden_layers, shape.hidden_size, shape.vocab_size) == (12, 768, 64_001)
