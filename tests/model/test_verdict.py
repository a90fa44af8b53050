import numpy as np
import pytest

from data.taxonomy import Verdict
from model.verdict import Thresholds, best_category, decide, scam_score

CATEGORIES = ["job_scam", "loan_scam", "otp"]


@pytest.mark.parametrize(
    ("score", "verdict"),
    [(1, "scam"), (0.8, "scam"), (0.79, "unsure"), (0.3, "unsure"), (0.29, "legitimate")],
)
def test_a_score_reaches_a_threshold_it_equals(score: float, verdict: Verdict) -> None:
    assert decide(score, Thresholds(scam=0.8, unsure=0.3)) == verdict


def test_the_score_is_the_sum_over_scam_categories() -> None:
    assert scam_score(np.array([0.25, 0.5, 0.25], np.float32), CATEGORIES) == 0.75


def test_the_score_never_passes_one() -> None:
    assert scam_score(np.array([0.6, 0.40001, 0], np.float32), CATEGORIES) == 1


@pytest.mark.parametrize(
    ("verdict", "category"), [("scam", "loan_scam"), ("legitimate", "otp"), ("unsure", "otp")]
)
def test_the_category_never_contradicts_the_verdict(verdict: Verdict, category: str) -> None:
    probabilities = np.array([0.2, 0.3, 0.5], np.float32)
    assert best_category(probabilities, CATEGORIES, verdict)[0] == category
