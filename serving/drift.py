"""Whether what comes now still looks like what the model was tested on.

Training leaves a reference in the manifest: how the scores and categories of the validation split
are shared out, mixed as on a phone. The service counts its last predictions in the same bins and
tells how far the two are apart. No text is kept: a score and a category id a prediction.

A high index does not say that the model is wrong. It says that the numbers in its card were
measured on other messages than those that come now: look at what comes, label some of it, train.
"""

import math
import threading
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import ModelFolderError
from model.artifact import read_manifest

#: Predictions that are compared, the newest; a slow day's, or a busy minute's.
WINDOW = 5_000
#: Fewer are not told: with 28 categories, chance alone gives 500 messages an index of about 0.05,
#: and to that comes the chance in the reference itself, some 2,000 messages.
ENOUGH = 500
#: Share that stands for none, where a logarithm needs one.
_NONE = 1e-4


@dataclass(frozen=True, slots=True)
class Reference:
    """Shares that sum to 1: of scores in bins of equal width from 0 to 1, and of categories by id."""

    scores: tuple[float, ...]
    categories: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Indices:
    """The stability index of each distribution; 0 is no difference."""

    score: float
    category: float


def stability_index(expected: Sequence[float], seen: Sequence[float]) -> float:
    """The population stability index of two distributions over the same bins, 0 or more.

    The sum of (seen - expected) * ln(seen / expected) (Siddiqi 2006, *Credit Risk Scorecards*). The
    usual reading is from there too: under 0.1 nothing to speak of, up to 0.25 look, above act. Chance
    alone gives about (bins - 1) / messages (Yurdakul 2018, *Statistical Properties of Population
    Stability Index*). An empty bin counts as one in 10,000.

    >>> stability_index([0.5, 0.5], [0.5, 0.5])
    0.0
    >>> round(stability_index([0.5, 0.5], [0.6, 0.4]), 3)
    0.041
    >>> round(stability_index([0.5, 0.5], [0.9, 0.1]), 3)
    0.879
    """
    pairs = [(max(a, _NONE), max(b, _NONE)) for a, b in zip(expected, seen, strict=True)]
    return sum((b - a) * math.log(b / a) for a, b in pairs)


def bin_of(score: float, bins: int) -> int:
    """Which of ``bins`` equal parts of [0, 1] a score lies in, from 0.

    >>> bin_of(0.0, 10), bin_of(0.35, 10), bin_of(1.0, 10)
    (0, 3, 9)
    """
    return min(int(score * bins), bins - 1)


def compare(reference: Reference, scores: Sequence[float], categories: Sequence[str]) -> Indices:
    """How far predictions, at least one, are from a reference.

    >>> half = Reference((0.5, 0.5), {"otp": 0.5, "job_scam": 0.5})
    >>> compare(half, [0.1, 0.9], ["otp", "job_scam"])
    Indices(score=0.0, category=0.0)
    >>> compare(half, [0.9, 0.9], ["job_scam", "job_scam"]).score > 0.25
    True
    """
    bins = len(reference.scores)
    binned = Counter(bin_of(score, bins) for score in scores)
    named = Counter(categories)
    ids = sorted(reference.categories.keys() | named.keys())
    return Indices(
        stability_index(reference.scores, [binned[position] / len(scores) for position in range(bins)]),
        stability_index(
            [reference.categories.get(name, 0.0) for name in ids],
            [named[name] / len(scores) for name in ids],
        ),
    )


def reference_in(folder: Path) -> Reference | None:
    """The reference that training left in a model folder; None where there is none to compare with."""
    try:
        return reference_from(read_manifest(folder).metrics["reference"])
    except (ModelFolderError, KeyError, TypeError, ValueError):
        return None


def reference_from(record: Mapping[str, Any]) -> Reference:
    """A reference as the manifest holds it.

    Raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything else.

    >>> reference_from({"scores": [0.9, 0.1], "categories": {"otp": 1.0}})
    Reference(scores=(0.9, 0.1), categories={'otp': 1.0})
    """
    scores = tuple(float(share) for share in record["scores"])
    categories = {str(name): float(share) for name, share in dict(record["categories"]).items()}
    for shares in (scores, categories.values()):
        if not math.isclose(sum(shares), 1, abs_tol=1e-3):
            raise ValueError
    return Reference(scores, categories)


class Drift:
    """The newest predictions of the model that serves, beside its reference. For several threads."""

    def __init__(self) -> None:
        self._references: dict[str, Reference | None] = {}
        self._version: str | None = None
        self._newest: deque[tuple[float, str]] = deque(maxlen=WINDOW)
        self._lock = threading.Lock()

    def know(self, version: str, reference: Reference | None) -> None:
        """Say what a model is compared with from now on."""
        self._references[version] = reference

    def observe(self, version: str, score: float, category: str) -> None:
        """Remember a prediction. Another version's first one forgets those of the version before."""
        with self._lock:
            if version != self._version:
                self._version = version
                self._newest.clear()
            self._newest.append((score, category))

    def of(self, version: str | None) -> Indices | None:
        """How far a model's newest predictions are from its reference; None until it can be told."""
        reference = self._references.get(version or "")
        with self._lock:
            newest = list(self._newest) if version == self._version else []
        if reference is None or len(newest) < ENOUGH:
            return None
        return compare(reference, [score for score, _ in newest], [category for _, category in newest])
