import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from training.metrics import Bootstrap, calibration_error, measure, metrics


def test_roc_auc_is_scikit_learns_with_ties_too() -> None:
    generator = np.random.default_rng(0)
    scores = generator.integers(0, 10, 300) / 10
    scam = generator.random(300) < scores
    assert metrics(scores, scam, 0.5).roc_auc == pytest.approx(roc_auc_score(scam, scores))


def test_weights_count_a_row_as_often_as_they_say() -> None:
    generator = np.random.default_rng(1)
    scores, scam = generator.random(60), generator.random(60) < 0.3
    times = generator.integers(0, 3, 60)
    repeated = metrics(np.repeat(scores, times), np.repeat(scam, times), 0.4)
    weighted = metrics(scores, scam, 0.4, times.astype(float))
    for name in ("roc_auc", "recall_at_1", "recall_at_half", "recall", "precision", "f1", "ece"):
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name))


def test_recall_at_one_per_cent_allows_one_false_alarm_in_a_hundred() -> None:
    scores = np.array([0.95, 0.85, *np.linspace(0, 0.5, 99), 0.9])
    scam = np.array([True, True, *[False] * 99, False])
    result = metrics(scores, scam, 0.5)
    assert result.recall_at_1 == 1.0
    assert result.recall_at_half == 0.5


def test_rows_of_one_label_only_have_the_numbers_that_exist() -> None:
    legitimate = metrics(np.array([0.1, 0.7]), np.array([False, False]), 0.5)
    assert legitimate.false_alarm_rate == 0.5
    assert legitimate.roc_auc is legitimate.recall is legitimate.precision is legitimate.f1 is None
    scams = metrics(np.array([0.1, 0.7]), np.array([True, True]), 0.5)
    assert scams.recall == 0.5
    assert scams.roc_auc is scams.false_alarm_rate is scams.recall_at_1 is None


def test_no_rows_have_no_numbers() -> None:
    result = measure(np.zeros(0), np.zeros(0, bool), [], 0.5, Bootstrap(10, 0))
    assert all(value is None for number in result.values() for value in number.values())


def test_an_interval_is_wider_when_rows_come_in_waves() -> None:
    scam = np.array([True] * 40 + [False] * 40)
    scores = np.array(([0.9] * 4 + [0.1] * 4) * 5 + [0.2] * 40)
    alone = measure(scores, scam, [str(n) for n in range(80)], 0.5, Bootstrap(300, 0))["recall"]
    waves = measure(scores, scam, [str(n // 4) for n in range(80)], 0.5, Bootstrap(300, 0))["recall"]
    assert alone["value"] == waves["value"] == 0.5
    assert waves["low"] < alone["low"] < 0.5 < alone["high"] < waves["high"]  # type: ignore[operator]


def test_calibration_error_is_nothing_when_scores_are_shares() -> None:
    scores = np.array([0.75] * 4)
    assert calibration_error(scores, np.array([True, True, True, False]), np.ones(4)) == 0.0
    assert calibration_error(scores, np.array([False] * 4), np.ones(4)) == pytest.approx(0.75)
