"""Tricks: how scams of a category work, one level finer than the taxonomy.

A trick is what a bulletin warns of and what a test can hold out: a model that knows the other tricks
of a category is judged on one that it never saw. A legitimate message may name a trick too: the one
that it could be mistaken for, as the bank's true alert beside the false one.

>>> tricks()["reward-points"].category
'bank_impersonation'
>>> "voicemail-link" in held_out()
True
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("tricks.toml")


@dataclass(frozen=True, slots=True)
class Trick:
    """One way to deceive. Those ``held_out`` stand in no training or validation split."""

    id: str
    category: str
    name_vi: str
    name_en: str
    held_out: bool = False


@cache
def tricks() -> dict[str, Trick]:
    """Every trick by id, read once from ``tricks.toml``."""
    return {entry["id"]: Trick(**entry) for entry in tomllib.loads(FILE.read_text("utf-8"))["trick"]}


@cache
def held_out() -> frozenset[str]:
    """Ids of the tricks that no training or validation message plays."""
    return frozenset(trick.id for trick in tricks().values() if trick.held_out)
