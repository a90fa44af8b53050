"""How a model stands attacks: scams that it misses and legitimate messages that it accuses after one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from rich.console import Console

from data.messages import Conversation
from model.classifier import Classifier
from training.attacks import ATTACKS, STRENGTHS, attack
from training.evaluate import Row, answers, read_rows
from training.metrics import Bools
from training.tables import Cells, print_table

Alarms = Callable[[Sequence[Conversation]], Bools]
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attack at a strength did; rates in [0, 1].

    ``recall`` after it; ``success``: of the scams that were called so, those that no longer are;
    ``flips``: of the legitimate messages that were not called scam, those that now are.
    """

    attack: str
    strength: str
    recall: float
    success: float
    flips: float


def withstood(
    rows: Sequence[Row],
    alarms: Alarms,
    *,
    strengths: Mapping[str, float] = STRENGTHS,
    seed: int = 0,
    on_progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Every attack at every strength, on rows of both labels.

    ``{"recall", "false_alarm_rate", "outcomes": [Outcome as a dict], "flipped_by_any": {strength: rate}}``;
    ``alarms`` says which conversations are called a scam; the same seed makes the same attacks.
    """
    scam = answers(rows)
    conversations = [row.conversation for row in rows]
    before = alarms(conversations)
    found: list[Outcome] = []
    flipped = {name: np.zeros(len(rows), np.bool_) for name in strengths}
    for name in ATTACKS:
        for strength, share in strengths.items():
            random = Random(f"{seed} {name} {strength}")
            after = alarms([attack(one, ATTACKS[name], share, random) for one in conversations])
            flips = ~scam & ~before & after
            flipped[strength] |= flips
            lost = scam & before & ~after
            found.append(
                Outcome(
                    name,
                    strength,
                    recall=_rate(after, scam),
                    success=_rate(lost, scam & before),
                    flips=_rate(flips, ~scam & ~before),
                )
            )
            on_progress(len(found), len(ATTACKS) * len(strengths))
    return {
        "recall": _rate(before, scam),
        "false_alarm_rate": _rate(before, ~scam),
        "outcomes": [asdict(outcome) for outcome in found],
        "flipped_by_any": {name: _rate(some, ~scam & ~before) for name, some in flipped.items()},
    }


def attack_file(
    path: Path,
    model_folder: Path,
    *,
    seed: int = 0,
    on_progress: Progress = lambda done, total: None,
    console: Console | None = None,
) -> dict[str, Any]:
    """The report of ``withstood`` on a file of labelled messages, printed as a table.

    The file is as for ``training.evaluate.evaluate_file``, with both labels in it.
    """
    rows = read_rows(path)
    found = withstood(
        rows, alarms_of(Classifier.from_pretrained(model_folder)), seed=seed, on_progress=on_progress
    )
    heading = f"{path.name}: recall {found['recall']:.3f} before any attack"
    print_table(heading, outcome_cells(found), console=console or Console())
    return found


def alarms_of(classifier: Classifier) -> Alarms:
    """Which conversations a model calls a scam."""
    return lambda conversations: np.array(
        [prediction.verdict == "scam" for prediction in classifier.predict(conversations)], dtype=np.bool_
    )


def outcome_cells(found: dict[str, Any]) -> list[Cells]:
    """One row an attack and strength: recall lost in points, attacks that succeeded, accusations."""
    heading = ["attack", "strength", "recall", "points lost", "attack success", "legitimate flipped"]
    body = [
        [
            outcome["attack"],
            outcome["strength"],
            f"{outcome['recall']:.3f}",
            f"{100 * (found['recall'] - outcome['recall']):.1f}",
            f"{outcome['success']:.1%}",
            f"{outcome['flips']:.2%}",
        ]
        for outcome in found["outcomes"]
    ]
    body += [["any", name, "", "", "", f"{rate:.2%}"] for name, rate in found["flipped_by_any"].items()]
    return [heading, *body]


def _rate(chosen: Bools, among: Bools) -> float:
    return float(chosen[among].mean()) if among.any() else 0.0
