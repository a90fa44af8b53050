import csv
import json
from pathlib import Path

import pytest

from data.errors import BadData
from model.classifier import Classifier
from model.score import Counts, score_file

ROWS = [
    {"id": "a", "text": "Trung thuong", "label": "legitimate"},
    {"id": "b", "text": "Ma OTP la 482913", "label": "legitimate"},
    {"id": "c", "text": "", "label": "scam"},
]


def quiet(done: int, total: int | None) -> None:
    pass


def write_json_lines(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read_json_lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_the_truth_in_a_label_column_survives(tiny_classifier: Classifier, tmp_path: Path) -> None:
    source = write_json_lines(tmp_path / "in.jsonl", *(json.dumps(row) for row in ROWS))
    counts = score_file(tiny_classifier, source, tmp_path / "out.jsonl", quiet)
    assert counts == Counts(read=3, scored=2, bad=1)
    first, second, third = read_json_lines(tmp_path / "out.jsonl")
    assert (first["id"], first["given_label"], first["label"], first["category"]) == (
        "a",
        "legitimate",
        "scam",
        "prize_scam",
    )
    assert (second["verdict"], second["category"], second["error"]) == ("legitimate", "otp", None)
    assert third["label"] is None
    assert "no text" in str(third["error"])


def test_a_bad_line_is_kept_without_its_text(tiny_classifier: Classifier, tmp_path: Path) -> None:
    source = write_json_lines(tmp_path / "in.jsonl", "{ bí mật", "[1]", '{"text": "chao em"}')
    counts = score_file(tiny_classifier, source, tmp_path / "out.jsonl", quiet)
    assert counts == Counts(read=3, scored=1, bad=2)
    rows = read_json_lines(tmp_path / "out.jsonl")
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert "bí mật" not in str(rows[0])


def test_csv_keeps_its_columns_and_gains_ours(tiny_classifier: Classifier, tmp_path: Path) -> None:
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text('text,score,noise\n"Trung, thuong",old,1\nchao em,old,2\n', encoding="utf-8-sig")
    assert score_file(tiny_classifier, source, output, quiet).scored == 2
    with output.open(encoding="utf-8", newline="") as file:
        first, _ = list(csv.DictReader(file))
    assert list(first) == [
        "text",
        "given_score",
        "noise",
        "id",
        "label",
        "score",
        "verdict",
        "category",
        "error",
    ]
    assert (first["text"], first["given_score"], first["noise"]) == ("Trung, thuong", "old", "1")
    assert float(first["score"]) > 0.5


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_every_format_can_be_written_and_read_again(
    tiny_classifier: Classifier, tmp_path: Path, suffix: str
) -> None:
    messages = json.dumps(
        {"messages": [{"role": "sender", "text": "trung"}, {"role": "recipient", "text": "a"}]}
    )
    source = write_json_lines(tmp_path / "in.jsonl", json.dumps(ROWS[0]), messages)
    score_file(tiny_classifier, source, tmp_path / f"one{suffix}", quiet)
    counts = score_file(tiny_classifier, tmp_path / f"one{suffix}", tmp_path / "two.jsonl", quiet)
    assert counts == Counts(read=2, scored=2, bad=0)
    assert [row["label"] for row in read_json_lines(tmp_path / "two.jsonl")] == ["scam", "scam"]


def test_progress_counts_rows_chunk_by_chunk(tiny_classifier: Classifier, tmp_path: Path) -> None:
    source = write_json_lines(tmp_path / "in.jsonl", *(['{"text": "x"}'] * 300))
    seen: list[tuple[int, int | None]] = []
    score_file(tiny_classifier, source, tmp_path / "out.jsonl", lambda *at: seen.append(at))
    assert seen == [(256, None), (300, None)]


def test_a_file_may_be_scored_onto_itself(tiny_classifier: Classifier, tmp_path: Path) -> None:
    source = write_json_lines(tmp_path / "in.jsonl", '{"text": "trung"}')
    score_file(tiny_classifier, source, source, quiet)
    assert read_json_lines(source)[0]["label"] == "scam"


@pytest.mark.parametrize(
    ("name", "content"), [("in.csv", b"\xff\xfe\x00"), ("in.parquet", b"no"), ("in.txt", b"x")]
)
def test_a_file_that_cannot_be_read_leaves_no_output(
    tiny_classifier: Classifier, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadData, match=name):
        score_file(tiny_classifier, tmp_path / name, tmp_path / "out.jsonl", quiet)
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


@pytest.mark.parametrize("name", ["in.csv", "in.jsonl", "in.parquet"])
def test_a_missing_file_is_named(tiny_classifier: Classifier, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadData, match=name):
        score_file(tiny_classifier, tmp_path / name, tmp_path / "out.csv", quiet)
