"""Which messages deserve a person's look, and why: pure functions from what is stored to [0, 1].

False alarms and misses are separate reasons, as they cost different people different things.

>>> reasons("scam", "legitimate", score=0.5)
{'reported_false_alarm': 1.0, 'margin': 1.0}
>>> priority(reasons("scam", "legitimate", score=0.5).values(), wave_size=1)
2.0
"""

import math
from collections.abc import Iterable

from data.taxonomy import Label, Verdict


def reported_false_alarm(verdict: Verdict, proposed_label: Label) -> float:
    """1 when a client says that a scam verdict was wrong, 0.5 for an unsure one, else 0."""
    return _contradicted(verdict, "scam") if proposed_label == "legitimate" else 0.0


def reported_miss(verdict: Verdict, proposed_label: Label) -> float:
    """1 when a client says that a legitimate verdict was wrong, 0.5 for an unsure one, else 0."""
    return _contradicted(verdict, "legitimate") if proposed_label == "scam" else 0.0


def margin(score: float | None) -> float:
    """How near a scam score in [0, 1] is to the middle: 1 at 0.5, 0 at both ends and when there is none."""
    return 0.0 if score is None else 1.0 - abs(2.0 * score - 1.0)


def reasons(verdict: Verdict, proposed_label: Label, score: float | None) -> dict[str, float]:
    """The reasons that speak for asking, each above 0 and at most 1, by name."""
    all_reasons = {
        "reported_false_alarm": reported_false_alarm(verdict, proposed_label),
        "reported_miss": reported_miss(verdict, proposed_label),
        "margin": margin(score),
    }
    return {name: value for name, value in all_reasons.items() if value > 0}


def priority(reasons: Iterable[float], wave_size: int) -> float:
    """The sum of the reasons times 1 + ln(wave size): campaigns come first without drowning the rest."""
    return sum(reasons) * (1.0 + math.log(wave_size))


def _contradicted(verdict: Verdict, denied: Verdict) -> float:
    return {denied: 1.0, "unsure": 0.5}.get(verdict, 0.0)
