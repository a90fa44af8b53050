import csv
import json
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

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


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


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


def test_a_line_that_cannot_be_parsed_is_kept_beside_its_error(
    tiny_classifier: Classifier, tmp_path: Path
) -> None:
    source = write_json_lines(tmp_path / "in.jsonl", "{ bí mật", "[1]", '{"text": "chao em"}')
    counts = score_file(tiny_classifier, source, tmp_path / "out.jsonl", quiet)
    assert counts == Counts(read=3, scored=1, bad=2)
    rows = read_json_lines(tmp_path / "out.jsonl")
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert [row.get("given_line") for row in rows] == ["{ bí mật", "[1]", None]
    assert "bí mật" not in str(rows[0]["error"])


def test_a_csv_row_with_too_many_fields_keeps_them_all(tiny_classifier: Classifier, tmp_path: Path) -> None:
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text('text,noise\nchao,"a,b",c\nchao em,1\n', encoding="utf-8")
    assert score_file(tiny_classifier, source, output, quiet) == Counts(read=2, scored=1, bad=1)
    bad, good = read_csv(output)
    assert (bad["given_line"], good["given_line"]) == ('chao,"a,b",c', "")
    assert "more fields" in bad["error"]


def test_a_column_without_a_name_is_a_column(tiny_classifier: Classifier, tmp_path: Path) -> None:
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(",text\n7,chao em\n", encoding="utf-8")
    assert score_file(tiny_classifier, source, output, quiet) == Counts(read=1, scored=1, bad=0)
    assert read_csv(output)[0][""] == "7"


HALF_A_CHARACTER = r'{"id": "a", "text": "chao \ud83d ban"}'


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_half_a_character_makes_a_bad_row_and_no_bad_file(
    tiny_classifier: Classifier, tmp_path: Path, suffix: str
) -> None:
    source = write_json_lines(tmp_path / "in.jsonl", HALF_A_CHARACTER, '{"text": "chao em"}')
    output = tmp_path / f"out{suffix}"
    assert score_file(tiny_classifier, source, output, quiet) == Counts(read=2, scored=1, bad=1)
    score_file(tiny_classifier, output, tmp_path / "again.jsonl", quiet)
    bad, _ = read_json_lines(tmp_path / "again.jsonl")
    assert "surrogate" in str(bad["given_error"])
    assert str(bad["text"]).startswith("chao ")


def test_half_a_character_in_a_cell_of_messages_makes_a_bad_row(
    tiny_classifier: Classifier, tmp_path: Path
) -> None:
    cell = r'[{"role": "sender", "text": "\ud83d"}]'
    source = write_json_lines(tmp_path / "in.jsonl", json.dumps({"messages": cell}))
    assert score_file(tiny_classifier, source, tmp_path / "out.csv", quiet).bad == 1


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_half_a_character_beside_the_text_is_written_as_its_escape(
    tiny_classifier: Classifier, tmp_path: Path, suffix: str
) -> None:
    source = write_json_lines(tmp_path / "in.jsonl", r'{"text": "chao em", "no\ud83dte": ["\ud83d"]}')
    output = tmp_path / f"out{suffix}"
    assert score_file(tiny_classifier, source, output, quiet) == Counts(read=1, scored=1, bad=0)
    assert score_file(tiny_classifier, output, tmp_path / "again.jsonl", quiet).scored == 1


@pytest.mark.parametrize("sender", [113, 84901234567.0])
def test_a_sender_may_be_a_number(tiny_classifier: Classifier, tmp_path: Path, sender: float) -> None:
    source = write_json_lines(tmp_path / "in.jsonl", json.dumps({"text": "chao em", "sender": sender}))
    assert score_file(tiny_classifier, source, tmp_path / "out.jsonl", quiet).scored == 1
    assert read_json_lines(tmp_path / "out.jsonl")[0]["sender"] == sender


def test_csv_keeps_its_columns_and_gains_ours(tiny_classifier: Classifier, tmp_path: Path) -> None:
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text('text,score,noise\n"Trung, thuong",old,1\nchao em,old,2\n', encoding="utf-8-sig")
    assert score_file(tiny_classifier, source, output, quiet).scored == 2
    first, _ = read_csv(output)
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
    assert seen == [(64, None), (128, None), (192, None), (256, None), (300, None)]


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


@pytest.mark.parametrize(("name", "content"), [("in.csv", ""), ("in.csv", "text\n"), ("in.jsonl", "\n")])
def test_a_file_without_a_row_is_refused(
    tiny_classifier: Classifier, tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(BadData, match=rf"{name}: holds no row"):
        score_file(tiny_classifier, tmp_path / name, tmp_path / "out.jsonl", quiet)
    assert not (tmp_path / "out.jsonl").exists()


def test_a_parquet_file_damaged_in_its_middle_is_refused(
    tiny_classifier: Classifier, tmp_path: Path
) -> None:
    source = tmp_path / "in.parquet"
    table = pyarrow.table({"text": ["chao em"] * 600})
    parquet.write_table(table, source, row_group_size=300, compression="none", use_dictionary=False)
    column = parquet.ParquetFile(source).metadata.row_group(1).column(0)
    end = column.data_page_offset + column.total_compressed_size
    damaged = bytearray(source.read_bytes())
    damaged[end - 20 : end] = b"\xff" * 20
    source.write_bytes(damaged)
    with pytest.raises(BadData, match=r"in\.parquet.*ArrowInvalid"):
        score_file(tiny_classifier, source, tmp_path / "out.jsonl", quiet)


@pytest.mark.parametrize("name", ["in.csv", "in.jsonl", "in.parquet"])
def test_a_missing_file_is_named(tiny_classifier: Classifier, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadData, match=name):
        score_file(tiny_classifier, tmp_path / name, tmp_path / "out.csv", quiet)


def test_several_threads_give_what_one_gives_in_the_same_order(
    tiny_classifier: Classifier, tmp_path: Path
) -> None:
    texts = ["trung thuong", "chao em", "", "ma otp"] * 60
    source = write_json_lines(tmp_path / "in.jsonl", *(json.dumps({"text": text}) for text in texts))
    for threads in (1, 3):
        score_file(tiny_classifier, source, tmp_path / f"{threads}.jsonl", quiet, threads=threads)
    assert read_json_lines(tmp_path / "1.jsonl") == read_json_lines(tmp_path / "3.jsonl")
    assert [row["id"] for row in read_json_lines(tmp_path / "3.jsonl")] == [str(n + 1) for n in range(240)]
