"""What goes out to spreadsheets and terminals is inert: no formula runs, no escape steers a screen."""

import csv
import io
import unicodedata
from pathlib import Path

import pytest
from rich.console import Console

from data.exchange import Answer, read_answers, write_answers
from data.label import Sitting
from data.messages import Conversation, Message
from data.queues import FileQueue, Item, write_batch
from tests.torture.hostile import texts

#: OWASP's list of what begins a formula, full-width signs included, which spreadsheets also take.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def _answers(cells: list[str]) -> list[Answer]:
    said = [
        Answer(cell, Conversation.from_text(cell, sender=cell), "scam", "job_scam", note=cell)
        for cell in cells
    ]
    turns = Conversation((Message("recipient", cells[0]), Message("sender", cells[-1])))
    return [*said, Answer("turns", turns, "legitimate", "otp")]


def test_no_cell_of_an_export_is_a_formula_and_all_come_back_as_they_were(tmp_path: Path) -> None:
    answers = _answers(
        [f"{sign}{rest}" for sign in (*FORMULA, "'=", "''") for rest in ("cmd|' /C calc'!A0", "1")]
    )
    file = tmp_path / "labels.csv"
    write_answers(answers, file)
    with file.open(encoding="utf-8", newline="") as rows:
        cells = [cell for row in csv.reader(rows) for cell in row]
    assert [cell for cell in cells if cell.startswith(FORMULA)] == []
    assert list(read_answers(file)) == answers


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.labelstudio.json", "x.doccano.jsonl"])
def test_hostile_texts_come_back_from_every_format_as_they_were(tmp_path: Path, name: str) -> None:
    written = [text for text in texts() if text.strip() and "\x00" not in text]
    answers = [
        Answer(f"m{n}", Conversation.from_text(text), "scam", "job_scam") for n, text in enumerate(written)
    ]
    write_answers(answers, tmp_path / name)
    assert [one.conversation for one in read_answers(tmp_path / name)] == [
        one.conversation for one in answers
    ]


def test_no_hostile_text_steers_the_terminal_of_an_officer(tmp_path: Path) -> None:
    items = [
        Item(f"m{n}", Conversation.from_text(text, sender=text[:100]))
        for n, text in enumerate(texts()[::3])
    ]
    write_batch(items, tmp_path / "batch.jsonl")
    screen, keys = io.StringIO(), iter("b" * len(items))
    console = Console(file=screen, width=100, highlight=False)
    Sitting(FileQueue(tmp_path / "batch.jsonl"), console, lambda: next(keys), lambda: "").run()
    steering = {
        c for c in screen.getvalue() if unicodedata.category(c) in ("Cc", "Cf") and c not in "\n\u200d"
    }
    assert steering == set()
