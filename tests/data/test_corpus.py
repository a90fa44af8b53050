import json
import re
from pathlib import Path
from typing import Any

import pytest

from data.corpus import FOLDER, load
from data.errors import BadData, BadRecord
from data.plain import plain

ROOT = Path(__file__).parents[2]
EVALUATION = ROOT.parent / "shared" / "eval"
LINE: dict[str, Any] = {
    "id": "x-1",
    "text": "Ma OTP la 123456",
    "label": "legitimate",
    "category": "otp",
    "source": "written",
    "wave": "w-1",
}


def test_a_file_is_a_split_and_what_is_unseen_is_tested(tmp_path: Path) -> None:
    files = ("train", "validation", "test", "unseen", "more")
    for number, name in enumerate(files):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({**LINE, "id": f"x-{number}"}), encoding="utf-8")
    splits = {files[int(example.id[-1])]: example.split for example in load(tmp_path)}
    assert splits == {
        "train": "train",
        "validation": "validation",
        "test": "test",
        "unseen": "test",
        "more": None,
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"label": "spam"}, "label must be scam or legitimate"),
        ({"category": "job_scam"}, "category is not a legitimate category"),
        ({"text": None}, "write the message in text"),
        ({"text": "  "}, "has no text"),
        ({"id": ""}, "id is missing"),
        ({"wave": 3}, "wave is missing"),
        ({"channel": "fax"}, "channel must be one of: sms, chat"),
        ({"trick": "magic"}, "trick is not one of data/tricks.toml"),
        ({"scam_turn": 0}, "scam_turn is the position"),
        (
            {"label": "scam", "category": "job_scam", "trick": "robocall"},
            "trick belongs to other_scam, another category",
        ),
        ({"messages": [{"role": "bot", "text": "x"}]}, "role must be sender or recipient"),
        ({"text": "x" * 2001}, "2001 characters; the limit is 2000"),
    ],
)
def test_a_bad_line_is_refused_with_file_line_and_reason(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    lines = [LINE, {**LINE, "id": "x-2", **change}]
    (tmp_path / "some.jsonl").write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    with pytest.raises(BadRecord, match=reason) as caught:
        load(tmp_path)
    assert str(caught.value).startswith("some.jsonl:2: ")


def test_a_repeated_id_names_both_places(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(LINE) + "\n", encoding="utf-8")
    (tmp_path / "b.jsonl").write_text("\n" + json.dumps(LINE), encoding="utf-8")
    with pytest.raises(BadRecord, match=r"b.jsonl:2: id x-1 is also at a.jsonl:1"):
        load(tmp_path)


def test_a_folder_without_a_corpus_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"no \.jsonl file"):
        load(tmp_path)


@pytest.mark.skipif(not EVALUATION.exists(), reason="the evaluation sets are not part of the project")
def test_nothing_of_the_evaluation_sets_is_in_the_corpus() -> None:
    """No message shares a third of its folded 5-word shingles with them (boilerplate shares some)."""
    evaluated: set[str] = set()
    for file in EVALUATION.glob("*.jsonl"):
        for line in file.read_text("utf-8").splitlines():
            record = json.loads(line)
            texts = [m["text"] for m in record["messages"]] if "messages" in record else [record["text"]]
            for text in texts:
                evaluated |= shingles(text)
    for example in load():
        own = set().union(*(shingles(message.text) for message in example.conversation.messages))
        assert not own or len(own & evaluated) / len(own) < 1 / 3, example.id


def shingles(text: str) -> set[str]:
    words = re.findall(r"\w+", plain(text).text)
    return {" ".join(words[start : start + 5]) for start in range(len(words) - 4)}


def test_the_corpus_folder_states_its_licence() -> None:
    assert "CC BY 4.0" in (FOLDER / "LICENSE").read_text("utf-8")
