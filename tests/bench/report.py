"""What was measured, as a table, as JSON and as a plot; and how it compares, within one run."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

#: The services, in the order of the table: this one, the same with the large network, the plain one.
OURS, PHOBERT, PLAIN = "ours", "phobert", "plain"
TITLES = {
    OURS: "Cảnh Giác",
    PHOBERT: "PhoBERT int8, same service",
    PLAIN: "FastAPI + transformers",
}

#: The values of one service in one round, by measure.
Values = Mapping[str, float]
#: One round: the values of each service.
Round = Mapping[str, Values]


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table."""

    id: str
    title: str
    more_is_better: bool = True
    digits: int = 0


MEASURES = (
    Measure("model", "model alone, one thread, messages/s"),
    Measure("single", "HTTP, 64 connections, messages/s"),
    Measure("processor", "processor time of the service a message, ms", more_is_better=False, digits=2),
    Measure("single_corpus", "HTTP, messages as in the corpus, 4 in 10 scams, messages/s"),
    Measure("p50", "HTTP at 70 % of that, median, ms", more_is_better=False, digits=1),
    Measure("p99", "HTTP at 70 % of that, 99th percentile, ms", more_is_better=False, digits=1),
    Measure("batch", "HTTP in batches of 256, messages/s"),
    Measure("score", "`canhgiac score`, messages/s"),
    Measure("score_memory", "`canhgiac score`, memory at most, MB", more_is_better=False),
    Measure("cold_start", "start until ready, s", more_is_better=False, digits=2),
    Measure("memory_start", "memory when ready, MB", more_is_better=False),
    Measure("memory_load", "memory under load, MB", more_is_better=False),
    Measure("failed", "answers other than 200", more_is_better=False),
)


@dataclass(frozen=True, slots=True)
class Target:
    """What was wanted, what was measured, and whether that is enough."""

    wanted: str
    measured: float
    met: bool


def middle(rounds: Sequence[Round], service: str, measure: str) -> float | None:
    """The median over the rounds; None where it was not measured."""
    values = [one[service][measure] for one in rounds if measure in one.get(service, {})]
    return median(values) if values else None


def times_better(rounds: Sequence[Round], other: str, measure: Measure) -> float | None:
    """How many times better this service is than another: the median of the rounds' ratios.

    >>> rounds = [{"ours": {"p99": 5.0}, "plain": {"p99": 100.0}}]
    >>> times_better(rounds, "plain", Measure("p99", "", more_is_better=False))
    20.0
    """
    ratios = []
    for one in rounds:
        ours, theirs = (one.get(name, {}).get(measure.id, 0.0) for name in (OURS, other))
        if ours and theirs:
            ratios.append(ours / theirs if measure.more_is_better else theirs / ours)
    return median(ratios) if ratios else None


def targets(rounds: Sequence[Round]) -> list[Target]:
    """What the service is held against; a target whose measure is missing is left out."""
    wanted: list[tuple[str, Callable[[], float | None], bool, float]] = [
        (
            "at least 15 times the requests/s of PhoBERT int8",
            lambda: times_better(rounds, PHOBERT, _measure("single")),
            True,
            15,
        ),
        ("99th percentile at 70 % load at most 50 ms", lambda: middle(rounds, OURS, "p99"), False, 50),
        ("`canhgiac score` at least 1.5 times HTTP", lambda: _score_over_http(rounds), True, 1.5),
        ("start until ready at most 2 s", lambda: middle(rounds, OURS, "cold_start"), False, 2),
        ("memory under load at most 350 MB", lambda: middle(rounds, OURS, "memory_load"), False, 350),
    ]
    found = []
    for name, measure, more_is_better, limit in wanted:
        value = measure()
        if value is not None:
            found.append(Target(name, value, value >= limit if more_is_better else value <= limit))
    return found


def _measure(name: str) -> Measure:
    return next(one for one in MEASURES if one.id == name)


def _score_over_http(rounds: Sequence[Round]) -> float | None:
    ratios = [
        one[OURS]["score"] / one[OURS]["single"]
        for one in rounds
        if {"score", "single"} <= one[OURS].keys()
    ]
    return median(ratios) if ratios else None


def table(rounds: Sequence[Round]) -> str:
    """Markdown: a line a measure with its medians and ratios, then a line a target."""
    lines = [
        f"| | {TITLES[OURS]} | {TITLES[PHOBERT]} | times better | {TITLES[PLAIN]} | times better |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for measure in MEASURES:
        cells = [_number(middle(rounds, OURS, measure.id), measure.digits)]
        for other in (PHOBERT, PLAIN):
            cells.append(_number(middle(rounds, other, measure.id), measure.digits))
            cells.append(_number(times_better(rounds, other, measure), 1))
        lines.append(f"| {measure.title} | {' | '.join(cells)} |")
    lines += ["", "| wanted | measured | |", "|---|---:|---|"]
    for target in targets(rounds):
        met = "met" if target.met else "missed"
        lines.append(f"| {target.wanted} | {_number(target.measured, 2)} | {met} |")
    return "\n".join(lines)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def write_json(rounds: Sequence[Round], about: Mapping[str, Any], file: Path) -> None:
    """Every value of every round, the medians, ratios and targets, and what it was measured on."""
    services = [name for name in TITLES if any(name in one for one in rounds)]
    record = {
        "about": about,
        "medians": {
            name: {one.id: value for one in MEASURES if (value := middle(rounds, name, one.id)) is not None}
            for name in services
        },
        "times_better": {
            name: {
                one.id: value for one in MEASURES if (value := times_better(rounds, name, one)) is not None
            }
            for name in services
            if name != OURS
        },
        "targets": [asdict(target) for target in targets(rounds)],
        "rounds": rounds,
    }
    file.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def plot(rounds: Sequence[Round], file: Path) -> None:
    """Bars of the medians, a dot a round, on logarithmic scales: messages/s, and waiting at 70 % load."""
    from matplotlib.figure import Figure

    panels = (
        ("messages a second", ("model", "single", "batch", "score")),
        ("milliseconds at 70 % load", ("p50", "p99")),
    )
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    for axes, (title, names) in zip(figure.subplots(1, 2, width_ratios=(2, 1)), panels, strict=True):
        for offset, (service, label) in enumerate(TITLES.items()):
            places = [position + 0.27 * (offset - 1) for position in range(len(names))]
            axes.bar(
                places, [middle(rounds, service, name) or 0 for name in names], 0.25, label=label, alpha=0.7
            )
            for place, name in zip(places, names, strict=True):
                values = [one[service][name] for one in rounds if name in one.get(service, {})]
                axes.plot([place] * len(values), values, "k.", markersize=4)
        axes.set_yscale("log")
        axes.set_ylim(bottom=1)
        axes.set_xticks(range(len(names)), [_SHORT[name] for name in names])
        axes.set_title(title)
    figure.axes[0].legend()
    figure.savefig(file, dpi=120)


_SHORT = {
    "model": "model alone",
    "single": "HTTP",
    "batch": "HTTP batch",
    "score": "canhgiac score",
    "p50": "median",
    "p99": "99th percentile",
}
