"""`make bench`: this service beside one with a network of PhoBERT-base's shape, and a plain one.

The services run one at a time and take turns, so that what else the machine does hits each of them.
Load comes from a process of its own on the same machine, as messages come on a phone, no two alike.
What counts is a ratio within one run; nothing here fails because a machine is slow.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from model.artifact import read_manifest
from model.registry import SHIPPED
from tests.bench import report
from tests.bench.measures import Contender, Messages, Plan, examine
from tests.bench.phobert import cached
from tests.bench.services import ROOT, canhgiac, plain

FULL = Plan(rounds=3, seconds=8, corpus_seconds=5, batches=8, score=2_000, model=400)
QUICK = Plan(rounds=1, seconds=3, corpus_seconds=0, batches=0, score=300, model=150)
#: Bodies for each second of load: more than the fastest service gets through.
BODIES = 4_000


def contenders(shipped: Path, cache: Path, scratch: Path) -> list[Contender]:
    """The three, in the order in which they take turns."""
    int8, exact = cached(shipped, cache)
    return [
        Contender(report.OURS, canhgiac(shipped, scratch / "ours"), shipped, 1),
        Contender(report.PHOBERT, canhgiac(int8, scratch / "phobert"), int8, 0.1),
        Contender(report.PLAIN, plain(exact), None, 0.1),
    ]


def about(shipped: Path) -> dict[str, Any]:
    """What is measured, and on what."""
    return {
        "model": read_manifest(shipped).version,
        "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "processors": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def main() -> None:
    """Measure, print the table, write ``bench.json`` and ``bench.png``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one short round, a minute")
    parser.add_argument("--score", type=int, help="messages for `canhgiac score`, as 100000")
    parser.add_argument("--model", type=Path, default=SHIPPED, help="model folder")
    parser.add_argument("--output", type=Path, default=ROOT / "var" / "bench")
    given = parser.parse_args()
    plan = QUICK if given.quick else FULL
    if given.score:
        plan = replace(plan, score=given.score)
    shipped, output = given.model.absolute(), given.output.absolute()
    output.mkdir(parents=True, exist_ok=True)
    told = about(shipped)
    rounds = measure(plan, shipped, output)
    report.write_json(rounds, told, output / "bench.json")
    report.plot(rounds, output / "bench.png")
    sys.stdout.write(f"{report.table(rounds)}\n\n{told}\n{output}/bench.json, {output}/bench.png\n")


def measure(plan: Plan, shipped: Path, output: Path) -> list[report.Round]:
    """The rounds of a plan; how it goes is told on standard error."""
    rounds: list[report.Round] = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        _tell("messages, and the networks to compare with (minutes, the first time) ...")
        messages = Messages.written(
            scratch, max(round(2 * BODIES * plan.seconds), plan.score), plan.batches
        )
        everyone = contenders(shipped, output, scratch)
        for number in range(plan.rounds):
            values = {}
            for one in everyone:
                values[one.name] = found = examine(one, messages, plan, scratch, first=not number)
                numbers = ", ".join(f"{name} {value:.4g}" for name, value in found.items())
                _tell(f"round {number + 1} of {plan.rounds}, {one.name}: {numbers}")
            rounds.append(values)
    return rounds


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
