"""May this model take over? What it must not lose, on the same test messages as the champion.

Three numbers, because one can hide another: recall at 0.5 % false alarms, ROC-AUC, and false
alarms on each heavy kind of legitimate message. A filter that hides an OTP is worse than one that
misses a lottery lure.
"""

from collections.abc import Iterator
from typing import Any

from model.artifact import Gate
from training.config import Gate as Rules

_NUMBERS = (("recall_at_half", "recall", "recall at 0.5 % false alarms"), ("roc_auc", "roc_auc", "ROC-AUC"))


def gate(report: dict[str, Any], rules: Rules) -> Gate:
    """Passed or not, with a sentence for each number that fell.

    ``report`` is ``training.evaluate.report`` of the test split with the contenders ``model`` and,
    where there is one, ``champion``. Without a champion the floors hold.
    """
    compare = _against_champion if "champion" in report["all"] else _against_floor
    reasons = tuple(compare(report, rules))
    return Gate(passed=not reasons, reasons=reasons)


def _against_champion(report: dict[str, Any], rules: Rules) -> Iterator[str]:
    for name, limit, title in _NUMBERS:
        new, old = _value(report["all"], "model", name), _value(report["all"], "champion", name)
        allowed = getattr(rules.tolerance, limit)
        if new is None or (old is not None and new < old - allowed - 1e-9):
            yield f"{title} fell from {_text(old)} to {_text(new)} (tolerance {allowed})"
    allowed = rules.tolerance.false_alarms
    for kind in _heavy(report, rules):
        new, old = (_value(kind, name, "false_alarm_rate") or 0.0 for name in ("model", "champion"))
        if new > old + allowed + 1e-9:
            rise = f"from {_text(old)} to {_text(new)} (tolerance {allowed})"
            yield f"false alarms on {kind['kind']} rose {rise}"


def _against_floor(report: dict[str, Any], rules: Rules) -> Iterator[str]:
    for name, limit, title in _NUMBERS:
        new, least = _value(report["all"], "model", name), getattr(rules.floor, limit)
        if new is None or new < least:
            yield f"{title} is {_text(new)}, below the floor {least}"
    for kind in _heavy(report, rules):
        new = _value(kind, "model", "false_alarm_rate") or 0.0
        if new > rules.floor.false_alarms:
            yield f"false alarms on {kind['kind']} are {_text(new)}, above {rules.floor.false_alarms}"


def _heavy(report: dict[str, Any], rules: Rules) -> list[dict[str, Any]]:
    return [
        kind for kind in report["kinds"] if kind["kind"] in rules.heavy and kind["label"] == "legitimate"
    ]


def _value(group: dict[str, Any], contender: str, name: str) -> float | None:
    value: float | None = group[contender][name]["value"]
    return value


def _text(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"
