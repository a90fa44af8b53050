"""Labels and categories: what a message can be, and what a citizen is told about it.

A label is a person's answer, ``scam`` or ``legitimate``. A category is the kind: a scam trick or
a legitimate kind. Ids are stable: models, labels and reports made years apart share them.

>>> taxonomy()["otp"].label
'legitimate'
>>> len(taxonomy().categories_of("scam")), len(taxonomy().categories_of("legitimate"))
(17, 11)
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from data.errors import BadData

Label = Literal["scam", "legitimate"]
LABELS: tuple[Label, ...] = get_args(Label)
#: What is said about a message after thresholds; ``unsure`` is never a label.
Verdict = Literal["scam", "unsure", "legitimate"]

FILE = Path(__file__).with_name("taxonomy.toml")


@dataclass(frozen=True, slots=True)
class Category:
    """One kind of message. ``signs`` and ``advice_vi`` are written for citizens, in Vietnamese."""

    id: str
    label: Label
    name_vi: str
    name_en: str
    definition: str
    signs: tuple[str, ...]
    advice_vi: str


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Every category, in the fixed order of the classifier's outputs."""

    categories: tuple[Category, ...]

    def __getitem__(self, category_id: str) -> Category:
        for category in self.categories:
            if category.id == category_id:
                return category
        raise BadData(f"no such category; known: {', '.join(self.ids)}")

    def __contains__(self, category_id: object) -> bool:
        return category_id in self.ids

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id in order."""
        return tuple(category.id for category in self.categories)

    def categories_of(self, label: Label) -> tuple[Category, ...]:
        """The scam tricks, or the legitimate kinds."""
        return tuple(category for category in self.categories if category.label == label)


@cache
def taxonomy() -> Taxonomy:
    """The project's taxonomy, read once from ``taxonomy.toml``."""
    entries = tomllib.loads(FILE.read_text("utf-8"))["category"]
    return Taxonomy(tuple(Category(**{**entry, "signs": tuple(entry["signs"])}) for entry in entries))
