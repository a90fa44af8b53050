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

Verdicts = Callable[[Sequence[Conversation]], Bools]
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Stand:
    """What an attack at a strength did; rates in [0, 1].

    ``recall`` after it; ``success``: of the scams that were called so, those that no longer are;
    ``flips``: of the legitimate messages that were not called scam, those that now are.
    """

    attack: str
    strength: str
    recall: float
    success: float
    flips: float


def stands(
    rows: Sequence[Row],
    verdicts: Verdicts,
    *,
    strengths: Mapping[str, float] = STRENGTHS,
    seed: int = 0,
    on_progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Every attack at every strength, on rows of both labels.

    ``{"recall", "false_alarm_rate", "stands": [Stand as a dict], "flipped_by_any": {strength: rate}}``;
    ``verdicts`` says which conversations are called a scam; the same seed makes the same attacks.
    """
    scam = answers(rows)
    conversations = [row.conversation for row in rows]
    before = verdicts(conversations)
    found: list[Stand] = []
    flipped = {name: np.zeros(len(rows), np.bool_) for name in strengths}
    for name in ATTACKS:
        for strength, share in strengths.items():
            random = Random(f"{seed} {name} {strength}")
            after = verdicts([attack(one, ATTACKS[name], share, random) for one in conversations])
            flips = ~scam & ~before & after
            flipped[strength] |= flips
            lost = scam & before & ~after
            found.append(
                Stand(
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
        "stands": [asdict(stand) for stand in found],
        "flipped_by_any": {name: _rate(rows_, ~scam & ~before) for name, rows_ in flipped.items()},
    }


def attack_file(
    path: Path,
    model_folder: Path,
    *,
    seed: int = 0,
    on_progress: Progress = lambda done, total: None,
    console: Console | None = None,
) -> dict[str, Any]:
    """The report of ``stands`` on a file of labelled messages, printed as a table.

    The file is as for ``training.evaluate.evaluate_file``, with both labels in it.
    """
    rows = read_rows(path)
    found = stands(
        rows, caller(Classifier.from_pretrained(model_folder)), seed=seed, on_progress=on_progress
    )
    heading = f"{path.name}: recall {found['recall']:.3f} before any attack"
    print_table(heading, stand_cells(found), console=console or Console())
    return found


def caller(classifier: Classifier) -> Verdicts:
    """Which conversations a model calls a scam."""
    return lambda conversations: np.array(
        [prediction.verdict == "scam" for prediction in classifier.predict(conversations)], dtype=np.bool_
    )


def stand_cells(found: dict[str, Any]) -> list[Cells]:
    """One row an attack and strength: recall lost in points, attacks that succeeded, accusations."""
    heading = ["attack", "strength", "recall", "points lost", "attack success", "legitimate flipped"]
    body = [
        [
            stand["attack"],
            stand["strength"],
            f"{stand['recall']:.3f}",
            f"{100 * (found['recall'] - stand['recall']):.1f}",
            f"{stand['success']:.1%}",
            f"{stand['flips']:.2%}",
        ]
        for stand in found["stands"]
    ]
    body += [["any", name, "", "", "", f"{rate:.2%}"] for name, rate in found["flipped_by_any"].items()]
    return [heading, *body]


def _rate(chosen: Bools, among: Bools) -> float:
    return float(chosen[among].mean()) if among.any() else 0.0
