import numpy as np

from model.verdict import Thresholds
from training.coverage import coverage_risk

THRESHOLDS = Thresholds(scam=0.8, unsure=0.4)


def test_a_wrong_answer_that_was_unsure_is_no_risk() -> None:
    scores, scam = np.array([0.95, 0.6, 0.5, 0.05]), np.array([True, True, False, False])
    found = coverage_risk(scores, scam, THRESHOLDS)
    assert found["unsure"] == found["unsure_scams"] == found["unsure_legitimate"] == 0.5
    assert found["risk"] == 0.0


def test_the_surest_answers_come_first() -> None:
    scores = np.array([0.999, 0.001, 0.9, 0.7])
    scam = np.array([True, False, False, True])
    curve = dict(coverage_risk(scores, scam, THRESHOLDS)["curve"])
    assert curve[0.5] == 0.0
    assert curve[1.0] == 0.5
