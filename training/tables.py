"""The report as tables: on the terminal with Rich, in the model card as Markdown."""

from typing import Any

from rich.box import SIMPLE_HEAD
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
#: The numbers shown of a slice, under headings that fit a terminal of 80 columns.
_OF_A_SLICE = {
    "roc_auc": "ROC-AUC",
    "recall_at_half": "at 0.5 %",
    "recall": "recall",
    "false_alarm_rate": "false alarms",
}


def print_report(report: dict[str, Any], *, title: str, console: Console) -> None:
    """Print the tables of a report: all rows, slices, scam kinds, legitimate kinds."""
    counts = f"{report['rows']} messages, {report['scams']} scams, {report['waves']} waves"
    tables = {
        f"{title}: {counts}": overview(report),
        "Slices": slices(report),
        "Scam kinds: recall": kinds(report, "scam"),
        "Legitimate kinds: false-alarm rate": kinds(report, "legitimate"),
    }
    for heading, rows in tables.items():
        if len(rows) > 1:
            print_table(heading, rows, console=console)


def print_table(heading: str, rows: list[Cells], *, console: Console) -> None:
    """Print one table; the first row is the heading of its columns."""
    console.print(_table(heading, rows))


def markdown(rows: list[Cells]) -> str:
    """A table in Markdown; the first row is the heading."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def overview(report: dict[str, Any]) -> list[Cells]:
    """One row a number, one column a contender, each with its 95 % interval."""
    names = list(report["all"])
    body = [
        [title, *(_interval(report["all"][name][key]) for name in names)] for key, title in TITLES.items()
    ]
    return [["number (95 % interval)", *names], *body]


def slices(report: dict[str, Any]) -> list[Cells]:
    """One row a slice and contender: ROC-AUC, recall at 0.5 %, recall and false alarms as shipped."""
    heading = ["slice", "rows", "scams", "of", *_OF_A_SLICE.values()]
    body = [
        [group["slice"], str(group["rows"]), str(group["scams"]), name]
        + [_number(group[name][key]) for key in _OF_A_SLICE]
        for group in report["slices"]
        for name in report["all"]
    ]
    return [heading, *body]


def kinds(report: dict[str, Any], label: str) -> list[Cells]:
    """One row a kind of this label: recall of a scam kind, false-alarm rate of a legitimate one."""
    names = list(report["all"])
    number = "recall" if label == "scam" else "false_alarm_rate"
    body = [
        [kind["kind"], str(kind["rows"]), *(_interval(kind[name][number]) for name in names)]
        for kind in report["kinds"]
        if kind["label"] == label
    ]
    return [["kind", "rows", *names], *body]


def _table(heading: str, rows: list[Cells]) -> Table:
    table = Table(title=heading, title_justify="left", box=SIMPLE_HEAD)
    for position, name in enumerate(rows[0]):
        table.add_column(name, justify="left" if position == 0 else "right", overflow="fold")
    for cells in rows[1:]:
        table.add_row(*cells)
    return table


def _number(measured: dict[str, float | None]) -> str:
    return "–" if measured["value"] is None else f"{measured['value']:.3f}"


def _interval(measured: dict[str, float | None]) -> str:
    if measured["value"] is None or measured["low"] is None:
        return _number(measured)
    return f"{_number(measured)} ({measured['low']:.3f}–{measured['high']:.3f})"
