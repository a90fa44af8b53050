from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data.corpus import load
from training.config import Waves, read_config
from training.corpus.check import check

Record = Callable[..., dict[str, Any]]
Write = Callable[..., Path]
OTHER = "BIDV: quy khach chi tieu 9.200.000d tai Macao, bam bidv-huygd.icu neu khong phai"
RECORD = {"text": "Tai khoan VCB cua ban bi khoa, dang nhap vcb-mokhoa.top de mo lai"}
HELD_OUT = {"category": "account_takeover", "trick": "voicemail-link"}


def findings(file: Path, waves: Waves) -> list[str]:
    """What is found wrong with the lines; a corpus of two messages misses every amount."""
    found = check(file.parent, waves=waves)
    return [
        finding for finding in found if not finding.startswith(("stats:", "shortcut:", "trigger word:"))
    ]


def test_two_good_messages_have_no_finding(write: Write, record: Record, waves: Waves) -> None:
    file = write("c/train.jsonl", record(), record(id="cg-2", wave="w-2", text=OTHER))
    assert findings(file, waves) == []


@pytest.mark.parametrize(
    ("second", "finding"),
    [
        ({"register": None}, "register is missing"),
        ({"text": OTHER + ", LH 0912 345 678"}, "a mobile number outside the invented range"),
        ({"text": RECORD["text"]}, "the same text as train.jsonl:1 (cg-1); remove one"),
        (HELD_OUT, "messages of held-out tricks, and only they, belong into unseen.jsonl"),
    ],
)
def test_a_bad_line_is_named_with_its_reason(
    write: Write, record: Record, waves: Waves, second: dict[str, Any], finding: str
) -> None:
    path = write(
        "c/train.jsonl", record(), record(**{"id": "cg-2", "wave": "w-2", "text": OTHER, **second})
    )
    assert any(found.startswith(f"train.jsonl:2 (cg-2): {finding}") for found in findings(path, waves))


@pytest.mark.parametrize(
    ("file", "finding"), [("unseen", "messages of held-out tricks"), ("more", "no split of that name")]
)
def test_a_line_in_the_wrong_file_is_found(
    write: Write, record: Record, waves: Waves, file: str, finding: str
) -> None:
    path = write(f"c/{file}.jsonl", record())
    assert findings(path, waves)[0].startswith(f"{file}.jsonl:1 (cg-1): {finding}")


def test_near_duplicates_of_two_waves_are_found(write: Write, record: Record, waves: Waves) -> None:
    file = write("c/train.jsonl", record(), record(id="cg-2", wave="w-2", text=record()["text"] + " nhe"))
    assert findings(file, waves) == [
        "train.jsonl:2 (cg-2): near-duplicate of train.jsonl:1 (cg-1); give it wave w-1"
    ]


def test_a_wave_in_two_splits_is_found(write: Write, record: Record, waves: Waves) -> None:
    write("c/test.jsonl", record(id="cg-2", text=OTHER))
    file = write("c/train.jsonl", record())
    assert findings(file, waves) == [
        "test.jsonl:1 (cg-2): its wave is in train.jsonl too; keep it in one split"
    ]


def test_a_shortcut_and_a_missing_amount_are_found(write: Write, record: Record, waves: Waves) -> None:
    legitimate = {"label": "legitimate", "category": "personal", "trick": None}
    file = write(
        "c/train.jsonl",
        *(record(id=f"s-{n}", text=f"{OTHER} {n}") for n in range(30)),
        *(record(id=f"l-{n}", text=f"Trưa nay ăn gì {n}", **legitimate) for n in range(30)),
    )
    found = check(file.parent, waves=waves)
    assert "shortcut: URL present alone has ROC-AUC 1.000; at most 0.65" in found
    assert "shortcut: «bam» alone has ROC-AUC 1.000; explain it or balance it" in found
    assert any(
        finding.startswith("stats: distinct after masking is 2; must be at least 8,000")
        for finding in found
    )


def test_the_shipped_corpus_is_as_it_must_be() -> None:
    assert check(waves=read_config().waves) == []


def test_the_shipped_corpus_has_all_four_splits_with_both_labels() -> None:
    found = {(example.split, example.label) for example in load()}
    assert len(found) == 6
