"""From probabilities to a verdict: what is said about a message, after thresholds.

A label is a person's answer; a verdict is the model's, and knows a third word. ``unsure`` is for
scores that are too high to be silent about and too low to accuse with.

>>> thresholds = Thresholds(scam=0.8, unsure=0.3)
>>> decide(0.9, thresholds), decide(0.5, thresholds), decide(0.1, thresholds)
('scam', 'unsure', 'legitimate')
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from data.taxonomy import Label, Verdict, taxonomy

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

#: Told with an ``unsure`` verdict, when no category is sure enough for its own advice.
UNSURE_ADVICE = (
    "Chưa đủ căn cứ để kết luận, nhưng tin này có dấu hiệu đáng ngờ. Không bấm đường dẫn, không chuyển "
    "tiền, không đọc mã OTP. Hãy gọi tổng đài chính thức của nơi gửi hoặc hỏi công an xã, phường."
)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores from which a message is called ``scam`` and ``unsure``; 0 < unsure <= scam <= 1."""

    scam: float
    unsure: float


def decide(score: float, thresholds: Thresholds) -> Verdict:
    """The verdict on a score in [0, 1]; a score equal to a threshold reaches it."""
    if score >= thresholds.scam:
        return "scam"
    return "unsure" if score >= thresholds.unsure else "legitimate"


def scam_score(probabilities: NDArray[np.float32], categories: Sequence[str]) -> float:
    """The probability that the message is a scam, in [0, 1]: the sum over the scam categories.

    ``probabilities`` has shape (n_categories,) and follows ``categories``, ids of the taxonomy.

    >>> round(scam_score(np.array([0.5, 0.2, 0.3], np.float32), ["job_scam", "loan_scam", "otp"]), 6)
    0.7
    """
    return min(1.0, float(np.sum(probabilities[_of_label(tuple(categories), "scam")], dtype=np.float64)))


def best_category(
    probabilities: NDArray[np.float32], categories: Sequence[str], verdict: Verdict
) -> tuple[str, float]:
    """The most probable category that agrees with the verdict, and its probability.

    A ``scam`` verdict never carries a legitimate category, nor the other way round; ``unsure``
    takes the most probable of all.

    >>> best_category(np.array([0.4, 0.2, 0.3], np.float32), ["otp", "job_scam", "loan_scam"], "scam")
    ('loan_scam', 0.30000001192092896)
    """
    if verdict == "unsure":
        best = int(np.argmax(probabilities))
    else:
        agreeing = _of_label(tuple(categories), verdict)
        best = int(agreeing[np.argmax(probabilities[agreeing])])
    return categories[best], float(probabilities[best])


@lru_cache(maxsize=16)  # asked for every message; a process knows one or two models
def _of_label(categories: tuple[str, ...], label: Label) -> NDArray[np.intp]:
    """Where the categories of a label stand."""
    return np.array([i for i, one in enumerate(categories) if taxonomy()[one].label == label], np.intp)


def advice(verdict: Verdict, category_id: str) -> str:
    """What to tell the citizen, in Vietnamese. No verdict says that a message is harmless.

    >>> advice("legitimate", "otp")[:32]
    'Chưa phát hiện dấu hiệu lừa đảo.'
    """
    return UNSURE_ADVICE if verdict == "unsure" else taxonomy()[category_id].advice_vi
