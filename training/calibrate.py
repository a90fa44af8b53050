"""Temperature and thresholds, from the validation split and nothing else.

The temperature makes a score of 0.8 mean that four in five are scams (Guo et al. 2017, *On
Calibration of Modern Neural Networks*). The thresholds turn scores into verdicts.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from data.taxonomy import taxonomy
from training.config import Calibrate
from training.metrics import Bools, Floats

#: Beyond these a temperature says that the validation split is too small, not how sure to be.
COLDEST, HOTTEST = 0.5, 5.0
#: From here up a score says scam rather than legitimate: the verdict scam is never given below,
#: and the verdict legitimate never above.
EVEN = 0.5


@dataclass(frozen=True, slots=True)
class Calibration:
    """``legitimate`` below ``unsure`` <= unsure < ``scam`` <= scam; scores after the temperature."""

    temperature: float
    scam: float
    unsure: float


def calibrate(logits: Floats, categories: Sequence[str], rules: Calibrate) -> Calibration:
    """Temperature and thresholds for validation logits, shape (n, n_categories), and true categories."""
    scam, columns = are_scams(categories), are_scams(taxonomy().ids)
    temperature = find_temperature(logits, scam, columns)
    scores = softmax(logits / temperature, axis=1)[:, columns].sum(axis=1)
    return Calibration(temperature, *find_thresholds(scores, categories, rules))


def find_temperature(logits: Floats, scam: Bools, scam_columns: Bools) -> float:
    """The temperature under which the scam score fits the answers best (log loss)."""

    def loss(logarithm: float) -> float:
        scores = softmax(logits / np.exp(logarithm), axis=1)[:, scam_columns].sum(axis=1)
        likely = np.clip(np.where(scam, scores, 1 - scores), 1e-7, 1)
        return float(-np.log(likely).mean())

    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return round(float(np.exp(found.x)), 4)


def find_thresholds(scores: Floats, categories: Sequence[str], rules: Calibrate) -> tuple[float, float]:
    """The thresholds of the verdicts scam and unsure.

    A false alarm counts as often as its category is met on a phone (``rules.phone``), not as often as
    it was written: the corpus holds hard twins of every trick.
    """
    scam = are_scams(categories)
    legitimate = [category for category, is_scam in zip(categories, scam, strict=True) if not is_scam]
    weights = phone_weights(legitimate, rules.phone)
    high = max(_threshold(scores[~scam], weights, rules.false_alarms), EVEN)
    low = min(_threshold(scores[~scam], weights, rules.unsure_false_alarms), EVEN)
    return high, low


def are_scams(categories: Sequence[str]) -> Bools:
    """Which of the categories, ids of the taxonomy, are scams."""
    return np.array([taxonomy()[category].label == "scam" for category in categories], dtype=np.bool_)


def phone_weights(categories: Sequence[str], phone: Mapping[str, float]) -> Floats:
    """The weight of each message so that the categories are mixed as on a phone; they sum to 1.

    A category of which there is none leaves its share to the others.

    >>> phone_weights(["otp", "otp", "spam"], {"otp": 30, "spam": 10}).tolist()
    [0.375, 0.375, 0.25]
    """
    counts = Counter(categories)
    weights: Floats = np.array([phone[category] / counts[category] for category in categories])
    return weights / max(float(weights.sum()), 1e-12)


def _threshold(scores: Floats, weights: Floats, rate: float) -> float:
    """The lowest score, to four decimals, that at most ``rate`` of the legitimate messages reach.

    With messages that each weigh more than ``rate`` none of them reaches it.
    """
    if len(scores) == 0:
        return EVEN
    order = np.argsort(-scores, kind="stable")
    reached = np.cumsum(weights[order])
    beaten = min(int(np.searchsorted(reached, rate + 1e-12, side="right")), len(scores) - 1)
    return min(float(np.floor(scores[order[beaten]] * 1e4 + 1) / 1e4), 1.0)
