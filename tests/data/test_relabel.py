import pytest

from data.relabel import margin, priority, reasons, reported_false_alarm, reported_miss


@pytest.mark.parametrize(
    ("verdict", "false_alarm", "miss"), [("scam", 1.0, 0.0), ("unsure", 0.5, 0.5), ("legitimate", 0.0, 1.0)]
)
def test_a_false_alarm_and_a_miss_are_separate_reasons(
    verdict: str, false_alarm: float, miss: float
) -> None:
    assert reported_false_alarm(verdict, "legitimate") == false_alarm  # type: ignore[arg-type]
    assert reported_miss(verdict, "scam") == miss  # type: ignore[arg-type]


def test_agreeing_with_the_verdict_is_no_reason() -> None:
    assert reasons("scam", "scam", score=1.0) == {}
    assert reasons("legitimate", "legitimate", score=None) == {}


@pytest.mark.parametrize(("score", "value"), [(0.0, 0.0), (0.25, 0.5), (0.5, 1.0), (1.0, 0.0), (None, 0.0)])
def test_a_score_in_the_middle_is_the_most_doubtful(score: float | None, value: float) -> None:
    assert margin(score) == value


def test_of_equal_reasons_the_larger_wave_comes_first_and_a_hundredfold_wave_not_hundredfold() -> None:
    assert priority([0.5, 0.5], 1) == 1.0
    assert 1.0 < priority([1.0], 10) < priority([1.0], 100) < 6.0
    assert priority([], 100) == 0.0
