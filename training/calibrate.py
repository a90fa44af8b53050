"""Temperature and thresholds, from the validation split and nothing else.

The temperature makes a score of 0.8 mean that four in five are scams (Guo et al. 2017, *On
Calibration of Modern Neural Networks*). The thresholds turn scores into verdicts.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import softmax

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


def calibrate(logits: Floats, scam: Bools, scam_columns: Bools, rules: Calibrate) -> Calibration:
    """Temperature and thresholds for validation logits of shape (n, n_categories)."""
    temperature = find_temperature(logits, scam, scam_columns)
    scores = softmax(logits / temperature, axis=1)[:, scam_columns].sum(axis=1)
    scam_threshold, unsure_threshold = find_thresholds(scores, scam, rules)
    return Calibration(temperature, scam_threshold, unsure_threshold)


def find_temperature(logits: Floats, scam: Bools, scam_columns: Bools) -> float:
    """The temperature under which the scam score fits the answers best (log loss)."""

    def loss(logarithm: float) -> float:
        scores = softmax(logits / np.exp(logarithm), axis=1)[:, scam_columns].sum(axis=1)
        likely = np.clip(np.where(scam, scores, 1 - scores), 1e-7, 1)
        return float(-np.log(likely).mean())

    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return round(float(np.exp(found.x)), 4)


def find_thresholds(scores: Floats, scam: Bools, rules: Calibrate) -> tuple[float, float]:
    """The thresholds of the verdicts scam and unsure.

    >>> scores = np.array([0.97, 0.9, *np.linspace(0.01, 0.4, 40)])
    >>> high, low = find_thresholds(scores, np.arange(42) < 2, Calibrate(0.005, 0.03))
    >>> 0.5 <= high < 0.97 and low <= 0.5
    True
    """
    legitimate = scores[~scam]
    high = max(_threshold(legitimate, rules.false_alarms), EVEN)
    low = min(_threshold(legitimate, rules.unsure_false_alarms), EVEN)
    return high, low


def _threshold(legitimate: Floats, rate: float) -> float:
    """The lowest score, to four decimals, that at most ``rate`` of the legitimate messages reach.

    With fewer than ``1 / rate`` messages none of them reaches it.
    """
    if len(legitimate) == 0:
        return EVEN
    highest = np.sort(legitimate)[::-1]
    beaten = highest[min(int(rate * len(highest)), len(highest) - 1)]
    return min(float(np.floor(beaten * 1e4 + 1) / 1e4), 1.0)
