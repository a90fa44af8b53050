from dataclasses import replace
from typing import Any

from training.config import Gate, Limits, read_config
from training.gate import gate

RULES = replace(
    read_config().gate,
    tolerance=Limits(recall=0.03, roc_auc=0.005, false_alarms=0.02),
    floor=Limits(recall=0.5, roc_auc=0.95, false_alarms=0.1),
)


def contender(recall: float | None, auc: float, alarms: float) -> dict[str, Any]:
    values = {"recall_at_half": recall, "roc_auc": auc, "false_alarm_rate": alarms}
    return {name: {"value": value} for name, value in values.items()}


def report(**contenders: dict[str, Any]) -> dict[str, Any]:
    kinds = [{"kind": kind, "label": "legitimate", **contenders} for kind in ("otp", "personal")]
    return {"all": contenders, "kinds": kinds}


def reasons(rules: Gate = RULES, **contenders: dict[str, Any]) -> tuple[str, ...]:
    decision = gate(report(**contenders), rules)
    assert decision.passed == (not decision.reasons)
    return decision.reasons


def test_as_good_as_the_champion_passes() -> None:
    assert reasons(model=contender(0.8, 0.98, 0), champion=contender(0.8, 0.98, 0)) == ()


def test_a_fall_within_the_tolerance_passes() -> None:
    assert reasons(model=contender(0.77, 0.975, 0.02), champion=contender(0.8, 0.98, 0)) == ()


def test_each_number_that_fell_is_named() -> None:
    found = reasons(model=contender(0.7, 0.9, 0.1), champion=contender(0.8, 0.98, 0.0))
    assert found == (
        "recall at 0.5 % false alarms fell from 0.8000 to 0.7000 (tolerance 0.03)",
        "ROC-AUC fell from 0.9800 to 0.9000 (tolerance 0.005)",
        "false alarms on otp rose from 0.0000 to 0.1000 (tolerance 0.02)",
    )


def test_a_kind_that_is_not_heavy_does_not_stop_a_model() -> None:
    rules = replace(RULES, heavy=("balance",))
    assert reasons(rules, model=contender(0.8, 0.98, 0.5), champion=contender(0.8, 0.98, 0)) == ()


def test_the_first_model_is_held_against_the_floors() -> None:
    assert reasons(model=contender(0.6, 0.96, 0.05)) == ()
    found = reasons(model=contender(None, 0.9, 0.2))
    assert [reason.split(" are ")[0].split(" is ")[0] for reason in found] == [
        "recall at 0.5 % false alarms",
        "ROC-AUC",
        "false alarms on otp",
    ]
