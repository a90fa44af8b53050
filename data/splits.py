"""Divide examples into train, validation and test so that no wave stands in two of them.

Near-duplicates of one campaign on both sides of a split make a model look better than it is.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from data.messages import SPLITS, Example, Split

#: Shares of the waves; the rest trains.
TEST_SHARE = 0.1
VALIDATION_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Splits:
    """Three disjoint lists of examples; every wave lies in exactly one."""

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    test: tuple[Example, ...]


def split_by_wave(examples: Iterable[Example], *, seed: int) -> Splits:
    """About 80 % of the waves to train on, 10 % to validate and 10 % to test, in the given order.

    A wave's place is a hash of its name and the seed, so adding examples moves no other wave. Two
    kinds of waves have their place already: one with a member in a frozen split is there whole, in
    test before validation before train; and, as a service is judged on what comes next, of the waves
    that officers labelled the newest tenth by date goes to test.
    """
    examples = list(examples)
    places = _frozen(examples)
    for wave in _newest_tenth(examples):
        places.setdefault(wave, "test")
    parts: dict[Split, list[Example]] = {"train": [], "validation": [], "test": []}
    for example in examples:
        parts[places.get(example.wave) or part_of(example.wave, seed=seed)].append(example)
    return Splits(tuple(parts["train"]), tuple(parts["validation"]), tuple(parts["test"]))


def part_of(wave: str, *, seed: int) -> Split:
    """Where the hash puts a wave: the same answer on every machine, whatever else there is.

    >>> part_of("w-0001", seed=1) == part_of("w-0001", seed=1)
    True
    """
    digest = hashlib.sha256(f"{seed}:{wave}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    if position < TEST_SHARE:
        return "test"
    return "validation" if position < TEST_SHARE + VALIDATION_SHARE else "train"


def _frozen(examples: Iterable[Example]) -> dict[str, Split]:
    """Where each wave with a member in a frozen split stands."""
    places: dict[str, Split] = {}
    for example in examples:
        if example.split is not None:
            place = places.setdefault(example.wave, example.split)
            places[example.wave] = max(place, example.split, key=SPLITS.index)
    return places


def _newest_tenth(examples: Sequence[Example]) -> set[str]:
    """The waves whose every member is a dated label, begun last; a wave's date is its first message's."""
    undated = {e.wave for e in examples if e.source != "label" or e.written_at is None}
    begun: dict[str, str] = {}
    for example in examples:
        if example.wave not in undated and example.written_at is not None:
            begun[example.wave] = min(example.written_at, begun.get(example.wave, example.written_at))
    by_date = sorted(begun, key=lambda wave: (begun[wave], wave))
    return set(by_date[len(by_date) - len(by_date) // 10 :])
