import numpy as np
import pytest

from training.calibrate import COLDEST, HOTTEST, find_temperature, find_thresholds
from training.config import Calibrate

PHONE = {"otp": 30.0, "spam": 10.0}
RULES = Calibrate(false_alarms=0.005, unsure_false_alarms=0.03, phone=PHONE)


def test_logits_that_are_too_sure_are_cooled_by_as_much() -> None:
    generator = np.random.default_rng(0)
    odds = generator.normal(0, 2, 4_000)
    scam = generator.random(4_000) < 1 / (1 + np.exp(-odds))
    logits = 3 * np.stack([odds, np.zeros(4_000)], axis=1)
    assert find_temperature(logits, scam, np.array([True, False])) == pytest.approx(3, rel=0.15)


def test_a_temperature_stays_within_reason_when_nothing_is_wrong() -> None:
    logits = np.array([[5.0, 0.0]] * 10 + [[0.0, 5.0]] * 10)
    found = find_temperature(logits, np.arange(20) < 10, np.array([True, False]))
    assert COLDEST <= found <= HOTTEST


def test_many_messages_give_the_allowed_false_alarms_and_not_more() -> None:
    generator = np.random.default_rng(1)
    legitimate = 1 / (1 + np.exp(-generator.normal(-1, 1.5, 20_000)))
    threshold, unsure = find_thresholds(legitimate, ["otp"] * 20_000, RULES)
    assert 0.001 < (legitimate >= threshold).mean() <= 0.005
    assert unsure <= 0.5 <= threshold


def test_with_too_few_messages_to_count_by_none_of_them_is_called_scam() -> None:
    legitimate = np.linspace(0.05, 0.6, 40)
    threshold, _ = find_thresholds(legitimate, ["otp"] * 40, RULES)
    assert 0.6 < threshold <= 0.6001


def test_a_score_under_one_half_is_never_called_scam() -> None:
    threshold, unsure = find_thresholds(np.full(300, 0.01), ["otp"] * 300, RULES)
    assert threshold == 0.5
    assert 0 < unsure < 0.5


def test_without_legitimate_messages_one_half_parts_both() -> None:
    assert find_thresholds(np.array([0.9]), ["loan_scam"], RULES) == (0.5, 0.5)


def test_a_false_alarm_counts_as_often_as_its_category_is_met_on_a_phone() -> None:
    """Ten spam messages among 1,000 score high: 1 % as written, a quarter as the phone is mixed."""
    scores = np.array([0.9] * 10 + [0.1] * 990)
    categories = ["spam"] * 10 + ["otp"] * 990
    as_written = Calibrate(0.01, 0.01, {"otp": 990.0, "spam": 10.0})
    on_a_phone = Calibrate(0.01, 0.01, {"otp": 3.0, "spam": 1.0})
    assert find_thresholds(scores, categories, as_written)[0] == 0.5
    assert find_thresholds(scores, categories, on_a_phone)[0] > 0.9
