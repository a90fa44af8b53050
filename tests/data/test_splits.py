import dataclasses

from data.messages import Conversation, Example
from data.splits import Splits, split_by_wave


def example(number: int, *, wave: str, source: str = "written", written_at: str | None = None) -> Example:
    conversation = Conversation.from_text(f"message {number}")
    return Example(f"id-{number}", conversation, "legitimate", "personal", wave, source, written_at)


def place(splits: Splits) -> dict[str, str]:
    return {e.id: part for part in ("train", "validation", "test") for e in getattr(splits, part)}


def test_a_wave_stands_in_exactly_one_split() -> None:
    examples = [example(n, wave=f"w{n % 40}") for n in range(400)]
    splits = split_by_wave(examples, seed=1)
    parts = [{e.wave for e in part} for part in (splits.train, splits.validation, splits.test)]
    assert sum(map(len, parts)) == 40
    assert set.union(*parts) == {f"w{n}" for n in range(40)}


def test_about_a_tenth_validates_and_a_tenth_tests() -> None:
    splits = split_by_wave([example(n, wave=f"w{n}") for n in range(5_000)], seed=7)
    assert 400 < len(splits.validation) < 600
    assert 400 < len(splits.test) < 600


def test_adding_examples_moves_no_other() -> None:
    examples = [example(n, wave=f"w{n}") for n in range(300)]
    before = place(split_by_wave(examples[:200], seed=1))
    after = place(split_by_wave(reversed(examples), seed=1))
    assert before.items() <= after.items()


def test_another_seed_gives_another_split() -> None:
    examples = [example(n, wave=f"w{n}") for n in range(300)]
    assert place(split_by_wave(examples, seed=1)) != place(split_by_wave(examples, seed=2))


def test_the_newest_tenth_of_labelled_waves_is_tested_on() -> None:
    labels = [
        example(n, wave=f"l{n}", source="label", written_at=f"2026-{n // 28 + 1:02}-{n % 28 + 1:02}")
        for n in range(100)
    ]
    tested = {e.id for e in split_by_wave(labels, seed=1).test}
    assert {f"id-{n}" for n in range(90, 100)} <= tested


def test_a_wave_is_as_old_as_its_first_message() -> None:
    labels = [example(n, wave=f"l{n}", source="label", written_at="2026-05-01") for n in range(19)]
    labels.append(example(19, wave="l19", source="label", written_at="2026-06-01"))
    late_copy = example(20, wave="l0", source="label", written_at="2026-07-01")
    tested = {e.wave for e in split_by_wave([*labels, late_copy], seed=1).test}
    assert "l19" in tested
    assert ("l0" in tested) == ("l0" in {e.wave for e in split_by_wave(labels, seed=1).test})


def test_a_wave_with_a_frozen_member_is_in_its_split_whole_and_test_wins() -> None:
    frozen = [
        dataclasses.replace(example(1, wave="a"), split="validation"),
        example(2, wave="a"),
        dataclasses.replace(example(3, wave="b"), split="train"),
        dataclasses.replace(example(4, wave="b"), split="test"),
    ]
    for seed in range(5):
        splits = split_by_wave(frozen, seed=seed)
        assert [e.wave for e in splits.validation] == ["a", "a"]
        assert [e.wave for e in splits.test] == ["b", "b"]
