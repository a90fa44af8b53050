from dataclasses import replace
from pathlib import Path

import pytest

from data.corpus import load
from data.errors import BadData
from data.messages import SPLITS, Conversation, Example
from training.config import read_config
from training.dataset import Snapshot, merge_waves, read_snapshot, snapshot

WAVES = read_config().waves
LURE = (
    "Chuc mung so may {} da trung thuong xe may, soan tin nhan thuong gui ngay ve tong dai truoc {} hom nay"
)


def example(number: int, text: str, *, label: str = "scam", source: str = "written") -> Example:
    category = "prize_scam" if label == "scam" else "personal"
    conversation = Conversation.from_text(text)
    return Example(f"id-{number}", conversation, label, category, f"w{number}", source)  # type: ignore[arg-type]


def taken(examples: list[Example], folder: Path, labels: list[Example] | None = None) -> Snapshot:
    return snapshot(examples, labels or [], waves=WAVES, seed=1, state_dir=folder)


def test_near_duplicates_become_one_wave() -> None:
    first, second = (
        example(1, LURE.format("0570111222", "18h")),
        example(2, LURE.format("0573444555", "20h")),
    )
    other = example(3, "Mai nho don con som nha anh, em hop den 6 gio moi xong")
    assert [e.wave for e in merge_waves([first, other, second], WAVES)] == ["w1", "w3", "w1"]


def test_members_of_a_wave_stay_together_whatever_their_texts() -> None:
    bridge = replace(example(3, "Mai nho don con som nha anh"), wave="w1")
    merged = merge_waves(
        [example(1, LURE.format("a", "b")), bridge, example(2, LURE.format("c", "b"))], WAVES
    )
    assert {e.wave for e in merged} == {"w1"}


def test_a_label_joins_the_corpus_wave_and_never_renames_it() -> None:
    label = replace(example(2, LURE.format("c", "b"), source="label"), wave="0f3a")
    written = example(1, LURE.format("a", "b"))
    for examples in ([written, label], [label, written]):
        assert {e.wave for e in merge_waves(examples, WAVES)} == {"w1"}


def test_labels_move_no_corpus_wave_to_another_split(tmp_path: Path) -> None:
    corpus = load()[::20]
    labels = [
        replace(e, id=f"label-{e.id}", wave=f"0{e.id}", source="label", written_at="2027-01-01")
        for e in corpus[::2]
    ]
    before, after = taken(corpus, tmp_path).splits, taken(corpus, tmp_path, labels).splits
    for name in SPLITS:
        now = {e.id.removeprefix("label-") for e in getattr(after, name)}
        assert now == {e.id for e in getattr(before, name)}


def test_the_same_examples_give_the_same_fingerprint_in_any_order(tmp_path: Path) -> None:
    examples = load()[::20]
    first, second = taken(examples, tmp_path / "a"), taken(examples[::-1], tmp_path / "b")
    assert first.fingerprint == second.fingerprint
    assert first.folder.name == first.fingerprint[:12]


def test_one_changed_label_changes_the_fingerprint(tmp_path: Path) -> None:
    examples = load()[::20]
    changed = [replace(examples[0], label="legitimate", category="personal"), *examples[1:]]
    assert taken(examples, tmp_path).fingerprint != taken(changed, tmp_path).fingerprint


def test_a_snapshot_is_read_back_as_it_was(tmp_path: Path) -> None:
    saved = taken(load()[::20], tmp_path)
    assert read_snapshot(saved.folder) == saved.splits


def test_a_label_replaces_the_corpus_entry_of_the_same_text(tmp_path: Path) -> None:
    corpus = load()[::20]
    label = replace(corpus[0], id="from-store", label="legitimate", category="personal", source="label")
    splits = taken(corpus, tmp_path, [label]).splits
    ids = {e.id for part in (splits.train, splits.validation, splits.test) for e in part}
    assert "from-store" in ids
    assert corpus[0].id not in ids


def test_an_erased_message_is_not_in_the_next_snapshot(tmp_path: Path) -> None:
    label = example(1, "tin nhan zqx bi xoa", source="label")
    corpus = load()[::20]
    with_it, without = taken(corpus, tmp_path, [label]), taken(corpus, tmp_path)
    assert with_it.fingerprint != without.fingerprint
    assert not any("zqx bi xoa" in file.read_text("utf-8") for file in without.folder.iterdir())


def test_one_label_alone_cannot_be_learnt_from(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="needs both labels"):
        taken([e for e in load() if e.label == "scam"][::5], tmp_path)
