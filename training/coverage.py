"""What the unsure band buys: how many messages get a verdict, and how many of those are wrong.

El-Yaniv and Wiener 2010, *On the Foundations of Noise-free Selective Classification*: the surer a
model must be, the fewer messages it answers (coverage) and the fewer of its answers are wrong (risk).
"""

from typing import Any

import numpy as np

from model.verdict import Thresholds
from training.metrics import Bools, Floats

#: Shares of the messages that are answered, the surest first.
COVERAGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


def coverage_risk(scores: Floats, scam: Bools, thresholds: Thresholds) -> dict[str, Any]:
    """The curve, and where the thresholds stand; every number in [0, 1].

    ``{"curve": [[coverage, risk]], "unsure": share of all messages, "unsure_scams": of the scams,
    "unsure_legitimate": of the legitimate, "risk": of the verdicts scam and legitimate, those wrong}``.
    How sure a score is counts from the threshold of the verdict scam, in log-odds.

    >>> scam = np.array([True, True, False])
    >>> found = coverage_risk(np.array([0.9, 0.6, 0.1]), scam, Thresholds(0.8, 0.5))
    >>> found["unsure_scams"], found["risk"]
    (0.5, 0.0)
    """
    odds = np.log(np.clip(scores, 1e-6, 1 - 1e-6)) - np.log(np.clip(1 - scores, 1e-6, 1 - 1e-6))
    middle = np.log(thresholds.scam / max(1 - thresholds.scam, 1e-6))
    wrong = (scores >= thresholds.scam) != scam
    surest = np.argsort(-np.abs(odds - middle), kind="stable")
    curve = [[share, _mean(wrong[surest[: max(1, round(share * len(scores)))]])] for share in COVERAGES]
    unsure = (scores >= thresholds.unsure) & (scores < thresholds.scam)
    return {
        "curve": curve,
        "unsure": _mean(unsure),
        "unsure_scams": _mean(unsure[scam]),
        "unsure_legitimate": _mean(unsure[~scam]),
        "risk": _mean(wrong[~unsure]),
    }


def _mean(values: Bools) -> float:
    return round(float(values.mean()), 4) if len(values) else 0.0
