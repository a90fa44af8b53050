"""The numbers a classifier is judged by, from scores and answers, with how sure they are.

Every number is computed from weights, one a row, so that the bootstrap is the same code with
other weights: a resample draws whole waves (Efron 1979; rows of one campaign are not independent).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Measured = dict[str, dict[str, float | None]]

BINS = 10


@dataclass(frozen=True, slots=True)
class Metrics:
    """Rates in [0, 1]; ``None`` where the rows hold no message of the class that a rate is of."""

    roc_auc: float | None
    recall_at_1: float | None
    recall_at_half: float | None
    recall: float | None
    precision: float | None
    f1: float | None
    false_alarm_rate: float | None
    ece: float | None


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How often to resample, and from which seed."""

    resamples: int
    seed: int


NAMES = tuple(Metrics.__dataclass_fields__)


def metrics(scores: Floats, scam: Bools, threshold: float, weights: Floats | None = None) -> Metrics:
    """Every number for rows with a scam score and an answer; ``threshold`` and above is an alarm.

    >>> result = metrics(np.array([0.9, 0.8, 0.3, 0.1]), np.array([True, False, True, False]), 0.5)
    >>> result.roc_auc, result.recall_at_1, result.recall, result.false_alarm_rate
    (0.75, 0.5, 0.5, 0.5)
    """
    weights = np.ones(len(scores)) if weights is None else weights
    positives, negatives = float(weights[scam].sum()), float(weights[~scam].sum())
    hits, alarms = _curve(scores, scam, weights)
    alarmed = scores >= threshold
    hit = float(weights[alarmed & scam].sum())
    false = float(weights[alarmed & ~scam].sum())
    recall, precision = _ratio(hit, positives), _ratio(hit, hit + false) if positives else None
    return Metrics(
        roc_auc=_ratio(float(np.trapezoid(hits, alarms)), positives * negatives),
        recall_at_1=_recall_at(0.01, hits, alarms) if negatives else None,
        recall_at_half=_recall_at(0.005, hits, alarms) if negatives else None,
        recall=recall,
        precision=precision,
        f1=_ratio(2 * hit, 2 * hit + false + positives - hit) if positives else None,
        false_alarm_rate=_ratio(false, negatives),
        ece=calibration_error(scores, scam, weights) if positives and negatives else None,
    )


def measure(
    scores: Floats, scam: Bools, waves: Sequence[str], threshold: float, bootstrap: Bootstrap
) -> Measured:
    """Every number by name with its 95 % interval: ``{"value", "low", "high"}``, each maybe ``None``.

    The interval runs from the 2.5th to the 97.5th percentile over resamples of whole waves.
    """
    _, index = np.unique(np.asarray(waves), return_inverse=True)
    generator = np.random.default_rng(bootstrap.seed)
    drawn: dict[str, list[float]] = {name: [] for name in NAMES}
    count = int(index.max()) + 1 if len(index) else 0
    for _ in range(bootstrap.resamples if count else 0):
        times = np.bincount(generator.integers(count, size=count), minlength=count)
        result = asdict(metrics(scores, scam, threshold, times[index].astype(np.float64)))
        for name, value in result.items():
            if value is not None:
                drawn[name].append(value)
    values = asdict(metrics(scores, scam, threshold))
    return {name: {"value": values[name], **_interval(drawn[name])} for name in NAMES}


def calibration_error(scores: Floats, scam: Bools, weights: Floats) -> float:
    """Expected calibration error: mean gap between score and share of scams over ten equal bins.

    Naeini et al. 2015; 0 means that of the messages scored 0.8, 80 % are scams.
    """
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights * (scores - scam), minlength=BINS)
    return float(np.abs(gaps).sum() / weights.sum())


def _curve(scores: Floats, scam: Bools, weights: Floats) -> tuple[Floats, Floats]:
    """Weight of scams caught and of false alarms at each distinct threshold, from none to all."""
    order = np.argsort(-scores, kind="stable")
    caught = np.cumsum(np.where(scam, weights, 0.0)[order])
    false = np.cumsum(np.where(scam, 0.0, weights)[order])
    # one threshold for rows of one score
    ends = np.flatnonzero(np.append(np.diff(scores[order]), 1.0)[: len(scores)])
    return np.insert(caught[ends], 0, 0.0), np.insert(false[ends], 0, 0.0)


def _recall_at(rate: float, hits: Floats, alarms: Floats) -> float | None:
    """The highest recall of a threshold whose false alarms are at most ``rate``."""
    within = alarms <= rate * alarms[-1] + 1e-9
    return _ratio(float(hits[within].max()), float(hits[-1]))


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _interval(values: list[float]) -> dict[str, float | None]:
    if not values:
        return {"low": None, "high": None}
    low, high = np.percentile(values, [2.5, 97.5])
    return {"low": float(low), "high": float(high)}
