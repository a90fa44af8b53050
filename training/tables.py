"""The report as tables: on the terminal with Rich, in the model card as Markdown."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

Cells = list[str]

TITLES = {
    "roc_auc": "ROC-AUC",
    "recall_at_1": "recall at 1 % false alarms",
    "recall_at_half": "recall at 0.5 % false alarms",
    "recall": "recall",
    "precision": "precision",
    "f1": "F1",
    "false_alarm_rate": "false-alarm rate",
    "ece": "calibration error",
}
_SLICED = ("roc_auc", "recall_at_half", "recall", "false_alarm_rate")


def print_report(report: dict[str, Any], *, title: str, console: Console) -> None:
    """Print the three tables of a report: all rows, slices, kinds."""
    counts = f"{report['rows']} messages, {report['scams']} scams, {report['waves']} waves"
    tables = (overview(report), slices(report), kinds(report))
    for heading, rows in zip((f"{title}: {counts}", "Slices", "Kinds"), tables, strict=True):
        table = Table(title=heading, title_justify="left")
        for position, name in enumerate(rows[0]):
            table.add_column(name, justify="left" if position == 0 else "right")
        for cells in rows[1:]:
            table.add_row(*cells)
        console.print(table)


def markdown(rows: list[Cells]) -> str:
    """A table in Markdown; the first row is the heading."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def overview(report: dict[str, Any]) -> list[Cells]:
    """One row a number, one column a contender, each with its 95 % interval."""
    names = list(report["all"])
    body = [
        [title, *(_cell(report["all"][name][key], interval=True) for name in names)]
        for key, title in TITLES.items()
    ]
    return [["number (95 % interval)", *names], *body]


def slices(report: dict[str, Any]) -> list[Cells]:
    """One row a slice and contender."""
    heading = ["slice", "rows", "scams", "of", *(TITLES[key] for key in _SLICED)]
    return [heading, *_per_contender(report, "slices", ("slice", "rows", "scams"), _SLICED)]


def kinds(report: dict[str, Any]) -> list[Cells]:
    """One row a kind: the recall of a scam kind, the false-alarm rate of a legitimate one."""
    names = list(report["all"])
    body = []
    for kind in report["kinds"]:
        number = "recall" if kind["label"] == "scam" else "false_alarm_rate"
        cells = [_cell(kind[name][number], interval=True) for name in names]
        body.append([kind["kind"], kind["label"], str(kind["rows"]), TITLES[number], *cells])
    return [["kind", "label", "rows", "number", *names], *body]


def _per_contender(
    report: dict[str, Any], part: str, columns: tuple[str, ...], numbers: tuple[str, ...]
) -> Iterator[Cells]:
    for group in report[part]:
        for name in report["all"]:
            values = [_cell(group[name][key], interval=False) for key in numbers]
            yield [*(str(group[column]) for column in columns), name, *values]


def _cell(measured: dict[str, float | None], *, interval: bool) -> str:
    if measured["value"] is None:
        return "–"
    text = f"{measured['value']:.3f}"
    if interval and measured["low"] is not None:
        text += f" ({measured['low']:.3f}–{measured['high']:.3f})"
    return text
