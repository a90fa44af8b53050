import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data.corpus import load
from data.errors import BadData
from data.splits import part_of
from training.config import Waves
from training.corpus.add import SPLIT_SEED, add

Record = Callable[..., dict[str, Any]]
Write = Callable[..., Path]
OTHER = "BIDV: quy khach chi tieu 9.200.000d tai Macao, bam bidv-huygd.icu neu khong phai"
FILLED = "Tai khoan VCB cua ban bi khoa, dang nhap vcb-mo{}khoa.top de mo lai"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    return folder


def draft(record: Record, **changes: Any) -> dict[str, Any]:
    return record(**{"id": None, "wave": None, "source": None, **changes})


def test_a_message_gets_its_id_wave_and_split(
    corpus: Path, write: Write, record: Record, waves: Waves
) -> None:
    added = add(write("new.jsonl", draft(record)), waves=waves, folder=corpus)
    assert (added.count, added.refused) == (1, ())
    [example] = load(corpus)
    assert example.id.removeprefix("cg-") == example.wave.removeprefix("w-")
    assert example.split == part_of(example.wave, seed=SPLIT_SEED)


def test_adding_the_same_file_again_adds_nothing(
    corpus: Path, write: Write, record: Record, waves: Waves
) -> None:
    file = write("new.jsonl", draft(record), draft(record, text=OTHER))
    add(file, waves=waves, folder=corpus)
    again = add(file, waves=waves, folder=corpus)
    assert again.count == 0
    assert [reason.partition(": ")[2] for reason in again.refused] == ["is in the corpus word for word"] * 2
    assert len(load(corpus)) == 2


def test_near_duplicates_join_one_wave_and_one_split_however_late_they_come(
    corpus: Path, write: Write, record: Record, waves: Waves
) -> None:
    for number in range(3):
        add(write("new.jsonl", draft(record, text=FILLED.format(number))), waves=waves, folder=corpus)
    assert len(load(corpus)) == 3
    assert len({(example.wave, example.split) for example in load(corpus)}) == 1


def test_a_fourth_fill_of_a_message_is_refused(
    corpus: Path, write: Write, record: Record, waves: Waves
) -> None:
    fills = [draft(record, text=FILLED.format(number)) for number in range(4)]
    added = add(write("new.jsonl", *fills), waves=waves, folder=corpus)
    assert added.count == 3
    assert added.refused == ("new.jsonl:4: the corpus has 3 fills of it; write another message",)


def test_a_held_out_trick_goes_to_the_unseen_split(
    corpus: Path, write: Write, record: Record, waves: Waves
) -> None:
    held_out = draft(record, category="account_takeover", trick="voicemail-link")
    add(write("new.jsonl", held_out), waves=waves, folder=corpus)
    assert (corpus / "unseen.jsonl").read_text("utf-8")
    assert load(corpus)[0].split == "test"


def test_a_near_duplicate_across_the_unseen_split_is_refused(
    corpus: Path, write: Write, record: Record, waves: Waves
) -> None:
    add(write("new.jsonl", draft(record)), waves=waves, folder=corpus)
    copy = draft(record, text=FILLED.format(1), category="account_takeover", trick="voicemail-link")
    added = add(write("new.jsonl", copy), waves=waves, folder=corpus)
    assert added.count == 0
    assert "near-duplicate of a message in" in added.refused[0]


def test_a_bad_line_is_refused_alone_and_never_repeated(
    corpus: Path, write: Write, record: Record, waves: Waves
) -> None:
    secret = "bi mat 0912 345 678"
    file = write("new.jsonl", draft(record, text=secret), draft(record), draft(record, label="spam"))
    added = add(file, waves=waves, folder=corpus)
    assert added.count == 1
    assert [reason.split(":")[1] for reason in added.refused] == ["1", "3"]
    assert secret not in "".join(added.refused)


def test_a_file_that_cannot_be_read_is_said(corpus: Path, tmp_path: Path, waves: Waves) -> None:
    with pytest.raises(BadData, match="cannot be read"):
        add(tmp_path / "missing.jsonl", waves=waves, folder=corpus)


def test_what_is_written_reads_back_as_it_was(
    corpus: Path, write: Write, record: Record, waves: Waves
) -> None:
    turns = [{"role": "sender", "text": "Alo\nem"}, {"role": "recipient", "text": "ai đấy"}]
    talk = draft(record, text=None, messages=turns, scam_turn=0, channel="chat")
    add(write("new.jsonl", talk), waves=waves, folder=corpus)
    [line] = [line for file in corpus.glob("*.jsonl") for line in file.read_text("utf-8").splitlines()]
    written = json.loads(line)
    assert {key: written[key] for key in talk} == talk


def test_near_duplicates_of_a_held_out_trick_stay_together(
    corpus: Path, write: Write, record: Record, waves: Waves
) -> None:
    held_out = {"category": "account_takeover", "trick": "voicemail-link"}
    fills = [draft(record, text=FILLED.format(number), **held_out) for number in range(3)]
    assert add(write("new.jsonl", *fills), waves=waves, folder=corpus).count == 3
    assert [file.name for file in corpus.iterdir()] == ["unseen.jsonl"]


def test_what_is_near_to_an_unseen_message_is_no_other_trick(
    corpus: Path, write: Write, record: Record, waves: Waves
) -> None:
    held_out = draft(record, category="account_takeover", trick="voicemail-link")
    add(write("new.jsonl", held_out), waves=waves, folder=corpus)
    added = add(write("new.jsonl", draft(record, text=FILLED.format(1))), waves=waves, folder=corpus)
    assert added.refused == (
        "new.jsonl:1: near-duplicate of a message in unseen.jsonl; write another message",
    )


def test_a_file_without_its_last_newline_is_not_damaged(
    corpus: Path, write: Write, record: Record, waves: Waves
) -> None:
    odd = draft(record, text=f"{record()['text']}\u2028\x85 nhe")
    add(write("new.jsonl", odd), waves=waves, folder=corpus)
    [file] = corpus.iterdir()
    file.write_text(file.read_text("utf-8").rstrip("\n"), encoding="utf-8")
    near = draft(record, text=f"{record()['text']} nhe ban")
    add(write("new.jsonl", near), waves=waves, folder=corpus)
    assert [entry.name for entry in corpus.iterdir()] == [file.name]
    assert {example.conversation.text for example in load(corpus)} == {odd["text"], near["text"]}


@pytest.mark.parametrize(
    "bad",
    [
        {"text": "nua ky tu \ud83d"},
        {"category": ["bank_impersonation"]},
        {"written_at": 5},
        {"messages": [{"role": "sender", "text": "x"}] * 21, "text": None, "scam_turn": 0},
    ],
)
def test_an_odd_line_is_refused_alone(
    corpus: Path, write: Write, record: Record, waves: Waves, bad: dict[str, Any]
) -> None:
    file = write("new.jsonl", draft(record, text=OTHER))
    file.write_text(json.dumps(draft(record, **bad)) + "\n" + file.read_text("utf-8"), encoding="utf-8")
    added = add(file, waves=waves, folder=corpus)
    assert (added.count, len(added.refused)) == (1, 1)
    assert len(load(corpus)) == 1


def test_two_conversations_of_one_id_are_one(
    corpus: Path, write: Write, record: Record, waves: Waves
) -> None:
    def talk(*texts: str) -> dict[str, Any]:
        turns = [{"role": "sender", "text": text} for text in texts]
        return draft(record, text=None, messages=turns, scam_turn=0)

    file = write("new.jsonl", talk("mot hai\nba bon", "nam sau"), talk("mot hai", "ba bon\nnam sau"))
    assert add(file, waves=waves, folder=corpus).count == 1
    assert len(load(corpus)) == 1


def test_messages_without_letters_are_no_fills_of_each_other(
    corpus: Path, write: Write, record: Record, waves: Waves
) -> None:
    short = [draft(record, text=text) for text in ("123", "?", "😀", "0571 234 567", "88")]
    assert add(write("new.jsonl", *short), waves=waves, folder=corpus).refused == ()


def test_a_folder_that_is_no_corpus_in_splits_is_said(
    corpus: Path, write: Write, record: Record, waves: Waves
) -> None:
    file = write("new.jsonl", draft(record))
    with pytest.raises(BadData, match="no such folder"):
        add(file, waves=waves, folder=corpus / "missing")
    write("corpus/more.jsonl", record())
    with pytest.raises(BadData, match="no split"):
        add(file, waves=waves, folder=corpus)
