"""What a check must see and what it saw: the rows of the table that ``make torture`` prints."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was checked; ``ok`` None where this machine does not let it be checked."""

    check: str
    must: str
    seen: str
    ok: bool | None


def show(rows: Iterator[Row], console: Console) -> bool:
    """Print each row as it comes and the table at the end; whether none failed."""
    table = Table("check", "must", "seen", "ok")
    failed = 0
    for row in rows:
        ok = {True: "ok", False: "FAILED", None: "skipped"}[row.ok]
        console.print(f"{ok}: {row.check}: {row.seen}", markup=False, highlight=False)
        table.add_row(row.check, row.must, row.seen, ok)
        failed += row.ok is False
    console.print(table)
    return not failed
